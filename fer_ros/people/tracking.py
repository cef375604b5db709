# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The same person keeps the same id from frame to frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fer_ros.config import TrackingConfig
from fer_ros.geometry import pairwise_iou
from fer_ros.people.appearance import Looks
from fer_ros.types import Float32Array, Int64Array

VELOCITY_TIME_CONSTANT_S = 0.15
"""Detections jitter by a few pixels; velocity is averaged over about this long."""

MAX_PREDICTION_S = 0.3
"""Heads turn back: after this long out of sight a person is expected to have stopped."""

MAX_PEOPLE = 1000
"""No more are remembered, whatever the stamps say: where a clock stands still nobody grows old."""

MIN_LIKENESS = 0.62
"""Faces that look less alike are different people's, wherever they are."""
MIN_LIKENESS_AT_ONCE = 0.65
"""The same in two frames that follow one another within AT_ONCE_S: nobody changes that fast."""
AT_ONCE_S = 0.2
FAMILIAR = 0.75
"""A person who was lost is known again by looks this much alike, wherever they return."""


@dataclass
class _Track:
    track_id: int
    born_s: float
    stamp_s: float
    box_xyxy: Float32Array
    velocity_px_s: Float32Array
    looks: Looks | None

    def move_to(self, box_xyxy: Float32Array, stamp_s: float) -> None:
        elapsed_s = stamp_s - self.stamp_s
        if elapsed_s > 0:
            moved = box_xyxy - self.box_xyxy
            shift = (moved[:2] + moved[2:]) / 2
            weight = -math.expm1(-elapsed_s / VELOCITY_TIME_CONSTANT_S)
            # Stamps may lie a fraction of a microsecond apart: nothing is divided in float32.
            self.velocity_px_s *= np.float32(1 - weight)
            self.velocity_px_s += shift * np.float32(weight / elapsed_s)
        self.box_xyxy = box_xyxy
        self.stamp_s = stamp_s


