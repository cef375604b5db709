# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNetV2-B0 (arXiv 2104.00298)."""

from __future__ import annotations

from typing import Any

import keras

from training.emotion.architectures.transfer import on_backbone


def build(inputs: Any, columns: int, weights: str = '', dropout: float = 0.2) -> Any:
    """Return logits (N, columns).

    Args:
        inputs: (N, S, S, channels), S at least 32.
        columns: number of logits.
        weights: '', 'imagenet' or a file; see training.emotion.architectures.transfer.
        dropout: before the classifier.
    """
    return on_backbone(
        keras.applications.EfficientNetV2B0,
        inputs,
        columns,
        weights,
        dropout,
        include_preprocessing=False,
    )
