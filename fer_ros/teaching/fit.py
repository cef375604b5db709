# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A last layer fitted to few faces: multinomial logistic regression drawn towards a known one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_ros.data.groups import folds
from fer_ros.recognition.classifier import softmax
from fer_ros.types import Float32Array, Int64Array

PULLS: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
"""How strongly the new layer is drawn towards the known one; the last hardly moves."""
STEPS = 120
TEMPERATURES = np.geomspace(0.25, 4, 41)
PRIOR_FACES = 50
"""Weight of the belief that the logits are calibrated already."""
MAX_FOLDS = 10
FOLDS_OF_MANY = 5
MANY_FACES = 400


@dataclass(frozen=True)
class LastLayer:
    """Features to logits.

    Attributes:
        kernel: float32 (features, classes).
        bias: float32 (classes,).
    """

    kernel: Float32Array
    bias: Float32Array

    def logits(self, features: Float32Array) -> Float32Array:
        """Return float32 (N, classes) of float32 (N, features)."""
        return features @ self.kernel + self.bias


def fit(features: Float32Array, targets: Int64Array, start: LastLayer, pull: float) -> LastLayer:
    """Return the layer under which *targets* are most likely, drawn towards *start* (1802.01483).

    Every class weighs the same, however many faces it has.

    Args:
        features: float32 (N, F).
        targets: int64 (N,), a class each.
        start: the layer to begin with.
        pull: weight of the squared distance to *start*, per face.
    """
    classes = len(start.bias)
    weights = 1 / np.maximum(np.bincount(targets, minlength=classes), 1)
    return fit_shares(features, np.eye(classes)[targets], weights[targets], start, pull)


def fit_shares(
    features: Float32Array, shares: np.ndarray, weights: np.ndarray, start: LastLayer, pull: float
) -> LastLayer:
    """Return the layer whose probabilities come closest to *shares*, drawn towards *start*.

    The problem is convex; it is solved by Nesterov's accelerated gradient descent.

    Args:
        features: float32 (N, F).
        shares: (N, classes), each row summing to 1.
        weights: (N,) of the faces.
        start: the layer to begin with.
        pull: weight of the squared distance to *start*, per face.
    """
    middle = features.mean(axis=0)
    spread = float(np.sqrt(((features - middle) ** 2).sum(axis=1).mean())) or 1.0
    inputs = np.column_stack([(features - middle) / spread, np.ones(len(features))])
    known = start.logits(features)
    weights = (weights / weights.sum())[:, None]
    change = np.zeros((inputs.shape[1], known.shape[1]))
    ahead, rate = change, 1 / (1.0 + pull)
    momentum = (1 - np.sqrt(pull * rate)) / (1 + np.sqrt(pull * rate))
    for _ in range(STEPS):
        wrong = softmax((known + inputs @ ahead).astype(np.float32), 1.0) - shares
        following = ahead - rate * (inputs.T @ (weights * wrong) + pull * ahead)
        ahead = following + momentum * (following - change)
        change = following
    kernel = start.kernel + change[:-1] / spread
    bias = start.bias + change[-1] - middle @ change[:-1] / spread
    return LastLayer(kernel.astype(np.float32), bias.astype(np.float32))


def choose_pull(
    features: Float32Array, targets: Int64Array, groups: Int64Array, start: LastLayer
) -> float:
    """Return the strongest pull under which held-back groups are about as likely as they can be.

    That is by one standard error of the difference to the best: little evidence changes little.
    """
    parts = folds(groups, targets, FOLDS_OF_MANY, seed=1)
    tested = [0] if len(targets) > MANY_FACES else range(int(parts.max()) + 1)

    def losses(pull: float) -> Float32Array:
        found = []
        for part in tested:
            rest, held = parts != part, parts == part
            if rest.any():
                layer = fit(features[rest], targets[rest], start, pull)
                chances = softmax(layer.logits(features[held]), 1.0)
                likely = chances[np.arange(len(chances)), targets[held]]
                found.append(-np.log(np.maximum(likely, 1e-6)))
        return np.concatenate(found) if found else np.zeros(1, np.float32)

    by_pull = {pull: losses(pull) for pull in PULLS}
    best = min(by_pull.values(), key=lambda one: float(one.mean()))

    def as_good(one: Float32Array) -> bool:
        worse = one - best
        return bool(worse.mean() <= worse.std() / np.sqrt(len(worse)))

    return max(pull for pull, one in by_pull.items() if as_good(one))


def fit_temperature(logits: Float32Array, targets: Int64Array) -> float:
    """Return the temperature under which *targets* are most likely, near 1 where they are few."""

    def loss(temperature: float) -> float:
        chances = softmax(logits, temperature)[np.arange(len(targets)), targets]
        doubt = PRIOR_FACES / 2 * np.log(temperature) ** 2
        return float(doubt - np.log(np.maximum(chances, 1e-6)).sum())

    return round(float(min(TEMPERATURES, key=loss)), 4)


def held_back_logits(
    features: Float32Array, targets: Int64Array, groups: Int64Array, start: LastLayer
) -> Float32Array:
    """Return float32 (N, classes): logits of each face by a layer that saw no face of its group."""
    count = FOLDS_OF_MANY if len(targets) > MANY_FACES else MAX_FOLDS
    if len(np.unique(groups)) <= 4 * MAX_FOLDS:
        count = len(targets)  # leave one group out
    parts = folds(groups, targets, count)
    result = np.zeros((len(targets), len(start.bias)), np.float32)
    for part in np.unique(parts):
        rest, held = parts != part, parts == part
        pull = choose_pull(features[rest], targets[rest], groups[rest], start)
        layer = fit(features[rest], targets[rest], start, pull)
        result[held] = layer.logits(features[held])
    return result
