# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Trained networks as files, and how to run them for comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from fer_ros.errors import ConfigError
from fer_ros.types import Float32Array

LITERT_PRECISIONS = ('float32', 'float16', 'int8', 'int8_weights')

Predictor = Callable[[Float32Array], Float32Array]
"""From inputs to logits."""


def need_tensorflow() -> None:
    """Raise ConfigError unless Keras runs on TensorFlow, which alone can write LiteRT."""
    if keras.backend.backend() != 'tensorflow':
        raise ConfigError('export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow')


def as_litert(
    model: keras.Model, precision: str, representative: Float32Array | None = None
) -> bytes:
    """Return a network as a LiteRT file.

    Args:
        model: under the TensorFlow backend.
        precision: 'float32'; 'float16' halves the file; 'int8_weights' quarters it and computes
            with 8-bit weights and activations scaled as they come; 'int8' fixes the scales of
            activations from *representative*.
        representative: float32 (N, S, S, C) inputs, only for 'int8'.
    """
    import tensorflow as tf

    if precision not in LITERT_PRECISIONS:
        raise ConfigError(
            f'precision: expected one of {", ".join(LITERT_PRECISIONS)}, got {precision!r}'
        )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != 'float32':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == 'float16':
        converter.target_spec.supported_types = [tf.float16]
    if precision == 'int8':
        faces = [] if representative is None else list(representative)
        converter.representative_dataset = lambda: ([face[None]] for face in faces)
    return bytes(converter.convert())


def predict(model: Predictor, inputs: Float32Array, batch_size: int = 100) -> Float32Array:
    """Return the logits of all *inputs*, batch by batch."""
    starts = range(0, len(inputs), batch_size)
    return np.concatenate([model(inputs[start : start + batch_size]) for start in starts])


def keras_predictor(model: keras.Model) -> Predictor:
    """Return a function from inputs to logits."""
    return lambda inputs: np.asarray(
        keras.ops.convert_to_numpy(model(inputs, training=False)), np.float32
    )


def litert_outputs(path: Path) -> Callable[[Float32Array], list[Float32Array]]:
    """Return a function from inputs of any size to all outputs of a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    source = interpreter.get_input_details()[0]['index']

    def run(inputs: Float32Array) -> list[Float32Array]:
        interpreter.resize_tensor_input(source, inputs.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, inputs)
        interpreter.invoke()
        return [interpreter.get_tensor(one['index']) for one in interpreter.get_output_details()]

    return run


def file_predictor(backend: str, path: Path) -> Predictor:
    """Return a function from inputs to logits that runs a 'keras', 'litert' or 'onnx' file."""
    if backend == 'keras':
        return keras_predictor(keras.saving.load_model(path, compile=False, safe_mode=True))
    if backend == 'litert':
        run = litert_outputs(path)
        return lambda inputs: run(inputs)[0]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda inputs: session.run(None, {name: inputs})[0]
