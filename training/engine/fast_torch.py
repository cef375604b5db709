# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes Keras on PyTorch train convolutional networks faster on a processor, by about a fifth.

Keras composes batch normalisation of single operations, and copies activations around pooling.
PyTorch has one fused kernel for each, which reads Keras's NHWC arrays as they are ("channels
last"). The layers' calls are swapped while training runs; what they compute is the same, which a
test checks, and the models stay plain Keras.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import layers


def _batch_normalization(original: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def call(self: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if inputs.ndim != 4 or mask is not None or not (self.center and self.scale):
            return original(self, inputs, training=training, mask=mask)
        # A frozen layer must neither use nor change batch statistics, as in Keras.
        result = torch.nn.functional.batch_norm(
            inputs.movedim(-1, 1),
            self.moving_mean._value,
            self.moving_variance._value,
            self.gamma._value,
            self.beta._value,
            bool(training) and self.trainable,
            1 - self.momentum,
            self.epsilon,
        )
        return result.movedim(1, -1)

    return call


def _max_pooling(original: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def call(self: Any, inputs: Any) -> Any:
        if self.padding != 'valid' or self.pool_size != self.strides:
            return original(self, inputs)
        pooled = torch.nn.functional.max_pool2d(inputs.movedim(-1, 1), self.pool_size)
        return pooled.movedim(1, -1)

    return call


@contextlib.contextmanager
def fast_layers() -> Iterator[None]:
    """Swap the calls of two layer classes while the context lasts; only under PyTorch."""
    if keras.backend.backend() != 'torch' or keras.config.image_data_format() != 'channels_last':
        yield
        return
    swaps = {layers.BatchNormalization: _batch_normalization, layers.MaxPooling2D: _max_pooling}
    originals = {layer: layer.call for layer in swaps}
    for layer, swap in swaps.items():
        layer.call = swap(originals[layer])
    try:
        yield
    finally:
        for layer, original in originals.items():
            layer.call = original
