# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""mini-XCEPTION (arXiv 1710.07557): what most robots with an emotion model run today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from training.emotion.architectures.parts import classifier, conv_bn


def build(
    inputs: Any, columns: int, widths: Sequence[int] = (16, 32, 64, 128), dropout: float = 0.0
) -> Any:
    """Return logits (N, columns): separable convolutions in residual modules.

    Args:
        inputs: (N, S, S, channels).
        columns: number of logits.
        widths: channels of each module; every module halves the resolution.
        dropout: before the classifier.
    """
    x = conv_bn(inputs, 8, 3)
    x = conv_bn(x, 8, 3)
    for width in widths:
        # Every second pixel, then a convolution: oneDNN crashes on 1x1 kernels of stride 2 when
        # the number of faces is odd.
        around = conv_bn(layers.MaxPooling2D(1, strides=2)(x), width, 1, activation=None)
        x = _separable(x, width)
        x = layers.Activation('relu')(x)
        x = _separable(x, width)
        x = layers.MaxPooling2D(3, strides=2, padding='same')(x)
        x = layers.Add()([x, around])
    return classifier(x, columns, dropout)


def _separable(x: Any, width: int) -> Any:
    """Return a depthwise-separable convolution and batch normalisation."""
    x = layers.SeparableConv2D(width, 3, padding='same', use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
