# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs time or memory of a person: ids, smoothed probabilities, steady labels."""

from __future__ import annotations

import numpy as np

from fer_ros.config import PipelineConfig
from fer_ros.people.appearance import describe
from fer_ros.people.clock import StreamClock
from fer_ros.people.smoothing import EmotionSmoother
from fer_ros.people.tracking import FaceTracker
from fer_ros.people.turns import ReadingTurns
from fer_ros.types import EmotionScores, FaceEmotion, FoundFaces, FrameEmotions, Int64Array


class People:
    """Everybody in view of one camera, and those out of view for a moment.

    Attributes:
        clock: the stream's time, with counts of stamps that did not fit.
    """

    def __init__(self, config: PipelineConfig) -> None:
        """Start with nobody in view."""
        self.clock = StreamClock(config.tracking)
        self._tracker = FaceTracker(config.tracking)
        self._turns = ReadingTurns(config.classification)
        self._smoother = EmotionSmoother(config.smoothing)
        self._stamp_s = self._now_s = 0.0
        self._track_ids = np.zeros(0, np.int64)

    def reconfigure(self, config: PipelineConfig) -> None:
        """Adopt new settings between two frames."""
        self.clock.config = self._tracker.config = config.tracking
        self._turns.config = config.classification
        self._smoother.config = config.smoothing

    def forget_emotions(self) -> None:
        """Keep everybody's id, but not what their face said: another model reads it from now on."""
        self._turns.keep_only(())
        self._smoother.keep_only(())

    def identify(self, faces: FoundFaces, stamp_s: float) -> Int64Array:
        """Give the faces of a frame their ids; return which are to be read, int64 (K,) rows.

        Must also be called for frames without faces, so that people age.

        Args:
            faces: the frame's faces.
            stamp_s: seconds; see StreamClock for stamps that do not follow the last one.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        self._stamp_s = stamp_s
        self._now_s, jumped_back = self.clock.advance(stamp_s)
        if jumped_back:
            self._tracker.reset()
        looks = describe(faces.crops) if self._tracker.config.appearance else None
        self._track_ids = self._tracker.update(faces.detections.boxes_xyxy, self._now_s, looks)
        for memory in (self._turns, self._smoother):
            memory.keep_only(self._tracker.track_ids)
        return self._turns.due(self._track_ids, self._now_s)

    def update(
        self, faces: FoundFaces, rows: Int64Array, scores: EmotionScores, unknown_threshold: float
    ) -> FrameEmotions:
        """Return the frame that was identified last with smoothed probabilities and labels.

        Args:
            faces: the frame's faces.
            rows: int64 (K,); those that were read, all that ``identify`` asked for at least.
            scores: what they say, K rows.
            unknown_threshold: the smallest probability at which a new label is taken.
        """
        for row, probabilities in zip(rows, scores.probabilities):
            self._turns.keep(int(self._track_ids[row]), self._now_s, probabilities)
        order = np.argsort(self._track_ids, kind='stable')
        everybody = tuple(
            self._face(faces, row, scores.labels, unknown_threshold) for row in order
        )
        return FrameEmotions(
            self._stamp_s, faces.shape_hw, scores.labels, everybody, faces.timings_ms
        )

    def _face(
        self, faces: FoundFaces, row: int, labels: tuple[str, ...], unknown_threshold: float
    ) -> FaceEmotion:
        track_id, now_s = int(self._track_ids[row]), self._now_s
        raw = self._turns.last(track_id)
        smoothed = self._smoother.update(track_id, now_s, raw)
        self._turns.compare(track_id, smoothed)
        label = self._smoother.label(track_id, now_s, smoothed, labels, unknown_threshold)
        shown = labels.index(label) if label in labels else int(smoothed.argmax())
        return FaceEmotion(
            track_id=track_id,
            box_xyxy=faces.detections.boxes_xyxy[row],
            landmarks=faces.detections.landmarks[row],
            detection_score=float(faces.detections.scores[row]),
            raw_probabilities=raw,
            probabilities=smoothed,
            label=label,
            confidence=float(smoothed[shown]),
            quality=faces.quality[row],
        )
