# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 - Keras reads its backend from the environment when it is imported
"""What a run takes over from earlier ones: their weights to begin with, their results to learn."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
keras = pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
pytest.importorskip('tensorflow', reason='TensorFlow is not installed (requirements/train.txt)')

from fer_ros.data.folders import read_unlabelled
from fer_ros.errors import ConfigError, DataError, ModelError
from training.emotion.batches import head_targets
from training.emotion.config import RunConfig, SetConfig
from training.emotion.data import load_sets
from training.emotion.runs import load_run
from training.emotion.search import with_values
from training.emotion.teachers import soften_targets
from training.emotion.train import train
from training.engine.run import read_checkpoint, write_checkpoint


def test_a_student_learns_from_its_teachers(run: Path, config: RunConfig, tmp_path: Path) -> None:
    student = with_values(config, {'teachers': [str(run), str(run)], 'distillation': 1.0})
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    softened = soften_targets(targets, loaded, student, tmp_path)
    np.testing.assert_allclose(softened.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(softened, targets, atol=0.01)
    other = with_values(student, {'heads': [{'name': 'mine', 'kind': 'fer2013'}]})
    with pytest.raises(ConfigError, match='has heads'):
        soften_targets(targets, loaded, other, tmp_path)


def test_a_resumed_student_asks_its_teachers_no_more(
    run: Path, config: RunConfig, tmp_path: Path
) -> None:
    student = with_values(config, {'teachers': [str(run)], 'distillation': 1.0})
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    first = soften_targets(targets, loaded, student, tmp_path)
    cache = tmp_path / 'teacher_0.npz'
    kept = read_checkpoint(cache)
    kept.weights[0] += np.arange(7)
    write_checkpoint(cache, kept)
    resumed = soften_targets(targets, loaded, student, tmp_path, resume=True)
    assert resumed[:, 6].mean() > first[:, 6].mean() + 0.1
    # Logits for other faces, and those of a run that begins anew, are not used.
    nine = dataclasses.replace(loaded, training=loaded.training[:9], weights=loaded.weights[:9])
    fewer = soften_targets(targets[:9], nine, student, tmp_path, resume=True)
    np.testing.assert_allclose(fewer, first[:9], atol=1e-6)
    write_checkpoint(cache, kept)
    np.testing.assert_allclose(soften_targets(targets, loaded, student, tmp_path), first)


def test_faces_that_nobody_labelled_learn_from_teachers(
    run: Path, config: RunConfig, tmp_path: Path
) -> None:
    (tmp_path / 'album' / 'of friends').mkdir(parents=True)
    rng = np.random.default_rng(1)
    for place in range(3):
        face = rng.integers(0, 256, (60, 60), np.uint8)
        cv2.imwrite(str(tmp_path / 'album' / 'of friends' / f'{place}.png'), face)
    album = SetConfig(path=str(tmp_path / 'album'), unlabelled=True, weight=2.0)
    student = dataclasses.replace(config, sets=(*config.sets, album), teachers=(str(run),))
    loaded = load_sets(student)
    assert loaded.data['album'] == {'training': {'unlabelled': 3}}
    assert [faces.name for faces in loaded.validation] == ['faces']
    targets = head_targets(loaded.training, student) * loaded.weights[:, None]
    assert targets[-3:].sum() == 0
    softened = soften_targets(targets, loaded, student, tmp_path)
    np.testing.assert_allclose(softened[-3:].sum(axis=1), 2, atol=1e-5)
    np.testing.assert_allclose(softened[:-3].sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ConfigError, match='album is unlabelled, so a run needs teachers'):
        load_sets(dataclasses.replace(student, teachers=()))
    for folder in (tmp_path / 'nothing', tmp_path / 'album' / 'of friends' / '0.png'):
        with pytest.raises(DataError, match='is not a folder of images'):
            read_unlabelled(folder)


def test_damaged_results_stop_a_resume(run: Path, config: RunConfig, tmp_path: Path) -> None:
    student = with_values(config, {'teachers': [str(run)]})
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    (tmp_path / 'teacher_0.npz').write_bytes(b'cut off')
    with pytest.raises(ModelError, match=r'teacher_0\.npz cannot be read'):
        soften_targets(targets, loaded, student, tmp_path, resume=True)


def test_reading_a_run_leaves_the_precision_alone(run: Path) -> None:
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        model = load_run(run)[1]
        assert keras.config.dtype_policy().name == 'mixed_bfloat16'
        assert {layer.dtype_policy.name for layer in model.layers} == {'float32'}
    finally:
        keras.config.set_dtype_policy('float32')


def test_a_run_starts_from_another(run: Path, config: RunConfig, tmp_path: Path) -> None:
    values = {'start': str(run), 'optimization.learning_rate': 0.0, 'optimization.epochs': 1}
    _, before = load_run(run)
    result = train(with_values(config, values), tmp_path / 'second')
    kernels = [
        (layer.get_weights()[0], other.get_weights()[0])
        for layer, other in zip(before.layers, result.model.layers, strict=True)
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert kernels
    for old, new in kernels:
        np.testing.assert_array_equal(old, new)
