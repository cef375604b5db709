# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MobileNetV3 (arXiv 1905.02244): the usual choice for phones."""

from __future__ import annotations

from typing import Any

import keras

from training.emotion.architectures.transfer import on_backbone


def build(
    inputs: Any, columns: int, weights: str = '', alpha: float = 1.0, dropout: float = 0.2
) -> Any:
    """Return logits (N, columns).

    Args:
        inputs: (N, S, S, channels), S at least 32.
        columns: number of logits.
        weights: '', 'imagenet' or a file; see training.emotion.architectures.transfer.
        alpha: factor of all widths; 0.75 and 1.0 have ImageNet weights.
        dropout: before the classifier.
    """
    return on_backbone(
        keras.applications.MobileNetV3Small,
        inputs,
        columns,
        weights,
        dropout,
        alpha=alpha,
        include_preprocessing=False,
    )
