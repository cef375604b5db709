# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Time per face of emotion models against YuNet-s at 320x240, one thread each, in one run.

    python benchmarks/model_time.py [CARD ...] --yunet face_detection_yunet_2023mar.onnx

Without a card the shipped model is measured. The two take turns, and processor time is counted, so
that the ratio holds on a machine that others use.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_ros.config import ClassificationConfig
from fer_ros.images.demo import demo_photos
from fer_ros.recognition.classifier import make_classifier

ROUNDS, WARM_UP = 300, 50


def median_ms(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the median processor time of each call in ms; the calls take turns."""
    times = np.zeros((ROUNDS, len(calls)))
    for row in times:
        for column, call in enumerate(calls):
            start = time.process_time_ns()
            call()
            row[column] = (time.process_time_ns() - start) / 1e6
    return [float(value) for value in np.median(times[WARM_UP:], axis=0)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one JSON line a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('cards', nargs='*', help='model cards (default: the shipped model)')
    parser.add_argument('--yunet', type=Path, required=True, help='the ONNX file of YuNet-s')
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    photo = cv2.resize(demo_photos()[0], (320, 240))
    yunet = cv2.FaceDetectorYN.create(str(options.yunet), '', (320, 240), 0.6)
    face = np.random.default_rng(0).integers(0, 256, (1, 48, 48)).astype(np.uint8)
    for card in options.cards or ['default']:
        classifier = make_classifier(ClassificationConfig(model=card, threads=1))
        calls: list[Callable[[], object]] = [
            functools.partial(classifier.classify, face),
            functools.partial(yunet.detect, photo),
        ]
        model_ms, yunet_ms = median_ms(calls)
        print(
            json.dumps(
                {
                    'model': classifier.card.id,
                    'mirror': classifier.card.mirror,
                    'face_ms': round(model_ms, 3),
                    'yunet_s_320x240_ms': round(yunet_ms, 3),
                    'ratio': round(model_ms / yunet_ms, 3),
                }
            )
        )


if __name__ == '__main__':
    main()
