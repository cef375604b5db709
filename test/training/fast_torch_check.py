# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Run under KERAS_BACKEND=torch by test_training_run.py: with and without fast layers."""

from __future__ import annotations

import contextlib

import keras
import numpy as np

from training.emotion.architectures import build_model
from training.engine.fast_torch import fast_layers

OPTIONS = {'widths': (8, 16), 'blocks': (1, 1), 'stem': 4, 'dropout': 0.0}


def one_step(fast: bool) -> list[np.ndarray]:
    keras.utils.set_random_seed(0)
    model = build_model('residual', 5, options=OPTIONS)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss='mse')
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 48, 48, 1)), rng.normal(size=(8, 5))
    with fast_layers() if fast else contextlib.nullcontext():
        model.train_on_batch(inputs.astype(np.float32), targets.astype(np.float32))
        results = model.predict_on_batch(inputs.astype(np.float32))
    return [np.array(value) for value in model.get_weights()] + [np.array(results)]


for slow, quick in zip(one_step(False), one_step(True)):
    # Keras keeps the biased variance of a batch, PyTorch the unbiased one: n / (n - 1) apart.
    np.testing.assert_allclose(slow, quick, rtol=2e-2, atol=2e-3)
print('the same')
