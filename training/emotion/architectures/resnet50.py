# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ResNet50 (arXiv 1512.03385): large, for teachers rather than robots."""

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
        keras.applications.ResNet50,
        inputs,
        columns,
        weights,
        dropout,
    )
