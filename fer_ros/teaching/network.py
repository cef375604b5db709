# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A LiteRT classifier taken apart: the network up to its last layer, and another last layer on it.

The file is read and written by the schema that ai-edge-litert ships, so that a new last layer needs
no training framework.
"""

from __future__ import annotations

import copy
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fer_ros.errors import ModelError
from fer_ros.types import Float32Array

FILE_IDENTIFIER = b'TFL3'


def last_layer(content: bytes) -> tuple[Float32Array, Float32Array]:
    """Return kernel float32 (features, columns) and bias float32 (columns,) of the last layer.

    Raises:
        ModelError: see ``features_of``.
    """
    model, operator = _parsed(content)
    _, kernel, bias = operator.inputs
    return _constant(model, kernel).T, _constant(model, bias)


def features_of(content: bytes) -> bytes:
    """Return the same network as a file whose output is what its last layer reads.

    Raises:
        ModelError: not a LiteRT file, or it does not end in a fully connected layer of which the
            output is the only one.
    """
    model, operator = _parsed(content)
    graph = model.subgraphs[0]
    graph.operators.remove(operator)
    graph.outputs = np.array([operator.inputs[0]], np.int32)
    model.signatureDefs = None
    return _packed(model)


def with_last_layer(content: bytes, kernel: Float32Array, bias: Float32Array) -> bytes:
    """Return the network with another last layer, in float32.

    Args:
        content: a LiteRT file.
        kernel: float32 (features, columns).
        bias: float32 (columns,).

    Raises:
        ModelError: see ``features_of``.
    """
    model, operator = _parsed(content)
    graph = model.subgraphs[0]
    code = copy.copy(model.operatorCodes[operator.opcodeIndex])
    code.version = 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.builtinOptions.asymmetricQuantizeInputs = False
    operator.inputs = np.array(
        [operator.inputs[0], _add_constant(model, kernel.T), _add_constant(model, bias)], np.int32
    )
    result = graph.tensors[operator.outputs[0]]
    result.shape = np.array([1, len(bias)], np.int32)
    result.shapeSignature = np.array([-1, len(bias)], np.int32)
    return _packed(model)


def _parsed(content: bytes) -> tuple[Any, Any]:
    """Return the model and its last operator, checked to be what the functions above change."""
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = model.subgraphs[0]
        operator = graph.operators[-1]
        kind = model.operatorCodes[operator.opcodeIndex].builtinCode
    except Exception as error:  # bytes of a file may be anything
        raise ModelError(f'not a LiteRT model: {error}') from error
    ends_well = (
        kind == schema.BuiltinOperator.FULLY_CONNECTED
        and list(graph.outputs) == list(operator.outputs)
        and len(operator.inputs) == 3
    )
    if not ends_well:
        raise ModelError('the model does not end in one fully connected layer with a bias')
    return model, operator


def _constant(model: Any, index: int) -> Float32Array:
    """Return a constant as float32; 8-bit ones have a scale for each row or for all."""
    tensor = model.subgraphs[0].tensors[index]
    kinds = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT8: np.int8}
    if tensor.type not in kinds:
        raise ModelError('the last layer is neither of 32-bit floats nor of 8-bit integers')
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    values = np.frombuffer(raw, kinds[tensor.type]).astype(np.float32).reshape(tensor.shape)
    if tensor.type == schema.TensorType.FLOAT32:
        return values
    return values * np.asarray(tensor.quantization.scale, np.float32)[:, None]


def _add_constant(model: Any, values: Float32Array) -> int:
    """Add a float32 constant to the model; return its number."""
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer, tensor.type = len(model.buffers) - 1, schema.TensorType.FLOAT32
    tensor.shape = np.array(values.shape, np.int32)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())