class FaceTracker:
    """Matches faces to people by where each person is expected, best match first.

    A face that overlaps no expectation is still taken for a person just out of sight whose size it
    has and near whom it appears, the farther the longer the gap.
    """

    def __init__(self, config: TrackingConfig) -> None:
        """Start with nobody in view; ids count from 1."""
        self.config = config
        self._tracks: list[_Track] = []
        self._next_id = 1

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The ids of everybody in view or out of sight for less than the longest gap."""
        return tuple(track.track_id for track in self._tracks)

    def reset(self) -> None:
        """Forget everybody, as after a jump in time; ids already given are not used again."""
        self._tracks.clear()

    def update(
        self, boxes_xyxy: Float32Array, stamp_s: float, looks: Float32Array | None = None
    ) -> Int64Array:
        """Return the id of each face; must also be called for frames without any.

        Args:
            boxes_xyxy: float32 (N, 4) px.
            stamp_s: seconds, not before the last call's.
            looks: float32 (N, D); see fer_ros.people.appearance. None to go by place alone.

        Returns:
            int64 (N,).
        """
        oldest = stamp_s - self.config.max_lost_s
        # Those seen last come last.
        known = sorted(self._tracks, key=lambda track: track.stamp_s)
        self._tracks = [track for track in known[-MAX_PEOPLE:] if track.stamp_s >= oldest]
        ids = np.zeros(len(boxes_xyxy), np.int64)
        for row, face in self._matches(boxes_xyxy, stamp_s, looks):
            track = self._tracks[row]
            track.move_to(boxes_xyxy[face], stamp_s)
            if track.looks and looks is not None:
                track.looks.add(looks[face], stamp_s)
            ids[face] = track.track_id
        for face in (int(i) for i in np.flatnonzero(ids == 0)):
            ids[face] = self._next_id
            look = None if looks is None else Looks(looks[face], stamp_s)
            still = np.zeros(2, np.float32)
            self._tracks.append(
                _Track(self._next_id, stamp_s, stamp_s, boxes_xyxy[face], still, look)
            )
            self._next_id += 1
        return ids

    def _matches(
        self, boxes_xyxy: Float32Array, stamp_s: float, looks: Float32Array | None
    ) -> list[tuple[int, int]]:
        """Return (track, face) pairs, each used once: by overlap, then nearness, then looks."""
        if not self._tracks or not len(boxes_xyxy):
            return []
        gaps_s = np.array([stamp_s - track.stamp_s for track in self._tracks])
        likeness = self._likeness(looks, gaps_s, len(boxes_xyxy))
        expected = self._expected(gaps_s)
        overlap = pairwise_iou(expected, boxes_xyxy)
        overlap[overlap < self.config.min_iou] = 0
        pairs = _best_first(overlap * likeness)
        # Mostly everybody is where they were expected.
        if len(pairs) < min(overlap.shape):
            nearness = _nearness(expected, boxes_xyxy, gaps_s) * likeness
            pairs += _best_first(_without(nearness, pairs))
        if looks is not None and len(pairs) < min(overlap.shape):
            pairs += _best_first(_without(np.where(likeness > FAMILIAR, likeness, 0), pairs))
        return self._with_earlier_ids(pairs, likeness)

    def _expected(self, gaps_s: np.ndarray) -> Float32Array:
        """Return float32 (T, 4): where everybody should be so many seconds after they were seen."""
        boxes = np.stack([track.box_xyxy for track in self._tracks])
        velocities = np.stack([track.velocity_px_s for track in self._tracks])
        ahead_s = np.minimum(gaps_s, MAX_PREDICTION_S).astype(np.float32)
        expected: Float32Array = boxes + np.tile(velocities * ahead_s[:, None], 2)
        return expected

    def _with_earlier_ids(
        self, pairs: list[tuple[int, int]], likeness: np.ndarray
    ) -> list[tuple[int, int]]:
        """Return *pairs* with the ids back of those who, half hidden, had looked like another."""
        lost = set(range(len(self._tracks))) - {row for row, _ in pairs}
        found = []
        for row, face in pairs:
            track = self._tracks[row]
            known = [old for old in lost if self._tracks[old].stamp_s <= track.born_s]
            best = max(known, key=lambda old: likeness[old, face], default=row)
            if best != row and likeness[best, face] > FAMILIAR:
                track.stamp_s = -np.inf
                lost.remove(best)
                row = best
            found.append((row, face))
        return found

    def _likeness(self, looks: Float32Array | None, gaps_s: np.ndarray, count: int) -> np.ndarray:
        """Return (T, N): how much each face looks like each person; 0 for somebody else.

        Where appearance is not known, everybody looks alike, but nobody familiar.
        """
        likeness = np.full((len(self._tracks), count), FAMILIAR)
        for row, track in enumerate(self._tracks):
            if track.looks and looks is not None:
                likeness[row] = track.looks.likeness(looks)
        least = np.where(gaps_s < AT_ONCE_S, MIN_LIKENESS_AT_ONCE, MIN_LIKENESS)
        return np.where(likeness >= least[:, None], likeness, 0)


def _without(likeness: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return *likeness* with zeros for rows and columns that are used already."""
    for row, column in pairs:
        likeness[row, :] = likeness[:, column] = 0
    return likeness


def _best_first(likeness: np.ndarray) -> list[tuple[int, int]]:
    """Return (row, column) pairs above zero, best first, each used once; *likeness* is spent."""
    pairs = []
    for _ in range(min(likeness.shape)):
        row, column = divmod(int(likeness.argmax()), likeness.shape[1])
        if likeness[row, column] <= 0:
            break
        pairs.append((row, column))
        likeness[row, :] = likeness[:, column] = 0
    return pairs


def _nearness(
    expected_xyxy: Float32Array, boxes_xyxy: Float32Array, gaps_s: np.ndarray
) -> np.ndarray:
    """Return (T, N): 1 for the same place down to 0 for out of reach or of another size.

    Reach is half a face's height, and one height more for each second out of sight.
    """
    heights = [np.maximum(b[:, 3] - b[:, 1], 1.0) for b in (expected_xyxy, boxes_xyxy)]
    centres = [(b[:, :2] + b[:, 2:]) / 2 for b in (expected_xyxy, boxes_xyxy)]
    distance = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2)
    reach = heights[0] * (0.5 + gaps_s)
    ratio = heights[0][:, None] / heights[1][None]
    near = np.clip(1.0 - distance / reach[:, None], 0.0, 1.0)
    return np.where((ratio > 0.6) & (ratio < 1.6), near, 0.0)
