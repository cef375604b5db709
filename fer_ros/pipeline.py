# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole idea on one screen: image in, who is there and what their face says out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fer_ros.alignment import align_faces
from fer_ros.classification import EmotionClassifier, make_classifier
from fer_ros.config import ClassificationConfig, PipelineConfig
from fer_ros.detection import FaceDetector, make_detector
from fer_ros.geometry import clip_boxes
from fer_ros.quality import assess_quality
from fer_ros.smoothing import EmotionSmoother
from fer_ros.tracking import FaceTracker
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array, check_image


class EmotionPipeline:
    """Detection, alignment, quality, classification, tracking and smoothing of a stream of images.

    One pipeline serves one camera; it is not safe to call from two threads at once.
    """

    def __init__(
        self,
        config: PipelineConfig | None = None,
        detector: FaceDetector | None = None,
        classifier: EmotionClassifier | None = None,
    ) -> None:
        """Load the models that *config* names, unless they are given.

        Raises:
            ModelError: weights or card are missing, damaged, or disagree.
        """
        self._config = config or PipelineConfig()
        self.detector = detector or make_detector(self._config.detection)
        self.classifier = classifier or make_classifier(self._config.classification)
        self.tracker = FaceTracker(self._config.tracking)
        self.smoother = EmotionSmoother(self._config.smoothing)
        self._last_stamp_s = -np.inf

    @property
    def config(self) -> PipelineConfig:
        """The settings in use."""
        return self._config

    def reconfigure(self, config: PipelineConfig) -> None:
        """Take over new thresholds between two frames; models stay as they are loaded."""
        self._config = config
        self.detector.config = config.detection
        self.tracker.config = config.tracking
        self.smoother.config = config.smoothing

    def use_classifier(self, classifier: EmotionClassifier, config: ClassificationConfig) -> None:
        """Take over another emotion model between two frames; everybody keeps their id."""
        self.classifier = classifier
        self._config = dataclasses.replace(self._config, classification=config)
        self.smoother.keep_only(())

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in the order of every probability vector."""
        return self.classifier.card.head()[0].labels

    @property
    def unknown_threshold(self) -> float:
        """The confidence below which a label is 'unknown': the setting, or the model card's."""
        threshold = self._config.classification.unknown_threshold
        return self.classifier.card.head()[0].unknown_threshold if threshold < 0 else threshold

    def process(self, image: UInt8Array, stamp_s: float) -> FrameEmotions:
        """Return everybody in view and what their face says.

        Args:
            image: uint8 (H, W, 3) BGR; not changed.
            stamp_s: the image's time in seconds. If it lies before the last one's, time has jumped
                back (a bag that loops), and people are counted anew.

        Raises:
            ValueError: the image has another shape or dtype, or no pixel.
        """
        check_image(image)
        if stamp_s < self._last_stamp_s:
            self.tracker.reset()
        self._last_stamp_s = stamp_s
        timings_ms: dict[str, float] = {}
        card, shape_hw = self.classifier.card, image.shape[:2]
        with _timed(timings_ms, 'detection'):
            detections = self.detector.detect(image)
        with _timed(timings_ms, 'alignment'):
            aligned = align_faces(image, detections, card.template_px, card.size_px, card.channels)
            quality = assess_quality(detections, aligned, shape_hw, self._config.quality)
        with _timed(timings_ms, 'classification'):
            scores = self.classifier.classify(aligned.crops)
        with _timed(timings_ms, 'tracking'):
            found = detections[aligned.source_index]
            track_ids = self.tracker.update(found.boxes_xyxy, stamp_s)
            self.smoother.keep_only(self.tracker.track_ids)
            boxes_xyxy = clip_boxes(found.boxes_xyxy, shape_hw)
            faces = []
            for row in np.argsort(track_ids, kind='stable'):
                raw, person = scores.probabilities[row], int(track_ids[row])
                smoothed = self.smoother.update(person, stamp_s, raw)
                faces.append(
                    FaceEmotion(
                        track_id=person,
                        box_xyxy=boxes_xyxy[row],
                        landmarks=found.landmarks[row],
                        detection_score=float(found.scores[row]),
                        raw_probabilities=raw,
                        probabilities=smoothed,
                        label=self.smoother.label(
                            person, smoothed, scores.labels, self.unknown_threshold
                        ),
                        confidence=float(smoothed.max()),
                        quality=quality[row],
                    )
                )
        return FrameEmotions(stamp_s, shape_hw, scores.labels, tuple(faces), timings_ms)

    def process_photo(self, image: UInt8Array) -> FrameEmotions:
        """Return what one photo says, unrelated to any image before: nothing is smoothed.

        Args and Raises: see process.
        """
        self.tracker.reset()
        return self.process(image, 0.0)


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings_ms[stage] = (time.perf_counter() - start) * 1e3
