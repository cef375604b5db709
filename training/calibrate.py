# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Confidence that means something: a temperature a head, and when to say 'unknown'."""

from __future__ import annotations

import numpy as np

from fer_ros.classification import softmax
from fer_ros.types import Float32Array, Int64Array


def fit_temperature(logits: Float32Array, truth: Int64Array) -> float:
    """Return the temperature under which the labels are most likely (arXiv 1706.04599).

    Args:
        logits: float32 (N, C) of faces that were not trained on.
        truth: int64 (N,).
    """

    def loss(log_temperature: float) -> float:
        chances = softmax(logits, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return -float(np.log(np.maximum(chances, 1e-12)).mean())

    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    left_loss, right_loss = loss(left), loss(right)
    while high - low > 1e-4:
        if left_loss < right_loss:
            high, right, right_loss = right, left, left_loss
            left = high - ratio * (high - low)
            left_loss = loss(left)
        else:
            low, left, left_loss = left, right, right_loss
            right = low + ratio * (high - low)
            right_loss = loss(right)
    return round(float(np.exp((low + high) / 2)), 4)


def fit_unknown_threshold(probabilities: Float32Array, truth: Int64Array) -> float:
    """Return the confidence below which an answer is better left out.

    A right answer counts +1, a wrong one -1, 'unknown' nothing; the threshold with the best sum is
    where answers turn from more often wrong to more often right.
    """
    confidence = probabilities.max(axis=1)
    gain = np.where(probabilities.argmax(axis=1) == truth, 1, -1)
    order = np.argsort(-confidence, kind='stable')
    sums = np.cumsum(gain[order])
    best = int(sums.argmax())
    return round(float(confidence[order[best]]), 4)
