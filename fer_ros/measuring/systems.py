# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What of ourselves is timed, as fer_ros.measuring.worker wants it; peers are in benchmarks/."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from fer_ros import EmotionPipeline
from fer_ros.config import PipelineConfig
from fer_ros.detection import make_detector
from fer_ros.recognition.alignment import align_faces
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from fer_ros.types import UInt8Array

Process = Callable[[UInt8Array], int]
System = tuple[str, Callable[[str, UInt8Array], Process]]
FRAME_S = 1 / 30


def library() -> System:
    """Return the whole: EmotionPipeline.process, tracking and smoothing included."""
    pipeline = EmotionPipeline()
    stamp_s = 0.0

    def process(image: UInt8Array) -> int:
        nonlocal stamp_s
        stamp_s += FRAME_S
        return len(pipeline.process(image, stamp_s).faces)

    about = f'{pipeline.detector.name}, {pipeline.classifier.card.id}'
    return about, lambda name, images: process


def detector() -> System:
    """Return the detector alone."""
    config = PipelineConfig().detection
    alone = make_detector(config)
    return f'{config.backend}, {config.threads} threads', lambda name, images: (
        lambda image: len(alone.detect(image))
    )


def classifier() -> System:
    """Return the emotion model alone, on faces cut out beforehand."""
    alone, make = _on_prepared_faces(with_detector=False)
    return alone.runtime.name, make


def both_in_turn() -> System:
    """Return detector, then emotion model on faces cut out beforehand: the whole without glue."""
    return 'the two alone, in one process', _on_prepared_faces(with_detector=True)[1]


def _on_prepared_faces(
    with_detector: bool,
) -> tuple[EmotionClassifier, Callable[[str, UInt8Array], Process]]:
    config = PipelineConfig()
    found_by, alone = make_detector(config.detection), make_classifier(config.classification)
    card = alone.card

    def make(name: str, images: UInt8Array) -> Process:
        found = [found_by.detect(image) for image in images]
        crops = cycle(
            [
                align_faces(image, faces, card.template_px, card.size_px, card.crop_channels).crops
                for image, faces in zip(images, found)
            ]
        )

        def process(image: UInt8Array) -> int:
            if with_detector:
                found_by.detect(image)
            return len(alone.classify(next(crops)))

        return process

    return alone, make
