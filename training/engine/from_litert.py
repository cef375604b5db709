# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A LiteRT file back into Keras weights.

What a robot runs is a LiteRT file, in which batch normalisation is folded into convolutions and
weights are 8-bit integers. This makes Keras weights of it again, so that training can start from
a shipped model. Float checkpoints would be larger than the package (11 and 2 MB), so they are not
kept in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from fer_ros.errors import ModelError
from fer_ros.types import Float32Array

KERNEL_NORM = 2.0**0.5
"""Norm of each filter of a recovered convolution, that of a fresh one. Normalisation after it makes
its scale free, and with small norms a learning rate is worth as much as in a fresh run."""
STATISTICS_BATCH = 32


class LiteRtWeights:
    """The constants of a LiteRT file by the names of the Keras layers that they came from."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises ModelError if it cannot be."""
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter = Interpreter(str(path), num_threads=1)
        except ValueError as error:
            raise ModelError(f'{path}: {error}') from error
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_tensor_details()
        self._details = {one['index']: one for one in details}
        self._operators = self._interpreter._get_ops_details()

    def convolutions(self) -> list[tuple[Float32Array, Float32Array]]:
        """Return kernel (H, W, in, out) and bias (out,) of each, in order of creation.

        Those with a name of their own are left out, see ``named_convolution``.
        """
        found = []
        for name, values in self._kernels():
            if '/conv2d' in name:
                found.append((_place(name, 'conv2d'), values))
        return [values for _, values in sorted(found, key=lambda one: one[0])]

    def named_convolution(self, layer: str) -> tuple[Float32Array, Float32Array]:
        """Return kernel (H, W, in, out) and bias (out,) of the layer called *layer*.

        Raises:
            ModelError: there is none.
        """
        for name, values in self._kernels():
            if re.search(rf'/{layer}_\d+/', name):
                return values
        raise ModelError(f'the file holds another network: no convolution is called {layer}')

    def _kernels(self) -> Iterator[tuple[str, tuple[Float32Array, Float32Array]]]:
        """Yield the name of each convolution's kernel, and kernel and bias."""
        for operator in self._operators:
            if operator['op_name'] == 'CONV_2D':
                _, kernel, bias = operator['inputs']
                values = self._constant(kernel).transpose(1, 2, 3, 0), self._constant(bias)
                yield self._details[kernel]['name'], values

    def dense(self) -> list[tuple[Float32Array, Float32Array]]:
        """Return kernel (in, out) and bias (out,) of each but the logits, in order of creation."""
        kernels, biases = {}, {}
        for index, one in self._details.items():
            name = one['name']
            if re.search(r'/dense(_\d+)*/Tensordot/MatMul$', name):
                kernels[_place(name, 'dense')] = self._constant(index).T
            elif re.search(r'/dense(_\d+)*/BiasAdd/ReadVariableOp$', name):
                biases[_place(name, 'dense')] = self._constant(index)
        return [(kernels[place], biases[place]) for place in sorted(kernels)]

    def logits(self) -> tuple[Float32Array, Float32Array]:
        """Return kernel (in, out) and bias (out,) of the last layer."""
        last = [one for one in self._operators if one['op_name'] == 'FULLY_CONNECTED'][-1]
        _, kernel, bias = last['inputs']
        return self._constant(kernel).T, self._constant(bias)

    def _constant(self, index: int) -> Float32Array:
        """Return a constant as float32; 8-bit ones have a scale for each output channel."""
        values = self._interpreter.get_tensor(index).astype(np.float32)
        scales = self._details[index]['quantization_parameters']['scales']
        if not len(scales):
            return values
        return values * scales.reshape(-1, *[1] * (values.ndim - 1))


def _place(name: str, kind: str) -> int:
    """Return which layer of its kind a constant belongs to: conv2d_3_1 is the fourth.

    The last number only distinguishes models of one conversion.
    """
    match = re.search(rf'/{kind}(?:_(\d+))??_\d+/', name)
    if match is None:
        raise ModelError(f'constant {name!r} is of no {kind} layer of this project')
    return int(match[1] or 0)


def created(model: keras.Model, kind: type) -> list[Any]:
    """Return the layers of a kind in order of creation."""

    def place(layer: Any) -> int:
        number = layer.name.rpartition('_')[2]
        return int(number) if number.isdigit() else 0

    return sorted((one for one in model.layers if type(one) is kind), key=place)


def fill(model: keras.Model, weights: LiteRtWeights, inputs: Float32Array) -> None:
    """Give *model* the weights of a LiteRT file; its outputs become those of the file.

    Folded kernels are scaled back to KERNEL_NORM, and normalisation gets the statistics that the
    convolutions have on *inputs*.

    Args:
        model: a network whose unnamed convolutions are each followed by batch normalisation.
        weights: of a network of that kind.
        inputs: float32 (N, H, W, C), some dozens or hundreds.

    Raises:
        ModelError: the file holds another network.
    """
    convolutions = [one for one in created(model, layers.Conv2D) if one.name[:6] == 'conv2d']
    norms = created(model, layers.BatchNormalization)
    dense = [one for one in created(model, layers.Dense) if one.name != 'logits']
    folded, plain = weights.convolutions(), list(zip(dense, weights.dense()))
    if (len(folded), len(plain)) != (len(convolutions), len(dense)) or len(norms) != len(folded):
        raise ModelError(f'the file holds another network: {len(folded)} convolutions')
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D) and layer not in convolutions:
            plain.append((layer, weights.named_convolution(layer.name)))
        elif layer.name == 'logits':
            plain.append((layer, weights.logits()))
    try:
        for layer, (kernel, bias) in plain:
            layer.set_weights([kernel, bias])
        for layer, norm, (kernel, bias) in zip(convolutions, norms, folded):
            length = np.sqrt((kernel**2).sum(axis=(0, 1, 2))) / KERNEL_NORM
            length = np.maximum(length, 1e-6)
            layer.set_weights([kernel / length])
            still = np.zeros_like(bias)
            norm.set_weights([length, bias, still, np.full_like(bias, 1 - norm.epsilon)])
    except ValueError as error:
        raise ModelError(f'the file holds another network: {error}') from error
    take_statistics(model, convolutions, norms, inputs)


def take_statistics(
    model: keras.Model, convolutions: list[Any], norms: list[Any], inputs: Float32Array
) -> None:
    """Set each normalisation to the statistics of its convolution on *inputs*, in place.

    Scale and offset are changed so that the outputs stay the same.
    """
    outputs = keras.Model(model.input, [layer.output for layer in convolutions])
    sums = [np.zeros((2, layer.filters)) for layer in convolutions]
    batches = np.array_split(inputs, -(-len(inputs) // STATISTICS_BATCH))
    for batch in batches:
        for total, one in zip(sums, outputs(batch, training=False)):
            values = keras.ops.convert_to_numpy(one).astype(np.float64)
            total += values.mean(axis=(0, 1, 2)), (values**2).mean(axis=(0, 1, 2))
    for norm, total in zip(norms, sums):
        mean, square = (total / len(batches)).astype(np.float32)
        variance = np.maximum(square - mean**2, 1e-8)
        scale, offset, was_mean, was_variance = norm.get_weights()
        slope = scale / np.sqrt(was_variance + norm.epsilon)
        scale = slope * np.sqrt(variance + norm.epsilon)
        norm.set_weights([scale, offset + slope * (mean - was_mean), mean, variance])
