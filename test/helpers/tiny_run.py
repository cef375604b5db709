# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A training run of seconds: drawn faces and the configuration of a tiny network."""

from __future__ import annotations

import cv2
import numpy as np

TINY = {
    'name': 'tiny',
    'sets': [{'path': 'faces.csv'}],
    'heads': [{'name': 'fer2013', 'kind': 'fer2013'}],
    'model': {
        'architecture': 'residual',
        'options': {'widths': [8, 16], 'blocks': [1, 1], 'stem': 4, 'dropout': 0.0},
    },
    'optimization': {
        'epochs': 2,
        'batch_size': 32,
        'schedule': 'constant',
        'learning_rate': 0.05,
        'precision': 'float32',
        'warmup_epochs': 0.0,
        'weight_average': 0.5,
    },
}


def drawn_face(label: int, rng: np.random.Generator) -> np.ndarray:
    """A smiley whose mouth bends by its class."""
    face = np.full((48, 48), int(rng.integers(150, 220)), np.uint8)
    for x in (15, 32):
        cv2.circle(face, (x, 18), 3, 30, -1)
    bend = (label - 3) * 3
    points = [(x, int(36 + bend * (1 - ((x - 24) / 9) ** 2))) for x in range(15, 34)]
    cv2.polylines(face, [np.array(points, np.int32)], False, 30, 2)
    return face
