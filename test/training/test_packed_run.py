# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run packed for a machine without network, and trained there by the clock."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
pytest.importorskip('tensorflow', reason='TensorFlow is not installed (requirements/train.txt)')

from fer_ros.errors import DataError
from training.__main__ import main
from training.emotion.batches import FaceBatches, head_targets
from training.emotion.config import RunConfig
from training.emotion.data import load_sets
from training.emotion.runs import load_run
from training.emotion.train import train
from training.engine.run import read_checkpoint
from training.gpu import LOSSLESS, faces_of, pack, sheets, unpack


@pytest.fixture(scope='module')
def packed(config: RunConfig, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run, going on from its own weights and taught by them."""
    folder = tmp_path_factory.mktemp('packed') / 'pack'
    pack(dataclasses.replace(config, start=str(run), teachers=(str(run),)), folder)
    return folder


def test_a_packed_run_is_what_was_packed(config: RunConfig, run: Path, packed: Path) -> None:
    loaded = load_sets(config)
    there, again, targets = unpack(packed)
    np.testing.assert_array_equal(again.training.images, loaded.training.images)
    np.testing.assert_array_equal(again.validation[0].images, loaded.validation[0].images)
    np.testing.assert_array_equal(again.validation[0].labels, loaded.validation[0].labels)
    assert again.data['fingerprint'] == loaded.data['fingerprint']
    own = head_targets(loaded.training, config)
    assert (targets.argmax(axis=1) == own.argmax(axis=1)).mean() > 0.5
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=2e-3)
    first, second = load_run(Path(there.start))[1], load_run(run)[1]
    for mine, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_a_packed_run_trains_and_is_resumed(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    command = ['train_packed', str(packed), str(folder), '--workers', '0', '--precision', 'float32']
    assert main([*command, '--minutes', '10']) == 0
    first = read_checkpoint(folder / 'checkpoints' / 'last.npz')
    assert first.epoch == 2
    assert 0 < first.facts['spent_s'] < 600
    assert main([*command, '--minutes', '10', '--resume']) == 0


def test_time_ends_a_run_and_takes_the_learning_rate_along(
    config: RunConfig, tmp_path: Path
) -> None:
    optimization = dataclasses.replace(
        config.optimization, minutes=1e-4, epochs=50, schedule='cosine'
    )
    result = train(dataclasses.replace(config, optimization=optimization), tmp_path / 'run')
    with (tmp_path / 'run' / 'history.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(result.history) == len(rows) == 1
    assert float(rows[0]['learning_rate']) == pytest.approx(0, abs=1e-6)


def test_long_epochs_are_saved_on_the_way(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('training.engine.keeper.SAVE_EVERY_S', 0.0)
    saved = []
    write = 'training.engine.keeper.write_checkpoint'
    monkeypatch.setattr(write, lambda path, state: saved.append((path.name, state.epoch)))
    with pytest.raises(Exception, match=r'best\.npz'):
        train(dataclasses.replace(config, start=''), tmp_path / 'run')
    assert saved[0] == ('last.npz', 0), 'in the first epoch'


def test_workers_make_the_batches_that_one_process_makes(config: RunConfig) -> None:
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    alone, together = (
        FaceBatches(
            loaded.training.images, targets, dataclasses.replace(config, workers=workers)
        ).stream()
        for workers in (0, 2)
    )
    for mine, theirs in itertools.islice(zip(alone, together, strict=True), 5):
        for first, second in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize('count', [1, 64, 65, 4097])
def test_sheets_lose_nothing(count: int) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (count, 4, 4), np.uint8)
    np.testing.assert_array_equal(faces_of(list(sheets(faces, LOSSLESS)), count), faces)


def test_a_damaged_pack_is_named(packed: Path, tmp_path: Path) -> None:
    copy = tmp_path / 'pack'
    shutil.copytree(packed, copy)
    content = (copy / 'arrays.npz').read_bytes()
    middle = len(content) // 2
    zeroed = content[:middle] + bytes(64) + content[middle + 64 :]
    for damaged in (content[:middle], zeroed, b''):
        (copy / 'arrays.npz').write_bytes(damaged)
        with pytest.raises(DataError, match='damaged; pack it again'):
            unpack(copy)


def test_a_pack_above_the_limit_says_what_helps(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ['pack', str(folder / 'run.yaml'), str(tmp_path / 'pack'), '--limit-mib', '0.001']
    assert main(command) == 1
    assert 'give --quality 90 or set max_faces' in capsys.readouterr().err
