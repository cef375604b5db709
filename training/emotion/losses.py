# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One loss for all heads: cross-entropy with soft targets, and what evens out rare classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from fer_ros.types import Float32Array


class HeadsLoss(keras.losses.Loss):
    """Sum over heads of the cross-entropy of logits with class shares.

    A head whose targets are all zero (a face without that kind of label) adds nothing, and targets
    multiplied by a weight weigh as much.

    Args:
        columns: width of each head, in column order.
        label_smoothing: share of each target spread evenly over the head's classes.
        focal_gamma: how much easy faces count less (arXiv 1708.02002); 0 for none.
        class_weights: float32 (sum of columns,) factors of each class.
        log_priors: float32 (sum of columns,) added to the logits in training, so that without it
            its predictions are those of evenly frequent classes (arXiv 2007.07314); None for none.
    """

    def __init__(
        self,
        columns: Sequence[int],
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        class_weights: Float32Array | None = None,
        log_priors: Float32Array | None = None,
    ) -> None:
        """Keep the settings."""
        super().__init__(name='heads_loss')
        self.columns = tuple(columns)
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma
        self.class_weights = class_weights
        self.log_priors = log_priors

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each face, (N,)."""
        if self.log_priors is not None:
            y_pred = y_pred + ops.convert_to_tensor(self.log_priors, y_pred.dtype)
        total = 0.0
        start = 0
        for width in self.columns:
            stop = start + width
            targets = y_true[:, start:stop]
            if self.label_smoothing:
                mass = ops.sum(targets, axis=-1, keepdims=True)
                targets = (1 - self.label_smoothing) * targets
                targets = targets + mass * (self.label_smoothing / width)
            if self.class_weights is not None:
                weights = ops.convert_to_tensor(self.class_weights[start:stop], targets.dtype)
                targets = targets * weights
            log_p = ops.log_softmax(y_pred[:, start:stop], axis=-1)
            if self.focal_gamma:
                targets = targets * (1 - ops.exp(log_p)) ** self.focal_gamma
            total = total - ops.sum(targets * log_p, axis=-1)
            start = stop
        return total


def effective_class_weights(shares: Float32Array, power: float) -> Float32Array:
    """Return weights (share)^-power, scaled so that the average face weighs 1.

    power 0 is no weighting, 1 makes every class weigh the same; a class without faces weighs 0.
    """
    weights = np.zeros_like(shares)
    there = shares > 0
    weights[there] = shares[there] ** -power
    return (weights / float((weights * shares).sum())).astype(np.float32)
