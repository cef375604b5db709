# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector: plain 3x3 convolutions at strides 8, 16 and 32, joined from coarse to fine.

Measured in LiteRT, plain convolutions of 32 and 64 channels run at several times the arithmetic
rate of depthwise ones, so that for the same time they hold more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from fer_ros.detection.cells import OUTPUT_COLUMNS


@dataclass(frozen=True)
class NetworkConfig:
    """Widths and depths.

    Attributes:
        stem: channels at strides 2 and 4.
        widths: channels at strides 8, 16 and 32.
        depths: convolutions after the one that halves the image, at each of them.
        neck: channels in which the levels are joined.
    """

    stem: tuple[int, int] = (16, 32)
    widths: tuple[int, int, int] = (32, 64, 64)
    depths: tuple[int, int, int] = (3, 3, 1)
    neck: int = 32


def _convolution(x: Any, channels: int, kernel: int = 3, stride: int = 1) -> Any:
    x = layers.Conv2D(channels, kernel, stride, padding='same', use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3)(x)
    return layers.ReLU()(x)


def _twice_as_large(x: Any) -> Any:
    # Repeats every pixel; as depth_to_space its shape follows the input's when LiteRT resizes.
    return ops.depth_to_space(layers.Concatenate()([x] * 4), 2)


def build_network(config: NetworkConfig, shape_hw: tuple[int | None, int | None]) -> keras.Model:
    """Return the network: an image to three maps (N, H/s, W/s, 15), fine first.

    Args:
        config: widths and depths.
        shape_hw: H and W, multiples of 32, of the input, float32 (N, H, W, 3) BGR 0..1.
    """
    image = keras.Input((*shape_hw, 3), name='image')
    x = image
    for channels in config.stem:
        x = _convolution(x, channels, stride=2)
    levels = []
    for channels, depth in zip(config.widths, config.depths):
        x = _convolution(x, channels, stride=2)
        for _ in range(depth):
            x = _convolution(x, channels)
        levels.append(x)
    maps: list[Any] = []
    above = None
    # Faces are rare: a start at score 0.01 keeps the first steps from drowning in background.
    start = keras.initializers.Constant([-4.6] + [0.0] * (OUTPUT_COLUMNS - 1))
    for stride_index in (2, 1, 0):
        x = layers.Conv2D(config.neck, 1, use_bias=False)(levels[stride_index])
        x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3)(x)
        if above is not None:
            x = layers.Add()([x, _twice_as_large(above)])
        above = _convolution(layers.ReLU()(x), config.neck)
        head = layers.Conv2D(
            OUTPUT_COLUMNS,
            1,
            bias_initializer=start,
            name=f'level_{stride_index}',
            dtype='float32',
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        )
        maps.insert(0, head(above))
    return keras.Model(image, maps, name='face_detector')


def for_training(network: keras.Model) -> keras.Model:
    """Return the same network with its maps laid side by side: (N, cells, 15)."""
    rows = [layers.Reshape((-1, OUTPUT_COLUMNS))(one) for one in network.outputs]
    return keras.Model(network.input, layers.Concatenate(axis=1)(rows))
