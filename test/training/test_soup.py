# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 - Keras reads its backend from the environment when it is imported
"""The mean of several runs' weights as one network."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
keras = pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')

from fer_ros.errors import ConfigError
from training.__main__ import main
from training.emotion.runs import load_run
from training.emotion.soup import MEAN_OF, soup
from training.engine import settings
from training.engine.run import Checkpoint, read_checkpoint, write_checkpoint


def altered(run: Path, folder: Path, change: float, kernels: float = 1.0) -> Path:
    """Write a run like *run*: convolution kernels times *kernels*, then all weights + *change*."""
    config, model = load_run(run)
    weights = [
        np.array(one) * (kernels if one.ndim == 4 else 1.0) + np.float32(change)
        for one in model.get_weights()
    ]
    (folder / 'checkpoints').mkdir(parents=True)
    settings.save(config, folder / 'config.yaml')
    write_checkpoint(folder / 'checkpoints' / 'best.npz', Checkpoint(1, [], weights))
    return folder


def faces(run: Path, count: int = 300) -> np.ndarray:
    side = load_run(run)[0].model.size_px
    return np.random.default_rng(0).normal(size=(count, side, side, 1)).astype(np.float32)


def test_weights_are_averaged_by_their_shares(run: Path, tmp_path: Path) -> None:
    other = altered(run, tmp_path / 'other', 0.1)
    logits = [load_run(one)[1].get_layer('logits').get_weights() for one in (run, other)]
    mixed = soup([run, other], [3, 1], faces(run)).get_layer('logits').get_weights()
    for first, second, mean in zip(*logits, mixed):
        np.testing.assert_allclose(mean, 0.75 * first + 0.25 * second, atol=1e-6)


def test_kernels_of_another_scale_weigh_no_more(run: Path, tmp_path: Path) -> None:
    """Normalisation makes a kernel's scale free: the same run, ten times as large, is the same."""
    other = altered(run, tmp_path / 'other', 0.0, kernels=10.0)
    results = [
        keras.ops.convert_to_numpy(soup(runs, [1, 1], faces(run))(faces(run, 8), training=False))
        for runs in ([run, run], [run, other])
    ]
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)


def test_normalization_is_measured_anew(run: Path, tmp_path: Path) -> None:
    inputs = faces(run)
    model = soup([run, altered(run, tmp_path / 'other', 0.05)], [1, 1], inputs)
    norm = next(one for one in model.layers if isinstance(one, keras.layers.BatchNormalization))
    seen = keras.ops.convert_to_numpy(keras.Model(model.input, norm.input)(inputs))
    mean, variance = norm.get_weights()[2:]
    np.testing.assert_allclose(seen.mean(axis=(0, 1, 2)), mean, atol=0.02)
    np.testing.assert_allclose(seen.var(axis=(0, 1, 2)), variance, rtol=0.1)
    assert norm.momentum == 0.9


def test_the_command_writes_a_run_that_training_can_start_from(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / 'mixed'
    assert main(['soup', str(run), str(run), '--output', str(output)]) == 0
    assert 'fer2013/accuracy' in capsys.readouterr().out
    model = load_run(output)[1]
    assert json.loads((output / MEAN_OF).read_text()) == 2 * [{'run': 'run', 'share': 0.5}]
    kept = read_checkpoint(run / 'checkpoints' / 'best.npz').average
    for mine, theirs in zip(model.weights, kept, strict=True):
        if 'moving' not in mine.path:
            np.testing.assert_allclose(keras.ops.convert_to_numpy(mine), theirs, atol=1e-6)
    assert main(['soup', str(run), '--output', str(output)]) == 1
    assert 'already holds a run' in capsys.readouterr().err


@pytest.mark.parametrize('shares', [[1.0], [1.0, -1.0], [0.0, 0.0]])
def test_shares_that_make_no_mean_are_refused(run: Path, shares: list[float]) -> None:
    with pytest.raises(ConfigError, match='expected 2 numbers, none below 0, one a run'):
        soup([run, run], shares, faces(run))
