# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 - Keras reads its backend from the environment when it is imported
"""A tiny model trained and resumed, and every switch that a run has."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
keras = pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
pytest.importorskip('tensorflow', reason='TensorFlow is not installed (requirements/train.txt)')

from helpers.tiny_run import drawn_face

from fer_ros.errors import ConfigError, DataError, ModelError
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX, NORMALIZATIONS
from fer_ros.recognition.alignment import align_faces
from fer_ros.recognition.preprocessing import normalize
from fer_ros.types import FaceDetections
from training.__main__ import main
from training.emotion import config as configuration
from training.emotion.architectures import ARCHITECTURES, build_model
from training.emotion.augment import AugmentationConfig
from training.emotion.batches import FaceBatches, class_shares, head_targets, network_input
from training.emotion.config import ModelConfig, RunConfig
from training.emotion.data import load_sets
from training.emotion.losses import (
    HeadsLoss,
    effective_class_weights,
    learned_targets,
    make_loss,
)
from training.emotion.search import as_markdown, compare, search, with_values
from training.emotion.train import train
from training.engine.run import RunFolder, read_checkpoint


def test_the_run_s_folder_tells_everything(run: Path) -> None:
    for name in ('config.yaml', 'versions.json', 'data.json', 'history.csv', 'curves.png'):
        assert (run / name).stat().st_size > 0, name
    with (run / 'history.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row['epoch']) for row in rows] == [1, 2, 3, 4]
    assert float(rows[-1]['loss']) < float(rows[0]['loss'])
    assert 'faces/fer2013/balanced_accuracy' in rows[0]


def test_a_resumed_run_ends_where_an_unbroken_one_does(run: Path, folder: Path) -> None:
    train(configuration.load(folder / 'longer.yaml'), folder / 'unbroken')
    resumed = read_checkpoint(run / 'checkpoints' / 'last.npz')
    unbroken = read_checkpoint(folder / 'unbroken' / 'checkpoints' / 'last.npz')
    for first, second in zip(resumed.weights, unbroken.weights):
        np.testing.assert_allclose(first, second, atol=1e-3)


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
def test_training_and_the_live_node_see_the_same_face(normalization: str) -> None:
    """The golden crop: a training face in a larger picture comes back pixel by pixel."""
    face = drawn_face(5, np.random.default_rng(0))
    picture = np.full((120, 160, 3), 90, np.uint8)
    picture[30:78, 50:98] = face[..., None]
    landmarks = np.array([FER2013_TEMPLATE_48PX], np.float32) + np.array([50, 30], np.float32)
    found = FaceDetections(
        np.array([[55, 35, 95, 78]], np.float32), landmarks, np.ones(1, np.float32)
    )
    crops = align_faces(picture, found, FER2013_TEMPLATE_48PX, 48).crops
    np.testing.assert_array_equal(crops[0], face)
    np.testing.assert_array_equal(
        normalize(crops, normalization),
        network_input(face[None], ModelConfig(normalization=normalization)),
    )


def test_a_run_is_not_overwritten(run: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(['train', str(folder / 'run.yaml'), '--output', str(run)]) == 1
    assert 'already holds a run' in capsys.readouterr().err


def test_a_corrupt_checkpoint_stops_a_resume(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / 'checkpoints').mkdir()
    data = (run / 'checkpoints' / 'last.npz').read_bytes()
    (tmp_path / 'checkpoints' / 'last.npz').write_bytes(data[: len(data) // 2])
    assert main(['train', str(folder / 'longer.yaml'), '--output', str(tmp_path), '--resume']) == 1
    assert 'last.npz cannot be read' in capsys.readouterr().err


def test_another_network_stops_a_resume(run: Path, config: RunConfig) -> None:
    other = with_values(config, {'model.options': {'widths': [8, 8], 'blocks': [1, 1]}})
    with pytest.raises(ConfigError, match=r'model\.options\.widths'):
        train(other, run, resume=True)


@pytest.mark.parametrize(
    'changes, named',
    [
        pytest.param(
            {'heads': [{'name': 'fer2013', 'kind': 'fer2013', 'labels': ['sad', 'happy']}]},
            r'heads\[0\]\.labels',
            id='labels',
        ),
        pytest.param({'model.normalization': 'none'}, r'model\.normalization', id='normalisation'),
        pytest.param({'optimization.batch_size': 7}, r'optimization\.batch_size', id='batch'),
    ],
)
def test_another_run_is_not_continued(
    run: Path, config: RunConfig, changes: dict, named: str
) -> None:
    before = (run / 'config.yaml').read_text()
    with pytest.raises(ConfigError, match=named):
        train(with_values(config, changes), run, resume=True)
    assert (run / 'config.yaml').read_text() == before


def test_other_faces_are_not_continued_with(run: Path, config: RunConfig, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / 'run')
    data = json.loads((tmp_path / 'run' / 'data.json').read_text())
    (tmp_path / 'run' / 'data.json').write_text(json.dumps({**data, 'fingerprint': 'another'}))
    with pytest.raises(ConfigError, match='other faces than before'):
        train(config, tmp_path / 'run', resume=True)


def test_one_training_at_a_time(run: Path, folder: Path) -> None:
    with RunFolder(run).locked(), pytest.raises(ConfigError, match='another training is at work'):
        train(configuration.load(folder / 'longer.yaml'), run, resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    heavy = dataclasses.replace(config.sets[0], weight=1000.0)
    wild = with_values(
        dataclasses.replace(config, sets=(heavy,)),
        {'optimization.learning_rate': 100.0, 'optimization.weight_average': 0.0},
    )
    with pytest.raises(ModelError, match=r'the loss is (nan|inf) in epoch .*lower learning_rate'):
        train(with_values(wild, {'optimization.epochs': 40}), tmp_path)
    kept = tmp_path / 'checkpoints' / 'last.npz'
    assert not kept.exists() or np.isfinite(read_checkpoint(kept).weights[0]).all()


@pytest.mark.parametrize('backend', ['theano', ''], ids=['foreign', 'empty'])
def test_a_backend_that_is_none_is_named(
    backend: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv('KERAS_BACKEND', backend)
    assert main(['train', 'run.yaml']) == 1
    assert 'expected one of tensorflow, torch, jax' in capsys.readouterr().err


def test_a_backend_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr('training.__main__.find_spec', lambda name: None if name == 'jax' else 1)
    monkeypatch.setenv('KERAS_BACKEND', 'jax')
    assert main(['train', 'run.yaml']) == 1
    assert 'pip install jax' in capsys.readouterr().err


def test_an_empty_class_is_named(config: RunConfig) -> None:
    with pytest.raises(DataError, match="head 'fer2013': no training face has the label contempt"):
        load_sets(
            with_values(
                config,
                {
                    'heads': [
                        {'name': 'fer2013', 'kind': 'fer2013', 'labels': ['happy', 'contempt']}
                    ]
                },
            )
        )


def test_sets_are_mixed_weighed_and_reported_apart(config: RunConfig, folder: Path) -> None:
    path = str(folder / 'faces.csv')
    mixed = with_values(
        config,
        {
            'sets': [
                {'path': path},
                {'path': path, 'name': 'mine', 'weight': 0.5, 'label_map': {'disgust': 'angry'}},
            ]
        },
    )
    loaded = load_sets(mixed)
    assert len(loaded.training) == 2 * 84
    assert set(loaded.weights) == {0.5, 1.0}
    assert [faces.name for faces in loaded.validation] == ['faces', 'mine']
    assert (
        loaded.data['mine']['training'] | {'angry': 24, 'disgust': 0}
        == (loaded.data['mine']['training'])
    )
    with pytest.raises(DataError, match="two data sets are called 'faces'"):
        load_sets(with_values(config, {'sets': [{'path': path}, {'path': path}]}))


def test_a_folder_without_splits_keeps_a_tenth_to_choose_by(
    config: RunConfig, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for label in config.heads[0].classes:
        (tmp_path / 'mine' / label).mkdir(parents=True)
        for name in 'abcdefghijklmnopqrst':
            coarse = rng.integers(0, 256, (6, 6), np.uint8)
            face = cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_NEAREST)
            cv2.imwrite(str(tmp_path / 'mine' / label / f'{name}.png'), face)
    loaded = load_sets(with_values(config, {'sets': [{'path': str(tmp_path / 'mine')}]}))
    assert len(loaded.training) + len(loaded.validation[0]) == 7 * 20
    assert loaded.data['mine']['validation'] == len(loaded.validation[0])
    assert 7 <= len(loaded.validation[0]) <= 21


def test_a_batch_can_be_made_again(config: RunConfig) -> None:
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    first = FaceBatches(loaded.training.images, targets, config)
    first.next_epoch()
    second = FaceBatches(loaded.training.images, targets, config, first_epoch=1)
    np.testing.assert_array_equal(first[1][0], second[1][0])
    assert not np.array_equal(first[0][0], first[1][0])


def test_oversampling_evens_out_classes(config: RunConfig) -> None:
    images = np.zeros((1000, 48, 48), np.uint8)
    targets = np.eye(7, dtype=np.float32)[np.where(np.arange(1000) < 900, 0, 1)]
    even = with_values(config, {'balance': {'method': 'oversampling', 'strength': 1.0}})
    batches = FaceBatches(images, targets, even)
    rare = np.concatenate([batches[i][1] for i in range(len(batches))])[:, 1].mean()
    assert rare == pytest.approx(0.5, abs=0.06)


LOGITS = np.array([[2.0, 0.0, 0.0, 1.0], [0.0, 1.0, 3.0, 0.0]], np.float32)
TARGETS = np.array([[1, 0, 0, 1], [0, 0, 1, 0]], np.float32)


@pytest.mark.parametrize(
    'settings, expected',
    [
        # log(e^2 + 1) - 2 + log(1 + e) - 1 and, without a target of the first head, log(e^3+1) - 3.
        pytest.param({}, [0.126928 + 0.313262, 0.048587], id='plain'),
        pytest.param(
            {'focal_gamma': 1.0},
            [0.126928 * 0.119203 + 0.313262 * 0.268941, 0.048587 * 0.047426],
            id='focal',
        ),
        pytest.param(
            {'log_priors': np.array([2, 0, 0, -1], np.float32)},
            [0.018150 + 0.693147, 0.018150],
            id='logit adjustment',
        ),
    ],
)
def test_losses(settings: dict, expected: list[float]) -> None:
    loss = HeadsLoss([2], **settings)
    np.testing.assert_allclose(np.asarray(loss.call(TARGETS, LOGITS)), expected, atol=1e-4)


def test_smoothing_spreads_targets_within_their_head(config: RunConfig) -> None:
    smooth = with_values(config, {'optimization.label_smoothing': 0.35})
    targets = np.zeros((2, 7), np.float32)
    targets[0, 3] = 2.0
    learned = learned_targets(targets, smooth)
    np.testing.assert_allclose(learned[0], [0.1, 0.1, 0.1, 1.4, 0.1, 0.1, 0.1], atol=1e-6)
    assert not learned[1].any(), 'a face without a label teaches nothing'


def test_weights_of_classes_are_in_the_targets(config: RunConfig) -> None:
    balanced = with_values(config, {'balance': {'method': 'class_weights', 'strength': 1.0}})
    targets = np.eye(7, dtype=np.float32)[[0, 0, 0, 1]]
    learned = learned_targets(targets, balanced)
    np.testing.assert_allclose(learned[0, 0], 2 / 3, atol=1e-6)
    np.testing.assert_allclose(learned[3, 1], 2, atol=1e-6)


def test_weights_of_classes_even_them_out() -> None:
    shares = class_shares(np.array([[1, 0, 0]] * 3 + [[0, 1, 0]], np.float32))
    np.testing.assert_allclose(shares, [0.75, 0.25, 0])
    weights = effective_class_weights(shares, 1.0)
    np.testing.assert_allclose(weights, [2 / 3, 2, 0], atol=1e-6)


@pytest.mark.parametrize('method', ['class_weights', 'focal', 'logit_adjustment'])
def test_every_way_of_balancing_trains(config: RunConfig, method: str) -> None:
    balanced = with_values(config, {'balance': {'method': method, 'strength': 1.0}})
    targets = head_targets(load_sets(config).training, config)
    logits = np.zeros((len(targets), 7), np.float32)
    values = np.asarray(make_loss(targets, balanced).call(targets, logits))
    assert np.isfinite(values).all()


FROM_KERAS = ('efficientnet', 'mobilenet_v3', 'resnet50')
"""Large, and Keras's own: the weekly workflow tries them."""


@pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in FROM_KERAS else [])
        for name in ARCHITECTURES
    ],
)
def test_every_architecture_learns_from_an_odd_number_of_faces(name: str) -> None:
    channels = 3 if name == 'resnet50' else 1
    model = build_model(name, 15, channels, size_px=48)
    assert model.output_shape == (None, 15)
    assert model.count_params() > 10000
    model.compile(optimizer='sgd', loss='mse')
    loss = model.train_on_batch(np.zeros((3, 48, 48, channels)), np.zeros((3, 15)))
    assert np.isfinite(loss)


@pytest.mark.parametrize(
    'name, options, channels, message',
    [
        pytest.param('vgg', {}, 1, "no architecture is called 'vgg'", id='unknown'),
        pytest.param('residual', {'depth': 3}, 1, "has no option 'depth'", id='option'),
        pytest.param('resnet50', {'weights': 'gone.h5'}, 3, 'gone.h5 does not exist', id='file'),
        pytest.param('mobilenet_v3', {'weights': 'imagenet'}, 1, 'need colour', id='grey'),
    ],
)
def test_a_network_that_cannot_be_had_is_named(
    name: str, options: dict, channels: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_model(name, 7, channels, options, 48)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'bad.weights.h5'
    path.write_bytes(b'no weights')
    with pytest.raises(ConfigError, match='cannot be had'):
        build_model('mobilenet_v3', 7, 3, {'weights': str(path)}, 48)


def test_a_backbone_is_frozen_first(config: RunConfig, tmp_path: Path) -> None:
    values = {'optimization.frozen_epochs': 1, 'optimization.epochs': 1}
    chosen = with_values(config, {'model': {'architecture': 'mobilenet_v3'}, **values})
    result = train(chosen, tmp_path)
    (backbone,) = [layer for layer in result.model.layers if isinstance(layer, keras.Model)]
    assert not backbone.trainable
    with pytest.raises(ConfigError, match='no backbone to freeze'):
        train(with_values(config, {'optimization.frozen_epochs': 1}), tmp_path / 'other')


@pytest.mark.filterwarnings('ignore:.*is deprecated:DeprecationWarning')  # KerasTuner's threads
def test_settings_are_searched(config: RunConfig, tmp_path: Path) -> None:
    pytest.importorskip('keras_tuner', reason='KerasTuner is not installed')
    short = with_values(config, {'optimization.epochs': 1})
    space = {
        'optimization.learning_rate': {'low': 0.01, 'high': 0.1, 'log': True},
        'augmentation.mixup': [0.0, 0.4],
    }
    found = search(short, space, tmp_path, trials=2)
    assert set(found['values']) == set(space)
    assert (tmp_path / 'best.json').exists()
    with pytest.raises(ConfigError, match=r'holds another search: config\.seed differ'):
        search(with_values(short, {'seed': 2}), space, tmp_path, trials=2)
    with pytest.raises(ConfigError, match='expected a list or'):
        search(short, {'seed': 3}, tmp_path / 'other', trials=1)


def test_variants_are_compared_in_one_table(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / 'same')
    config = configuration.load(run / 'config.yaml')
    found = compare(config, {'same': None}, tmp_path)
    history = RunFolder(run).read_history()
    best = max(history, key=lambda row: row['score'])
    name = 'faces/fer2013/accuracy'
    assert found['same'][name] == pytest.approx(best[name])
    assert len(as_markdown(found).splitlines()) == 3
    with pytest.raises(ConfigError, match='seed differ'):
        compare(config, {'same': {'seed': 99}}, tmp_path)


def test_fast_layers_compute_the_same(root: Path) -> None:
    pytest.importorskip('torch', reason='PyTorch is not installed; it is optional')
    program = Path(__file__).with_name('fast_torch_check.py')
    result = subprocess.run(
        [sys.executable, str(program)],
        cwd=root,
        env={**os.environ, 'KERAS_BACKEND': 'torch', 'PYTHONPATH': str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert 'the same' in result.stdout


def test_defaults_of_augmentation_are_in_range() -> None:
    assert AugmentationConfig().without_mixing().mixup == 0
