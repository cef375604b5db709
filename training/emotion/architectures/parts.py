# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What several architectures share."""

from __future__ import annotations

from typing import Any

from keras import layers


def conv_bn(x: Any, width: int, size: int, stride: int = 1, activation: str | None = 'relu') -> Any:
    """Return a convolution without bias, batch normalisation and an activation."""
    x = layers.Conv2D(
        width,
        size,
        strides=stride,
        padding='same',
        use_bias=False,
        kernel_initializer='he_normal',
    )(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation(activation)(x) if activation else x


def classifier(x: Any, columns: int, dropout: float) -> Any:
    """Return float32 logits (N, columns) from features (N, H, W, C)."""
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    return layers.Dense(columns, dtype='float32', name='logits')(x)
