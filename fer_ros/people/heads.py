# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Head poses kept steady over time, and what heads do: look at the camera, nod, shake."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fer_ros.config import HeadPoseConfig
from fer_ros.people.depth import face_depth, moved_to_depth
from fer_ros.people.head_pose import (
    head_poses,
    rotations_of,
    turns_of,
    yaws_pitches_rolls_deg,
)
from fer_ros.types import (
    Camera,
    FaceEmotion,
    Float32Array,
    Float64Array,
    FrameEmotions,
    HeadPose,
)

SPEED_CUTOFF_HZ = 1.0
GESTURE_S = 1.5
"""A nod or a shake takes no longer."""

MIN_SWING_DEG = 5.0
MIN_REVERSALS = 2
"""Down and up again, or from side to side."""


class OneEuroFilter:
    """A low-pass filter that is steady at rest and quick in motion (Casiez et al., CHI 2012).

    Rows are smoothed side by side, each by itself.
    """

    def __init__(self) -> None:
        """Start without rows."""
        self._values = self._speeds = np.zeros((0, 0))
        self._stamp_s = 0.0

    def update(
        self,
        values: Float64Array,
        rows: Sequence[int],
        stamp_s: float,
        min_cutoff_hz: float,
        speed_coefficient: float,
    ) -> Float64Array:
        """Return the smoothed values; those of the last call where time does not go on.

        Args:
            values: float64 (N, D).
            rows: N; which row of the last call each goes on from, -1 for one that is new.
            stamp_s: time of the values in seconds.
            min_cutoff_hz: cut-off at rest.
            speed_coefficient: how much the cut-off rises with speed.
        """
        # Whatever is new starts at rest where it is.
        before, speeds = values.copy(), np.zeros_like(values)
        known = [row for row, old in enumerate(rows) if old >= 0]
        old = [rows[row] for row in known]
        if known:
            before[known], speeds[known] = self._values[old], self._speeds[old]
        elapsed_s = stamp_s - self._stamp_s
        if elapsed_s > 0 or not known:
            self._stamp_s = stamp_s
        if elapsed_s > 0:
            moved = values - before
            speeds += _weight(SPEED_CUTOFF_HZ, elapsed_s) * (moved / elapsed_s - speeds)
            cutoffs_hz = min_cutoff_hz + speed_coefficient * np.sqrt((speeds**2).sum(axis=1))
            before += _weight(cutoffs_hz, elapsed_s)[:, None] * moved
        self._values, self._speeds = before, speeds
        return before


def _weight(cutoff_hz: Any, elapsed_s: float) -> Any:
    return -np.expm1(-2 * math.pi * cutoff_hz * elapsed_s)


def swings(angles_deg: Iterable[float]) -> int:
    """Return how often a series turns back after a swing of MIN_SWING_DEG or more.

    Example:
        0, 8, 0, 8 swings up, down and up again: it turns back twice.
    """
    angles = list(angles_deg)
    if max(angles) - min(angles) < MIN_SWING_DEG:
        return 0
    reversals, direction, extreme = 0, 0, angles[0]
    for angle in angles:
        step = angle - extreme
        if direction * step > 0:
            extreme = angle
        elif step >= MIN_SWING_DEG or step <= -MIN_SWING_DEG:
            reversals += direction != 0
            direction, extreme = (1 if step > 0 else -1), angle
    return reversals


class _Turns:
    """How one head has turned in the last moments."""

    def __init__(self) -> None:
        self._stamps_s: deque[float] = deque()
        self._yaws: deque[float] = deque()
        self._pitches: deque[float] = deque()

    def gesture(self, yaw_deg: float, pitch_deg: float, stamp_s: float) -> str:
        stamps_s = self._stamps_s
        stamps_s.append(stamp_s)
        self._yaws.append(yaw_deg)
        self._pitches.append(pitch_deg)
        while stamp_s - stamps_s[0] > GESTURE_S or stamps_s[0] > stamp_s:
            for series in (stamps_s, self._yaws, self._pitches):
                series.popleft()
        shakes, nods = swings(self._yaws), swings(self._pitches)
        if max(shakes, nods) < MIN_REVERSALS or shakes == nods:
            return ''
        return 'nod' if nods > shakes else 'shake'


