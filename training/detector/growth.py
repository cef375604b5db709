# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A trained detector made deeper or wider without changing what it answers (arXiv 1511.05641).

A network that has learnt all it can hold goes on from there, instead of from nothing.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from fer_ros.errors import ConfigError
from fer_ros.types import Float32Array
from training.detector.network import NetworkConfig
from training.engine.from_litert import created, take_statistics


def convolution_places(config: NetworkConfig) -> list[tuple[str, int]]:
    """Return what each normalised convolution of a network is, in order of creation."""
    places = [('stem', i) for i in range(len(config.stem))]
    for level, depth in enumerate(config.depths):
        places += [(f'level {level}', i) for i in range(1 + depth)]
    for level in (2, 1, 0):
        places += [('lateral', level), ('neck', level)]
    return places


def grow(
    model: keras.Model,
    config: NetworkConfig,
    small: keras.Model,
    small_config: NetworkConfig,
    inputs: Float32Array,
) -> None:
    """Give *model* the answers of *small*, in place.

    Convolutions that *small* lacks pass on what they get. Channels that it lacks start at random
    and are read with weight zero.

    Args:
        model: newly made.
        config: of *model*, nowhere less deep or wide than that of *small*.
        small: a trained network.
        small_config: of *small*.
        inputs: float32 (N, H, W, 3), some dozens, for the statistics of normalisation.

    Raises:
        ConfigError: *model* is somewhere less deep or wide.
    """
    theirs = dict(zip(convolution_places(small_config), _normalised(small)))
    mine = dict(zip(convolution_places(config), _normalised(model)))
    missing = theirs.keys() - mine.keys()
    if missing:
        raise ConfigError(f'grown_from: {len(missing)} of its convolutions have no place')
    for place, (convolution, norm) in mine.items():
        kernel = convolution.get_weights()[0]
        # Scale, offset, mean and variance that change nothing.
        vectors = [np.full(convolution.filters, v) for v in (1.0, 0.0, 0.0, 1 - norm.epsilon)]
        if place in theirs:
            there, there_norm = theirs[place]
            kernel = _laid_into(kernel, there.get_weights()[0])
            for vector, known in zip(vectors, there_norm.get_weights()):
                vector[: len(known)] = known
        else:
            kernel = np.zeros_like(kernel)
            middle, channels = kernel.shape[0] // 2, np.arange(kernel.shape[3])
            kernel[middle, middle, channels, channels] = 1
        convolution.set_weights([kernel])
        norm.set_weights(vectors)
    for head in (layer for layer in small.layers if layer.name.startswith('level_')):
        kernel, bias = head.get_weights()
        wanted = model.get_layer(head.name)
        wanted.set_weights([_laid_into(wanted.get_weights()[0], kernel), bias])
    take_statistics(model, *zip(*mine.values()), inputs)


def _normalised(network: keras.Model) -> list[tuple[Any, Any]]:
    """Return the convolutions with the normalisation after each, in order of creation."""
    convolutions = [
        one for one in created(network, layers.Conv2D) if not one.name.startswith('level_')
    ]
    return list(zip(convolutions, created(network, layers.BatchNormalization), strict=True))


def _laid_into(kernel: Float32Array, known: Float32Array) -> Float32Array:
    """Return *kernel* (h, w, in, out) with *known*, which may have fewer channels, in front.

    The outputs that are known do not read the inputs that are new.
    """
    inputs, outputs = known.shape[2:]
    if inputs > kernel.shape[2] or outputs > kernel.shape[3]:
        raise ConfigError(f'grown_from: a kernel {known.shape} has no room in {kernel.shape}')
    result = kernel.copy()
    result[..., :outputs] = 0
    result[..., :inputs, :outputs] = known
    return result
