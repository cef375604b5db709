# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good a model is on few faces, and how sure one can be of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_ros.evaluation import metrics
from fer_ros.types import BoolArray, Float32Array, Int64Array

Z = 1.96
"""Standard deviations of a 95 % interval."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Share:
    """Right predictions of a model.

    Attributes:
        right: number of faces whose class was predicted.
        faces: number of faces.
        balanced: mean of the classes' recalls.
    """

    right: int
    faces: int
    balanced: float

    @property
    def accuracy(self) -> float:
        """Return the share that is right."""
        return self.right / self.faces

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the accuracy."""
        share, wide = self.accuracy, Z * Z / self.faces
        middle = share + wide / 2
        reach = Z * math.sqrt(share * (1 - share) / self.faces + wide / (4 * self.faces))
        return (middle - reach) / (1 + wide), (middle + reach) / (1 + wide)

    def __str__(self) -> str:
        """Return '51 of 60 (85 %; 95 % interval 74 to 92 %)'."""
        low, high = self.interval
        return (
            f'{self.right} of {self.faces} ({self.accuracy:.0%}; '
            f'95 % interval {100 * low:.0f} to {high:.0%})'
        )


def share_right(logits: Float32Array, targets: Int64Array) -> Share:
    """Return how many rows of float32 (N, C) are highest at *targets*, int64 (N,)."""
    matrix = metrics.confusion_matrix(targets, logits.argmax(axis=1), logits.shape[1])
    balanced = metrics.balanced_accuracy(matrix) or 0.0
    return Share(int(np.trace(matrix)), len(targets), balanced)


def gain_interval(own: BoolArray, other: BoolArray, groups: Int64Array) -> tuple[float, float]:
    """Return the 95 % interval of how much more often *own* is right than *other*.

    By resampling groups of faces that belong together.

    Args:
        own: bool (N,), whether a prediction is right.
        other: the same of another model, for the same faces.
        groups: int64 (N,), numbered from 0.
    """
    gains = np.bincount(groups, own.astype(float) - other.astype(float))
    sizes = np.bincount(groups)
    drawn = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    low, high = np.percentile(gains[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def measurement(
    probabilities: Float32Array, targets: Int64Array, labels: tuple[str, ...]
) -> dict[str, Any]:
    """Return the figures that a card keeps under ``about.metrics``."""
    matrix = metrics.confusion_matrix(targets, probabilities.argmax(axis=1), len(labels))
    return {
        'accuracy': metrics.accuracy(matrix),
        'balanced_accuracy': metrics.balanced_accuracy(matrix),
        'expected_calibration_error': metrics.expected_calibration_error(probabilities, targets),
        'count': len(targets),
        'labels': list(labels),
        'confusion_matrix': matrix.tolist(),
        'per_class': metrics.per_class(matrix, labels),
    }
