# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole idea on one screen: an image in, the people in view and their expressions out."""

from __future__ import annotations

import warnings
from functools import partial

from fer_ros.config import ClassificationConfig, PipelineConfig
from fer_ros.detection import FaceDetector
from fer_ros.detection.following import FaceFollower
from fer_ros.people import People
from fer_ros.people.heads import Heads
from fer_ros.reader import FaceReader, timed
from fer_ros.recognition.classifier import EmotionClassifier
from fer_ros.types import Camera, Float32Array, FrameEmotions, UInt8Array


class EmotionPipeline:
    """Reads the faces of a stream of images and follows the people in it.

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
        config = config or PipelineConfig()
        self.reader = FaceReader(config, detector, classifier)
        in_crops = getattr(self.reader.detector, 'detect_in_crops', None)
        self.follower = FaceFollower(self.reader.detect, config.detection, in_crops)
        self.people = People(config)
        self.heads = Heads(config.head_pose)

    def process(
        self,
        image: UInt8Array,
        stamp_s: float,
        camera: Camera | None = None,
        depth_m: Float32Array | None = None,
    ) -> FrameEmotions:
        """Return everybody in view and their expressions.

        Args:
            image: uint8 (H, W, 3) BGR; not changed.
            stamp_s: the image's time in seconds. A little before the newest one's it is a late
                image; further back (``tracking.max_jitter_s``) time has jumped, as in a bag that
                loops, and everybody gets a new id. ``people.clock`` counts both.
            camera: that took the image; None where it is not calibrated.
            depth_m: float32 (h, w) metres along the camera's axis, registered to the image and of
                any resolution; NaN for holes. None to go by the size of faces.

        Raises:
            ValueError: the image has another shape or dtype, or no pixel, or the stamp is not a
                finite number.
        """
        faces = self.reader.find(image, partial(self.follower.detect, stamp_s=stamp_s))
        with timed(faces.timings_ms, 'tracking'):
            due = self.people.identify(faces, stamp_s)
        with timed(faces.timings_ms, 'classification'):
            scores = self.classifier.classify(faces.crops[due])
        with timed(faces.timings_ms, 'smoothing'):
            frame = self.people.update(faces, due, scores, self.unknown_threshold)
        with timed(faces.timings_ms, 'head pose'):
            return self.heads.update(frame, camera, depth_m)

    def process_photo(self, image: UInt8Array) -> FrameEmotions:
        """Return what ``reader.read_photo`` returns; this name goes with 0.3."""
        warnings.warn('use pipeline.reader.read_photo', DeprecationWarning, stacklevel=2)
        return self.reader.read_photo(image)

    def reconfigure(self, config: PipelineConfig) -> None:
        """Adopt new thresholds between two frames; models stay as they are loaded.

        Raises:
            ValueError: a setting differs that is read only when the models are loaded.
        """
        self.reader.reconfigure(config)
        self.follower.config = config.detection
        self.people.reconfigure(config)
        self.heads.config = config.head_pose

    def use_classifier(self, classifier: EmotionClassifier, config: ClassificationConfig) -> None:
        """Adopt another emotion model between two frames; everybody keeps their id."""
        self.reader.use_classifier(classifier, config)
        self.people.forget_emotions()

    @property
    def config(self) -> PipelineConfig:
        """The settings in use."""
        return self.reader.config

    @property
    def detector(self) -> FaceDetector:
        """What finds the faces."""
        return self.reader.detector

    @property
    def classifier(self) -> EmotionClassifier:
        """What classifies aligned faces: ``pipeline.classifier.classify(crops)``."""
        return self.reader.classifier

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in the order of every probability vector."""
        return self.reader.labels

    @property
    def unknown_threshold(self) -> float:
        """The confidence below which a label is 'unknown': the setting, or the model card's."""
        return self.reader.unknown_threshold
