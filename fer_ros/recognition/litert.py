# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs an emotion model by LiteRT (the library once called TensorFlow Lite)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.interpreter import make_interpreter
from fer_ros.recognition.signature import Tensor, check_signature
from fer_ros.types import Float32Array


class LiteRtRuntime:
    """A LiteRT interpreter whose batch grows and shrinks with the number of faces."""

    def __init__(self, card: EmotionModelCard, threads: int) -> None:
        """Load the weights.

        Args:
            card: names the weights and the shapes they must have.
            threads: at least 1.

        Raises:
            ModelError: the file is missing or damaged, or has other shapes than its card.
        """
        path = card.weights_path('litert')
        try:
            self._interpreter = make_interpreter(path.read_bytes(), threads)
            inputs = self._interpreter.get_input_details()
            outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f'model {card.id}: {path} is not a LiteRT model: {error}') from error
        check_signature(card, path, [*map(_tensor, inputs)], [*map(_tensor, outputs)])
        self._input, self._output = inputs[0]['index'], outputs[0]['index']
        self._shape = tuple(card.input_shape)
        self._batch = -1
        self.name = f'LiteRT, {threads} thread{"s" if threads > 1 else ""}'

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return float32 (N, columns) for float32 (N, *input_shape of the card), N at least 1."""
        if len(batch) != self._batch:
            self._interpreter.resize_tensor_input(self._input, (len(batch), *self._shape))
            self._interpreter.allocate_tensors()
            self._batch = len(batch)
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(batch, np.float32))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


def _tensor(details: dict[str, Any]) -> Tensor:
    return Tensor(details['shape'].tolist(), np.dtype(details['dtype']).name)
