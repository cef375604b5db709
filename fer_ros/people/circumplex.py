# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Valence and arousal, derived from class probabilities: means of classes, not measurements."""

from __future__ import annotations

import numpy as np

from fer_ros.types import Float32Array

VALENCE_AROUSAL: dict[str, tuple[float, float]] = {
    'angry': (-0.5, 0.8),
    'disgust': (-0.7, 0.3),
    'fear': (-0.6, 0.8),
    'happy': (0.9, 0.5),
    'sad': (-0.8, -0.4),
    'surprise': (0.2, 0.8),
    'neutral': (0.0, 0.0),
    'contempt': (-0.5, 0.2),
}
"""Where the classes lie on the circumplex (Russell 1980), roughly."""


def valence_arousal(probabilities: Float32Array, labels: tuple[str, ...]) -> tuple[float, float]:
    """Return the means of the classes' valence and arousal, weighted by probability, -1 to 1.

    A class of one's own counts as neutral.

    Args:
        probabilities: float32 (C,).
        labels: the C class names.
    """
    places = np.array([VALENCE_AROUSAL.get(label, (0.0, 0.0)) for label in labels])
    valence, arousal = np.clip(probabilities @ places, -1.0, 1.0)
    return float(valence), float(arousal)