class Heads:
    """The head of everybody in view of one camera."""

    def __init__(self, config: HeadPoseConfig) -> None:
        """Start with nobody in view."""
        self.config = config
        self._forget()

    def _forget(self) -> None:
        self._poses: dict[int, HeadPose] = {}
        self._filter = OneEuroFilter()
        self._turns: dict[int, _Turns] = {}

    def update(
        self, frame: FrameEmotions, camera: Camera | None, depth_m: Float32Array | None = None
    ) -> FrameEmotions:
        """Return a frame with the heads of its faces.

        Args:
            frame: with track ids; also one without faces, so that people are forgotten.
            camera: that took the image; None for one of the assumed field of view.
            depth_m: float32 (h, w) registered to the image, NaN for holes; None without.
        """
        if not self.config.enabled or not frame.faces:
            self._forget()
            return frame
        camera = camera or Camera.assumed(frame.shape_hw, self.config.assumed_fov_deg)
        found = head_poses(
            np.stack([face.landmarks for face in frame.faces]),
            camera,
            self.config.eye_distance_mm * 1e-3,
            [self._poses.get(face.track_id) for face in frame.faces],
        )
        rows = {track_id: row for row, track_id in enumerate(self._poses)}
        self._poses = {face.track_id: pose for face, pose in zip(frame.faces, found) if pose}
        self._turns = {key: self._turns.get(key, _Turns()) for key in self._poses}
        if not self._poses:
            return frame
        poses = dict(self._poses)
        for face in frame.faces:
            if depth_m is None or face.track_id not in poses:
                continue
            depth = face_depth(depth_m, face.box_xyxy, frame.shape_hw)
            if depth is not None:
                poses[face.track_id] = moved_to_depth(
                    poses[face.track_id], *depth, is_calibrated=camera.is_calibrated
                )
        smoothed = self._smoothed(poses, [rows.get(key, -1) for key in poses], frame.stamp_s)
        faces = [
            FaceEmotion(**{**vars(face), 'head': smoothed.get(face.track_id)})
            for face in frame.faces
        ]
        return FrameEmotions(**{**vars(frame), 'faces': tuple(faces)})

    def _smoothed(
        self, poses: dict[int, HeadPose], rows: list[int], stamp_s: float
    ) -> dict[int, HeadPose]:
        """Return the poses steady over time, with what the heads do; *rows* are the filter's."""
        positions = np.stack([pose.position_m for pose in poses.values()])
        rotations = np.stack([pose.rotation for pose in poses.values()])
        distances_m = _lengths(positions)
        # Direction, logarithm of the distance, turn: all about radians.
        states = np.hstack([positions / distances_m, np.log(distances_m), turns_of(rotations)])
        config = self.config
        states = self._filter.update(
            states, rows, stamp_s, config.min_cutoff_hz, config.speed_coefficient
        )
        directions = states[:, :3] / _lengths(states[:, :3])
        positions, rotations = directions * np.exp(states[:, 3:4]), rotations_of(states[:, 4:])
        nearest = math.cos(math.radians(config.looking_at_camera_deg))
        looks = ((rotations[:, :, 0] * -directions).sum(axis=1) >= nearest).tolist()
        return {
            key: HeadPose(
                **{
                    **vars(pose),
                    'position_m': position,
                    'rotation': rotation,
                    'is_looking_at_camera': is_looking,
                    'gesture': self._turns[key].gesture(yaw, pitch, stamp_s),
                }
            )
            for (key, pose), position, rotation, is_looking, (yaw, pitch, _) in zip(
                poses.items(), positions, rotations, looks, yaws_pitches_rolls_deg(rotations)
            )
        }


def _lengths(vectors: Float64Array) -> Float64Array:
    """Return the lengths of vectors (N, D) as (N, 1)."""
    lengths: Float64Array = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return lengths
