# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Our own network: 3x3 residual blocks with squeeze-excitation, for 48 px faces.

Resolution is given up early and width late: few convolutions see all 48x48 pixels, most blocks run
at 24, 12 and 6, which is where a processor spends its time best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from training.emotion.architectures.parts import classifier, conv_bn


def build(
    inputs: Any,
    columns: int,
    widths: Sequence[int] = (64, 128, 256),
    blocks: Sequence[int] = (1, 2, 2),
    stem: int = 32,
    stem_blocks: int = 0,
    squeeze: int = 8,
    dropout: float = 0.3,
) -> Any:
    """Return logits (N, columns).

    Args:
        inputs: (N, S, S, channels), S at least 32.
        columns: number of logits.
        widths: channels of each stage; a stage starts by halving the resolution.
        blocks: residual blocks of each stage.
        stem: channels of the first convolution.
        stem_blocks: residual blocks of that width before the resolution is halved.
        squeeze: squeeze-excitation narrows channels by this factor; 0 for none.
        dropout: before the classifier.
    """
    x = conv_bn(inputs, stem, 3)
    for _ in range(stem_blocks):
        x = _block(x, stem, squeeze)
    for width, count in zip(widths, blocks, strict=True):
        x = layers.MaxPooling2D(2)(x)
        for _ in range(count):
            x = _block(x, width, squeeze)
    return classifier(x, columns, dropout)


def _block(x: Any, width: int, squeeze: int) -> Any:
    """Return two 3x3 convolutions and the way around them (arXiv 1512.03385, 1709.01507)."""
    y = conv_bn(x, width, 3)
    y = conv_bn(y, width, 3, activation=None)
    if squeeze:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Dense(max(8, width // squeeze), activation='relu')(gate)
        gate = layers.Dense(width, activation='sigmoid')(gate)
        y = layers.Multiply()([y, gate])
    if x.shape[-1] != width:
        x = conv_bn(x, width, 1, activation=None)
    return layers.Activation('relu')(layers.Add()([x, y]))
