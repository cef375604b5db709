# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs time or memory of a person: ids, smoothed probabilities, steady labels."""

from __future__ import annotations

import numpy as np

from fer_ros.config import SmoothingConfig, TrackingConfig
from fer_ros.people.appearance import describe
from fer_ros.people.clock import StreamClock
from fer_ros.people.smoothing import EmotionSmoother
from fer_ros.people.tracking import FaceTracker
from fer_ros.types import FaceEmotion, FaceReadings, FrameEmotions


class People:
    """Everybody in view of one camera, and those out of view for a moment.

    Attributes:
        clock: the stream's time, with counts of stamps that did not fit.
    """

    def __init__(self, tracking: TrackingConfig, smoothing: SmoothingConfig) -> None:
        """Start with nobody in view."""
        self.clock = StreamClock(tracking)
        self._tracker = FaceTracker(tracking)
        self._smoother = EmotionSmoother(smoothing)

    def reconfigure(self, tracking: TrackingConfig, smoothing: SmoothingConfig) -> None:
        """Adopt new settings between two frames."""
        self.clock.config = tracking
        self._tracker.config = tracking
        self._smoother.config = smoothing

    def forget_emotions(self) -> None:
        """Keep everybody's id, but not what their face said: another model reads it from now on."""
        self._smoother.keep_only(())

    def update(
        self, readings: FaceReadings, stamp_s: float, unknown_threshold: float
    ) -> FrameEmotions:
        """Return the faces of one frame with ids, smoothed probabilities and labels.

        Must also be called for frames without faces, so that people age.

        Args:
            readings: the frame's faces.
            stamp_s: seconds; see StreamClock for stamps that do not follow the last one.
            unknown_threshold: the smallest probability at which a new label is taken.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        now_s, jumped_back = self.clock.advance(stamp_s)
        if jumped_back:
            self._tracker.reset()
        detections, scores = readings.detections, readings.scores
        looks = describe(readings.crops) if self._tracker.config.appearance else None
        track_ids = self._tracker.update(detections.boxes_xyxy, now_s, looks)
        self._smoother.keep_only(self._tracker.track_ids)
        faces = []
        for row in np.argsort(track_ids, kind='stable'):
            raw, track_id = scores.probabilities[row], int(track_ids[row])
            smoothed = self._smoother.update(track_id, now_s, raw)
            label = self._smoother.label(
                track_id, now_s, smoothed, scores.labels, unknown_threshold
            )
            named = label in scores.labels
            faces.append(
                FaceEmotion(
                    track_id=track_id,
                    box_xyxy=detections.boxes_xyxy[row],
                    landmarks=detections.landmarks[row],
                    detection_score=float(detections.scores[row]),
                    raw_probabilities=raw,
                    probabilities=smoothed,
                    label=label,
                    confidence=float(
                        smoothed[scores.labels.index(label)] if named else smoothed.max()
                    ),
                    quality=readings.quality[row],
                )
            )
        return FrameEmotions(
            stamp_s, readings.shape_hw, scores.labels, tuple(faces), readings.timings_ms
        )
