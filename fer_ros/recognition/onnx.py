# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs an emotion model by ONNX Runtime: on TensorRT, CUDA or the processor, whichever is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.recognition.signature import Tensor, check_signature
from fer_ros.types import Float32Array

PROVIDERS: tuple[str, ...] = (
    'TensorrtExecutionProvider',
    'CUDAExecutionProvider',
    'CPUExecutionProvider',
)
"""What is asked for, best first."""


def engine_cache_dir() -> Path:
    """Return where TensorRT keeps built engines, so that only the first start builds them."""
    base = os.environ.get('XDG_CACHE_HOME', '') or str(Path.home() / '.cache')
    return Path(base) / 'fer_ros' / 'tensorrt'


def wanted_providers(available: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the providers of PROVIDERS that are *available*, best first, with their options."""
    options: dict[str, dict[str, Any]] = {
        'TensorrtExecutionProvider': {
            'trt_engine_cache_enable': True,
            'trt_engine_cache_path': str(engine_cache_dir()),
            'trt_timing_cache_enable': True,
            'trt_fp16_enable': True,
        }
    }
    return [(name, options.get(name, {})) for name in PROVIDERS if name in available]


class OnnxRuntime:
    """An ONNX Runtime session; ``name`` says which provider it got."""

    def __init__(self, card: EmotionModelCard, threads: int) -> None:
        """Load the weights.

        Args:
            card: names the weights and the shapes they must have.
            threads: at least 1; of the processor.

        Raises:
            ModelError: onnxruntime is not installed, or the file is missing, damaged or has other
                shapes than its card.
        """
        path = card.weights_path('onnx')
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                "backend 'onnx' needs onnxruntime (or onnxruntime-gpu): pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        providers = wanted_providers(onnxruntime.get_available_providers())
        if any(name == 'TensorrtExecutionProvider' for name, _ in providers):
            engine_cache_dir().mkdir(parents=True, exist_ok=True)
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), sess_options=options, providers=providers
            )
        except Exception as error:  # onnxruntime's errors share no public base class
            raise ModelError(f'model {card.id}: {path} is not an ONNX model: {error}') from error
        source, result = self._session.get_inputs(), self._session.get_outputs()
        check_signature(card, path, [*map(_tensor, source)], [*map(_tensor, result)])
        self._input, self._output = source[0].name, result[0].name
        self._one_at_a_time = source[0].shape[0] == 1
        provider = self._session.get_providers()[0].removesuffix('ExecutionProvider')
        self.name = f'ONNX Runtime, {provider}'
        if provider == 'CPU':
            self.name += f', {threads} thread{"s" if threads > 1 else ""}'

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return float32 (N, columns) for float32 (N, *input_shape of the card), N at least 1."""
        if self._one_at_a_time:
            return np.concatenate([self._run(batch[row : row + 1]) for row in range(len(batch))])
        return self._run(batch)

    def _run(self, batch: Float32Array) -> Float32Array:
        (result,) = self._session.run([self._output], {self._input: batch})
        return np.asarray(result, np.float32)


def _tensor(node: Any) -> Tensor:
    kind = node.type.removeprefix('tensor(').removesuffix(')')
    return Tensor(node.shape, {'float': 'float32', 'double': 'float64'}.get(kind, kind))
