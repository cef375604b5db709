# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 - Keras reads its backend from the environment when it is imported
"""What a robot runs back into what training can start from; networks that grow."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
keras = pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')

from fer_ros.config import ClassificationConfig
from fer_ros.errors import ConfigError, ModelError
from fer_ros.images.demo import demo_photos
from fer_ros.models.card import DetectorCard, EmotionModelCard
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from training.__main__ import main
from training.detector.network import build_network
from training.detector.train import read_recipe
from training.emotion import config as configuration
from training.emotion.architectures import build_model
from training.emotion.batches import network_input
from training.emotion.config import ModelConfig, RunConfig, SetConfig
from training.emotion.runs import load_run, new_model
from training.emotion.shipped import MAX_DIFFERENCE, _recipe, recover
from training.emotion.start import start_from
from training.engine import settings
from training.engine.checkpoints import Checkpoint, write_checkpoint
from training.engine.export import litert_outputs, litert_predictor, predict
from training.engine.from_litert import LiteRtWeights, fill

SMALL = {'widths': [8, 16], 'blocks': [1, 1], 'stem': 4, 'dropout': 0.0}


@pytest.fixture(autouse=True)
def _float32() -> None:
    keras.config.set_dtype_policy('float32')


def some_faces(count: int = 100) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 48, 48, 1)).astype(np.float32)


def small_run(folder: Path, **options: object) -> RunConfig:
    """Write the folder of a run whose weights, statistics included, are drawn by chance."""
    config = RunConfig(
        sets=(SetConfig(path='none.npz'),), model=ModelConfig(options={**SMALL, **options})
    )
    model = new_model(config, 48)
    rng = np.random.default_rng(3)
    weights = [rng.uniform(0.1, 0.5, one.shape).astype(np.float32) for one in model.weights]
    (folder / 'checkpoints').mkdir(parents=True)
    settings.save(config, folder / 'config.yaml')
    write_checkpoint(folder / 'checkpoints' / 'best.npz', Checkpoint(1, [], weights))
    return config


@pytest.fixture(scope='module')
def recovered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as a run, its statistics taken from some_faces."""
    keras.config.set_dtype_policy('float32')
    run = tmp_path_factory.mktemp('recovered') / 'run'
    sets = (SetConfig(path='faces.npz'),)
    assert recover(EmotionModelCard.load(), run, some_faces(), sets) < MAX_DIFFERENCE
    return run


def test_the_shipped_model_comes_back_as_a_run(recovered: Path) -> None:
    faces = some_faces()
    config, model = load_run(recovered)
    assert config.model.architecture == 'residual'
    mine = keras.ops.convert_to_numpy(model(faces, training=False))
    theirs = predict(litert_predictor(EmotionModelCard.load().weights_path('litert')), faces)
    assert np.mean(mine[:, :8].argmax(axis=1) == theirs[:, :8].argmax(axis=1)) > 0.95


def test_recovered_statistics_are_those_of_the_faces(recovered: Path) -> None:
    """Trained on, the network must see what it saw: batches give about the stored statistics."""
    faces = some_faces()
    _, model = load_run(recovered)
    norm = next(one for one in model.layers if isinstance(one, keras.layers.BatchNormalization))
    seen = keras.ops.convert_to_numpy(keras.Model(model.input, norm.input)(faces))
    mean, variance = norm.get_weights()[2:]
    np.testing.assert_allclose(seen.mean(axis=(0, 1, 2)), mean, atol=0.05)
    np.testing.assert_allclose(seen.var(axis=(0, 1, 2)), variance, rtol=0.1)


def test_the_shipped_detector_comes_back_as_a_network(root: Path) -> None:
    recipe = read_recipe(root / 'training' / 'detector' / 'detector.yaml')
    network = build_network(recipe.network, (None, None))
    image = demo_photos()[0][:256, :320]
    inputs = image[None].astype(np.float32) / 255
    path = DetectorCard.load().weights_path('litert')
    fill(network, LiteRtWeights(path), inputs)
    maps = [keras.ops.convert_to_numpy(one) for one in network(inputs, training=False)]
    found = sorted(litert_outputs(path)(inputs), key=lambda one: -one.size)
    for mine, theirs in zip(maps, found, strict=True):
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs).mean() < 0.05


