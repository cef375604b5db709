# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The plain convolutional network that most tutorials on FER2013 train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from training.emotion.architectures.parts import conv_bn


def build(
    inputs: Any,
    columns: int,
    widths: Sequence[int] = (32, 64, 128),
    hidden: int = 256,
    dropout: float = 0.5,
) -> Any:
    """Return logits (N, columns): pairs of 3x3 convolutions, pooling, one hidden layer.

    Args:
        inputs: (N, S, S, channels); S is fixed, for the hidden layer sees every position.
        columns: number of logits.
        widths: channels of each pair.
        hidden: units of the hidden layer.
        dropout: before the classifier.
    """
    x = inputs
    for width in widths:
        x = conv_bn(x, width, 3)
        x = conv_bn(x, width, 3)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(hidden, activation='relu')(x)
    x = layers.Dropout(dropout)(x)
    return layers.Dense(columns, dtype='float32', name='logits')(x)
