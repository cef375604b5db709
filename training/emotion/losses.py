# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One loss for all heads: cross-entropy with soft targets, and what evens out rare classes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from fer_ros.types import Float32Array
from training.emotion.batches import class_shares
from training.emotion.config import RunConfig


class HeadsLoss(keras.losses.Loss):
    """Sum over heads of the cross-entropy of logits with class shares.

    Keras's own focal cross-entropy knows one head, whose targets sum to 1. Here a head whose
    targets are all zero (a face without that kind of label) adds nothing, and targets multiplied
    by a weight weigh as much.

    Args:
        edges: columns at which a head ends and the next one begins.
        focal_gamma: how much easy faces count less (arXiv 1708.02002); 0 for none.
        log_priors: float32 (sum of columns,) added to the logits in training, so that without it
            its predictions are those of evenly frequent classes (arXiv 2007.07314); None for none.
    """

    def __init__(
        self,
        edges: list[int],
        focal_gamma: float = 0.0,
        log_priors: Float32Array | None = None,
    ) -> None:
        """Keep the settings."""
        super().__init__(name='heads_loss')
        self.edges, self.focal_gamma, self.log_priors = edges, focal_gamma, log_priors

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each face, (N,)."""
        if self.log_priors is not None:
            y_pred = y_pred + ops.convert_to_tensor(self.log_priors, y_pred.dtype)
        heads = ops.split(y_pred, self.edges, axis=-1) if self.edges else [y_pred]
        log_p = ops.concatenate([ops.log_softmax(one, axis=-1) for one in heads], axis=-1)
        if self.focal_gamma:
            y_true = y_true * (1 - ops.exp(log_p)) ** self.focal_gamma
        return -ops.sum(y_true * log_p, axis=-1)


def effective_class_weights(shares: Float32Array, power: float) -> Float32Array:
    """Return weights (share)^-power, scaled so that the average face weighs 1.

    power 0 is no weighting, 1 makes every class weigh the same; a class without faces weighs 0.
    """
    weights = np.zeros_like(shares)
    there = shares > 0
    weights[there] = shares[there] ** -power
    return (weights / float((weights * shares).sum())).astype(np.float32)


def make_loss(targets: Float32Array, config: RunConfig) -> HeadsLoss:
    """Return the loss of a run; *targets*, float32 (N, K), say how frequent each class is."""
    balance, edges, priors = config.balance, [], []
    for _, columns in config.head_columns():
        edges.append(columns.stop)
        shares = np.maximum(class_shares(targets[:, columns]), 1e-6)
        priors.append(balance.strength * np.log(shares))
    return HeadsLoss(
        edges[:-1],
        focal_gamma=balance.strength if balance.method == 'focal' else 0.0,
        log_priors=np.concatenate(priors) if balance.method == 'logit_adjustment' else None,
    )


def learned_targets(targets: Float32Array, config: RunConfig) -> Float32Array:
    """Return float32 (N, K): targets with label smoothing and the weights of their classes."""
    smoothing, learned = config.optimization.label_smoothing, targets.copy()
    for _, columns in config.head_columns():
        given = targets[:, columns]
        mass = given.sum(axis=1, keepdims=True)
        learned[:, columns] = (1 - smoothing) * given + smoothing * mass / given.shape[1]
        if config.balance.method == 'class_weights':
            shares = class_shares(given)
            learned[:, columns] *= effective_class_weights(shares, config.balance.strength)
    return learned