@pytest.mark.parametrize(
    'architecture, options',
    [('residual', SMALL), ('baseline_cnn', {})],
    ids=['fewer blocks', 'another network'],
)
def test_weights_of_another_network_are_refused(architecture: str, options: dict) -> None:
    model = build_model(architecture, 15, 1, options, 48)
    weights = LiteRtWeights(EmotionModelCard.load().weights_path('litert'))
    with pytest.raises(ModelError, match='another network'):
        fill(model, weights, some_faces(8))


def test_the_command_takes_faces_of_any_kind(tmp_path: Path) -> None:
    """A set of few faces and one class will do."""
    images = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
    zeros = np.zeros(40, np.uint8)
    np.savez(tmp_path / 'faces.npz', images=images, labels=zeros, usage=zeros)
    card = str(EmotionModelCard.find('default'))
    arguments = [card, str(tmp_path / 'run'), '--faces', str(tmp_path / 'faces.npz')]
    assert main(['from_litert', *arguments]) == 0
    config, _ = load_run(tmp_path / 'run')
    assert [item.path for item in config.sets] == [str(tmp_path / 'faces.npz')]


def test_what_cannot_be_recovered_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    nonsense = tmp_path / 'x.tflite'
    nonsense.write_bytes(b'no model')
    with pytest.raises(ModelError, match=r'x\.tflite'):
        LiteRtWeights(nonsense)
    arguments = [str(tmp_path / 'none.json'), str(tmp_path / 'run'), '--faces', 'faces.npz']
    assert main(['from_litert', *arguments]) == 1
    assert 'from_litert: model card' in capsys.readouterr().err


@pytest.mark.parametrize(
    'added',
    [{}, {'stem_blocks': 1}, {'blocks': [2, 2]}, {'stem_blocks': 2, 'blocks': [2, 3]}],
    ids=['the same', 'before pooling', 'in each stage', 'everywhere'],
)
def test_a_grown_network_responds_like_the_run_it_starts_from(tmp_path: Path, added: dict) -> None:
    config = small_run(tmp_path / 'run')
    _, before = load_run(tmp_path / 'run')
    options = {**SMALL, **added}
    grown = build_model('residual', sum(len(h.classes) for h in config.heads), 1, options, 48)
    start_from(grown, dataclasses.replace(config, start=str(tmp_path / 'run')))
    faces = some_faces(4)
    expected, results = (
        keras.ops.convert_to_numpy(model(faces, training=False)) for model in (before, grown)
    )
    np.testing.assert_allclose(results, expected, rtol=1e-4, atol=1e-4)


def test_a_network_that_lacks_parts_of_the_run_is_refused(tmp_path: Path) -> None:
    config = small_run(tmp_path / 'run', blocks=[2, 2])
    model = build_model('residual', 15, 1, SMALL, 48)
    with pytest.raises(ConfigError, match='is no part of this one'):
        start_from(model, dataclasses.replace(config, start=str(tmp_path / 'run')))
    with pytest.raises(ConfigError, match='not the folder of a run'):
        start_from(model, dataclasses.replace(config, start=str(tmp_path / 'none')))


def test_a_subset_starts_from_the_shipped_model_s_rows() -> None:
    card = EmotionModelCard.load()
    network = {**card.about['recipe']['model'], 'normalization': card.normalization}
    config = configuration.from_mapping(
        {
            'sets': [{'path': 'mine'}],
            'heads': [{'name': 'mine', 'labels': ['neutral', 'bored', 'happy']}],
            'model': network,
            'start': 'shipped',
        }
    )
    faces = np.random.default_rng(0).integers(0, 256, (70, 48, 48)).astype(np.uint8)
    model = new_model(config, 48)
    start_from(model, config, faces)
    mine = keras.ops.convert_to_numpy(model(network_input(faces, config.model), training=False))
    shipped = make_classifier(ClassificationConfig())
    card = dataclasses.replace(shipped.card, mirror=False)
    theirs = EmotionClassifier(card, shipped.runtime).logits(faces)
    labels = card.head()[0].labels
    np.testing.assert_allclose(mine[:, 0], theirs[:, labels.index('neutral')], atol=MAX_DIFFERENCE)
    np.testing.assert_allclose(mine[:, 2], theirs[:, labels.index('happy')], atol=MAX_DIFFERENCE)


def test_a_run_from_a_shipped_model_sees_faces_as_its_card_says() -> None:
    card = dataclasses.replace(EmotionModelCard.load(), normalization='equalize')
    assert _recipe(card).model.normalization == 'equalize'
