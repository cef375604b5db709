# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the ``.keras`` file of an emotion model itself, for those who are just training one."""

from __future__ import annotations

import os

import numpy as np

from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.types import Float32Array


class KerasRuntime:
    """A Keras model, under whichever backend KERAS_BACKEND names (TensorFlow by default)."""

    def __init__(self, card: EmotionModelCard, threads: int) -> None:
        """Load the weights.

        Args:
            card: names the weights and the shapes they must have.
            threads: for OpenMP where it has not started yet; Keras has no setting of its own.

        Raises:
            ModelError: Keras or its backend is not installed, or the file is missing, damaged,
                holds code, or has other shapes than its card.
        """
        path = card.weights_path('keras')
        os.environ.setdefault('OMP_NUM_THREADS', str(threads))
        try:
            import keras
        except (ImportError, ValueError) as error:  # ValueError for a backend it does not know
            raise ModelError(
                f"backend 'keras' needs Keras 3 and its backend: pip install -r "
                f'requirements/train.txt ({error})'
            ) from error
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever its zip and json readers raise
            raise ModelError(f'model {card.id}: {path} is not a Keras model: {error}') from error
        expected = (card.input_shape, card.columns)
        found = (tuple(model.input_shape[1:]), model.output_shape[-1])
        if found != expected:
            raise ModelError(
                f'model {card.id}: its card says input and output are {expected} a face, '
                f'{path} has {found}'
            )
        self._model = model
        self._to_numpy = keras.ops.convert_to_numpy
        self.name = f'Keras on {keras.backend.backend()}'

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return float32 (N, columns) for float32 (N, *input_shape of the card), N at least 1."""
        return np.asarray(self._to_numpy(self._model.predict_on_batch(batch)), np.float32)
