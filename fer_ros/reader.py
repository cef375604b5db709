# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One image to the faces in it: everything that needs no memory of the image before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from fer_ros.config import ClassificationConfig, PipelineConfig, check_live
from fer_ros.detection import FaceDetector, make_detector
from fer_ros.detection.turning import detect_any_way_up
from fer_ros.geometry import clip_boxes
from fer_ros.recognition.alignment import align_faces
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from fer_ros.recognition.quality import assess_quality
from fer_ros.types import (
    FaceDetections,
    FaceReadings,
    FoundFaces,
    FrameEmotions,
    UInt8Array,
    check_image,
)


class FaceReader:
    """Detection, alignment, quality and classification of one image at a time, without state.

    Photos, services, uploads and data sets use it as it is; EmotionPipeline adds time.
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

    @property
    def config(self) -> PipelineConfig:
        """The settings in use."""
        return self._config

    def reconfigure(self, config: PipelineConfig) -> None:
        """Adopt new thresholds between two images.

        Raises:
            ValueError: a setting differs that is read only when the models are loaded.
        """
        check_live(self._config, config)
        self._config = config
        self.detector.config = config.detection

    def use_classifier(self, classifier: EmotionClassifier, config: ClassificationConfig) -> None:
        """Adopt another emotion model, which *config* describes, between two images."""
        self.classifier = classifier
        self._config = PipelineConfig(
            **{**vars(self._config), 'classification': config},
        )

    @property
    def still_classifier(self) -> EmotionClassifier:
        """What reads the faces of single images: they have no smoothing, but time for flip TTA."""
        flip = self._config.classification.flip_tta
        return self.classifier.with_flip_tta() if flip else self.classifier

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in the order of every probability vector."""
        return self.classifier.card.head()[0].labels

    @property
    def unknown_threshold(self) -> float:
        """The confidence below which a label is 'unknown': the setting, or the model card's."""
        threshold = self._config.classification.unknown_threshold
        return self.classifier.card.head()[0].unknown_threshold if threshold < 0 else threshold

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, unclipped, best score first.

        Boxes may reach beyond the image; those that do not touch it at all are left out.
        """
        found = self.detector.detect(image)
        visible = clip_boxes(found.boxes_xyxy, image.shape[:2])
        return found[np.flatnonzero((visible[:, 2:] > visible[:, :2]).all(axis=1))]

    def find(
        self, image: UInt8Array, detect: Callable[[UInt8Array], FaceDetections] | None = None
    ) -> FoundFaces:
        """Return every face of *image* cut out upright, and its quality.

        Args:
            image: uint8 (H, W, 3) BGR; not changed.
            detect: returns the faces of the image, unclipped; None for the method of that name.

        Raises:
            ValueError: the image has another shape or dtype, or no pixel.
        """
        check_image(image)
        timings_ms: dict[str, float] = {}
        card, shape_hw = self.classifier.card, image.shape[:2]
        with timed(timings_ms, 'detection'):
            detections = (detect or self.detect)(image)
        with timed(timings_ms, 'alignment'):
            aligned = align_faces(image, detections, card.template_px, card.size_px, channels=3)
            found = detections[aligned.source_index]
            quality = assess_quality(detections, aligned, shape_hw, self._config.quality)
        visible = FaceDetections(
            clip_boxes(found.boxes_xyxy, shape_hw), found.landmarks, found.scores
        )
        return FoundFaces(shape_hw, visible, tuple(quality), aligned.crops, timings_ms)

    def read(
        self, image: UInt8Array, detect: Callable[[UInt8Array], FaceDetections] | None = None
    ) -> FaceReadings:
        """Return every face of *image* with its probabilities and quality.

        Args and Raises: see find.
        """
        faces = self.find(image, detect)
        with timed(faces.timings_ms, 'classification'):
            scores = self.still_classifier.classify(faces.crops)
        return FaceReadings(**vars(faces), scores=scores)

    def read_photo(self, image: UInt8Array) -> FrameEmotions:
        """Return the faces of a single photo, numbered from 1, best detection score first.

        Where no face is certain, the photo is turned by eighths too, for people who lie or stand
        on their head.

        Args and Raises: see find.
        """
        readings = self.read(image, lambda photo: detect_any_way_up(self.detect, photo))
        return readings.to_frame(self.unknown_threshold)


@contextmanager
def timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Note in *timings_ms* how many milliseconds *stage* takes."""
    start = time.perf_counter()
    yield
    timings_ms[stage] = (time.perf_counter() - start) * 1e3
