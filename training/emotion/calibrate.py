# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Confidence that means something: temperature and class biases, and when to say 'unknown'.

Everywhere *logits* are float32 (N, C) of faces that were not trained on, *targets* int64 (N,).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_ros.data.face_set import NO_LABEL
from fer_ros.models.card import OutputHead
from fer_ros.recognition.classifier import softmax
from fer_ros.types import Float32Array, Int64Array

BIAS_DEVIATION = 0.1
"""Holds class biases near 0, the more the fewer faces there are. Of 0.1 to 5 this did best on
PublicTest, each tenth of it measured with biases of the other nine."""
HIGHEST_TEMPERATURE = 20.0
MAX_STEPS = 50


def calibrated(head: OutputHead, logits: Float32Array, targets: Int64Array) -> OutputHead:
    """Return *head* with temperature and threshold fitted where the target is not NO_LABEL."""
    rows = np.flatnonzero(targets != NO_LABEL)
    temperature = fit_temperature(logits[rows], targets[rows])
    threshold = fit_unknown_threshold(softmax(logits[rows], temperature), targets[rows])
    return dataclasses.replace(head, temperature=temperature, unknown_threshold=threshold)


def fit_temperature(logits: Float32Array, targets: Int64Array) -> float:
    """Return the temperature under which the labels are most likely (arXiv 1706.04599)."""
    return round(float(1 / _most_likely(logits[..., None], targets, np.zeros(1))[0]), 4)


def fit_class_biases(logits: Float32Array, targets: Int64Array) -> Float32Array:
    """Return float32 (C,) what to add to the logits so that the labels are most likely.

    A network taught by shares of votes says how many people would choose each class; biases make of
    it how often each class is the plurality. Temperature and biases are fitted together
    (arXiv 1901.06852, "bias-corrected temperature scaling").
    """
    count, width = logits.shape
    classes = np.broadcast_to(np.eye(width), (count, width, width))
    prior = np.full(1 + width, 1 / (count * BIAS_DEVIATION**2))
    prior[0] = 0.0
    scale, *biases = _most_likely(np.concatenate([logits[..., None], classes], 2), targets, prior)
    shifts = np.array(biases) / scale
    return (shifts - shifts.mean()).astype(np.float32)


def _most_likely(parts: np.ndarray, targets: Int64Array, prior: np.ndarray) -> np.ndarray:
    """Return the factors (K,) of *parts*, (N, C, K), whose sums are the likeliest logits.

    The first factor is the inverse temperature; *prior*, (K,), is the weight of each factor's
    square in the loss. Newton's method; the problem is convex.
    """
    count, width, _ = parts.shape
    one_hot = np.eye(width)[targets]

    def loss(factors: np.ndarray) -> float:
        likely = (_log_softmax(parts @ factors) * one_hot).sum() / count
        return float((prior * factors**2).sum() / 2 - likely)

    factors = np.eye(parts.shape[2])[0]
    for _ in range(MAX_STEPS):
        chances = np.exp(_log_softmax(parts @ factors))
        gradient = np.tensordot(chances - one_hot, parts, 2) / count + prior * factors
        weighed = chances[..., None] * parts
        means = weighed.sum(axis=1)
        curvature = np.tensordot(weighed, parts, ([0, 1], [0, 1])) - means.T @ means
        step = np.linalg.solve(curvature / count + np.diag(prior + 1e-9), gradient)
        while np.abs(step).max() > 1e-6 and loss(factors - step) > loss(factors):
            step /= 2
        factors = factors - step
        factors[0] = np.clip(factors[0], 1 / HIGHEST_TEMPERATURE, HIGHEST_TEMPERATURE)
        if np.abs(step).max() < 1e-6:
            break
    return factors


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the softmax over the last axis."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))


def fit_unknown_threshold(probabilities: Float32Array, targets: Int64Array) -> float:
    """Return the confidence below which a prediction is better left out.

    A right one counts +1, a wrong one -1, 'unknown' nothing; the threshold with the best sum is
    where predictions turn from more often wrong to more often right.
    """
    confidence = probabilities.max(axis=1)
    gain = np.where(probabilities.argmax(axis=1) == targets, 1, -1)
    order = np.argsort(-confidence, kind='stable')
    return round(float(confidence[order[np.cumsum(gain[order]).argmax()]]), 4)
