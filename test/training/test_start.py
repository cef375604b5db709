# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 - Keras reads its backend from the environment when it is imported
"""The float weights that are kept of the shipped models; networks that start from them and grow."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
keras = pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')

from fer_ros.errors import ConfigError, ModelError
from fer_ros.images.demo import demo_photos
from fer_ros.models.card import DetectorCard, EmotionModelCard
from training.__main__ import main
from training.detector.export import load_network
from training.detector.train import SHIPPED, read_recipe
from training.emotion import config as configuration
from training.emotion.architectures import build_model
from training.emotion.batches import network_input
from training.emotion.config import ModelConfig, RunConfig, SetConfig
from training.emotion.runs import SHIPPED_RUN, load_run, new_model, start_from
from training.engine import settings
from training.engine.export import file_predictor, litert_outputs
from training.engine.run import Checkpoint, read_checkpoint, write_checkpoint

MAX_DIFFERENCE = 0.35
"""Of a logit; activations scaled to 8 bits take about 0.1."""
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


KEEP_THEM = 'another model is shipped now: keep its float weights too (python -m training keep)'


def test_the_emotion_weights_kept_are_those_of_the_shipped_file() -> None:
    faces = some_faces()
    config, model = load_run('shipped')
    assert config.model.architecture == 'residual'
    mine = keras.ops.convert_to_numpy(model(faces, training=False))
    theirs = file_predictor('litert', EmotionModelCard.load().weights_path('litert'))(faces)
    assert np.abs(mine - theirs).max() < MAX_DIFFERENCE, KEEP_THEM
    assert np.mean(mine[:, :8].argmax(axis=1) == theirs[:, :8].argmax(axis=1)) > 0.95


def test_the_detector_weights_kept_are_those_of_the_shipped_file(root: Path) -> None:
    recipe = read_recipe(root / 'training' / 'detector' / 'detector.yaml')
    network = load_network(recipe, SHIPPED, (None, None))
    inputs = demo_photos()[0][None, :256, :320].astype(np.float32) / 255
    maps = [keras.ops.convert_to_numpy(one) for one in network(inputs, training=False)]
    found = litert_outputs(DetectorCard.load().weights_path('litert'))(inputs)
    for mine, theirs in zip(maps, sorted(found, key=lambda one: -one.size), strict=True):
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs).mean() < 0.05, KEEP_THEM


def test_statistics_kept_are_those_of_faces(shared: Path) -> None:
    """Trained on, the network must see what it saw: batches give about the stored statistics."""
    with np.load(shared / 'data' / 'fer2013.npz') as content:
        faces = content['images'][:400]
    config, model = load_run('shipped')
    norm = next(one for one in model.layers if isinstance(one, keras.layers.BatchNormalization))
    inputs = network_input(faces, config.model)
    seen = keras.ops.convert_to_numpy(keras.Model(model.input, norm.input)(inputs))
    mean, variance = norm.get_weights()[2:]
    np.testing.assert_allclose(seen.mean(axis=(0, 1, 2)), mean, atol=0.1)
    np.testing.assert_allclose(seen.var(axis=(0, 1, 2)), variance, rtol=0.2)


def test_a_run_is_kept_small_and_without_places(tmp_path: Path) -> None:
    config = small_run(tmp_path / 'run')
    assert main(['keep', str(tmp_path / 'run'), str(tmp_path / 'kept')]) == 0
    name = Path('checkpoints') / 'best.npz'
    full, half = (read_checkpoint(tmp_path / one / name).average for one in ('run', 'kept'))
    assert {one.dtype for one in half} == {np.dtype(np.float16)}
    for mine, theirs in zip(full, half, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3)
    kept = settings.load(RunConfig, tmp_path / 'kept' / 'config.yaml')
    assert kept.sets[0].path == 'none.npz'
    assert kept.model == config.model
    assert '/' not in (SHIPPED_RUN / 'config.yaml').read_text()


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
    recipe = EmotionModelCard.load().about['recipe']
    config = configuration.from_mapping(
        {
            'sets': [{'path': 'mine'}],
            'heads': [{'name': 'mine', 'labels': ['neutral', 'bored', 'happy']}],
            'model': recipe['model'],
            'start': 'shipped',
        }
    )
    model = new_model(config, 48)
    start_from(model, config)
    mine = keras.ops.convert_to_numpy(model(some_faces(20), training=False))
    card = EmotionModelCard.load()
    theirs = file_predictor('litert', card.weights_path('litert'))(some_faces(20))
    head, columns = card.head()
    for column, label in ((0, 'neutral'), (2, 'happy')):
        expected = theirs[:, columns][:, head.labels.index(label)]
        np.testing.assert_allclose(mine[:, column], expected, atol=MAX_DIFFERENCE)


def test_a_run_from_a_shipped_model_sees_faces_as_its_card_says() -> None:
    card = dataclasses.replace(EmotionModelCard.load(), normalization='equalize')
    assert configuration.from_card(card).model.normalization == 'equalize'
    assert load_run('shipped')[0].model.normalization == EmotionModelCard.load().normalization


def test_a_card_without_a_recipe_is_refused() -> None:
    card = dataclasses.replace(EmotionModelCard.load(), about={})
    with pytest.raises(ModelError, match='has no recipe'):
        configuration.from_card(card)
