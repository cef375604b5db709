# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What of ourselves is timed, as fer_ros.measuring.worker wants it; peers are in benchmarks/."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, cycle

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import replace
from fer_ros.detection import make_detector
from fer_ros.recognition.alignment import align_faces
from fer_ros.recognition.classifier import make_classifier
from fer_ros.types import UInt8Array

Process = Callable[[UInt8Array], int]
System = tuple[str, Callable[[str, UInt8Array], Process]]
FRAME_S = 1 / 30


def library(threads: int = 0) -> System:
    """Return the whole, EmotionPipeline.process on a stream; *threads* 0 for the default."""
    changes = {'detection.threads': threads, 'classification.threads': threads} if threads else {}
    config = replace(PipelineConfig(), changes)
    first = EmotionPipeline(config)

    def make(_: str, __: UInt8Array) -> Process:
        # Each scene is a stream of its own: people of another one would be missed in it.
        pipeline = EmotionPipeline(config, first.detector, first.classifier)
        stamps_s = count(step=FRAME_S)
        return lambda image: len(pipeline.process(image, next(stamps_s)).faces)

    return f'{first.detector.name}, {first.classifier.card.id}', make


def detector() -> System:
    """Return the detector alone, searching every image."""
    config = PipelineConfig().detection
    alone = make_detector(config)
    return f'{config.backend}, every image searched, {config.threads} threads', lambda _, images: (
        lambda image: len(alone.detect(image))
    )


def classifier() -> System:
    """Return the emotion model alone, on faces cut out beforehand."""
    config = PipelineConfig()
    found_by, alone = make_detector(config.detection), make_classifier(config.classification)
    card = alone.card

    def make(_: str, images: UInt8Array) -> Process:
        found = [found_by.detect(image) for image in images]
        crops = cycle(
            [
                align_faces(image, faces, card.template_px, card.size_px, card.crop_channels).crops
                for image, faces in zip(images, found)
            ]
        )
        return lambda _: len(alone.classify(next(crops)))

    return alone.runtime.name, make
