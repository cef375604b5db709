# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of training that need no Keras."""

from __future__ import annotations

import contextlib
import dataclasses
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_ros.errors import ConfigError, ModelError
from fer_ros.recognition.classifier import softmax
from training.emotion import config as configuration
from training.emotion.augment import AugmentationConfig, augment, light_tables, mix
from training.emotion.calibrate import fit_class_biases, fit_temperature, fit_unknown_threshold
from training.engine import settings
from training.engine.run import Checkpoint, assign, read_checkpoint, write_checkpoint
from training.engine.schedules import Course

STILL = AugmentationConfig(
    **{item.name: type(item.default)(0) for item in dataclasses.fields(AugmentationConfig)}
)
FACES = np.random.default_rng(0).integers(0, 256, (6, 48, 48)).astype(np.uint8)


def changed(**settings: float) -> np.ndarray:
    config = dataclasses.replace(STILL, **settings)
    return augment(FACES, config, np.random.default_rng(1), 48)


def test_augmentation_at_zero_changes_nothing() -> None:
    np.testing.assert_array_equal(changed(), FACES)


@pytest.mark.parametrize(
    'setting, value',
    [
        ('rotation_deg', 20.0),
        ('zoom', 0.3),
        ('shift', 0.2),
        ('brightness', 0.3),
        ('contrast', 0.5),
        ('gamma', 0.5),
        ('low_light', 1.0),
        ('over_exposure', 1.0),
        ('blur', 1.0),
        ('erasing', 1.0),
    ],
)
def test_each_change_changes_faces_the_same_way_for_a_seed(setting: str, value: float) -> None:
    faces = changed(**{setting: value})
    assert faces.shape == FACES.shape
    assert faces.dtype == np.uint8
    assert not np.array_equal(faces, FACES)
    np.testing.assert_array_equal(faces, changed(**{setting: value}))


def test_a_sure_flip_is_the_mirror_image() -> None:
    np.testing.assert_array_equal(changed(flip=1.0), FACES[:, :, ::-1])


def test_noise_has_a_deviation_within_its_limit() -> None:
    grey = np.full((50, 48, 48), 127, np.uint8)
    config = dataclasses.replace(STILL, noise=1.0, noise_sigma=10.0)
    noisy = augment(grey, config, np.random.default_rng(0), 48)
    deviations = noisy.std(axis=(1, 2))
    assert deviations.max() < 11
    assert deviations.mean() == pytest.approx(5, abs=1.5)


def test_low_light_darkens_and_never_brightens() -> None:
    dark = np.ones(100, bool)
    tables = light_tables(dark, STILL, np.random.default_rng(0))
    assert tables[:, 255].max() <= round(0.6 * 255)
    assert (np.diff(tables.astype(int), axis=1) >= 0).all()


def test_over_exposure_brightens_and_reaches_white() -> None:
    config = dataclasses.replace(STILL, over_exposure=1.0)
    tables = light_tables(np.zeros(100, bool), config, np.random.default_rng(0))
    assert (tables >= np.arange(256)).all()
    assert (tables[:, 200] == 255).all()


def test_faces_can_be_made_smaller_on_the_way() -> None:
    assert augment(FACES, STILL, np.random.default_rng(0), 36).shape == (6, 36, 36)


@pytest.mark.parametrize('setting', ['mixup', 'cutmix'])
def test_mixed_targets_keep_their_mass(setting: str) -> None:
    inputs = FACES.astype(np.float32)[..., None]
    targets = np.eye(6, dtype=np.float32)
    config = dataclasses.replace(STILL, **{setting: 1.0})
    faces, mixed = mix(inputs, targets, config, np.random.default_rng(0))
    assert not np.array_equal(faces, inputs)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
    assert mixed.max() < 1


def rates(schedule: str, **settings: float) -> list[float]:
    values = {'learning_rate': 1.0, 'epochs': 10, 'warmup_epochs': 0.0, **settings}
    return [Course(schedule=schedule, **values).rate(epoch) for epoch in (0, 1, 3, 5, 10)]


@pytest.mark.parametrize(
    'schedule, settings, expected',
    [
        ('constant', {}, [1, 1, 1, 1, 1]),
        ('constant', {'warmup_epochs': 2.0}, [0, 0.5, 1, 1, 1]),
        ('cosine', {}, [1, 0.97553, 0.79389, 0.5, 0]),
        ('trapezoid', {'cooldown': 0.8}, [1, 1, 0.875, 0.625, 0]),
        ('one_cycle', {}, [0.02, 0.265, 1, 0.81174, 0]),
    ],
)
def test_learning_rates(schedule: str, settings: dict[str, float], expected: list[float]) -> None:
    assert rates(schedule, **settings) == pytest.approx(expected, abs=1e-4)


def drawn_labels() -> tuple[np.ndarray, np.ndarray]:
    """Return logits (20000, 4) and labels drawn with the chances that they stand for."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20000, 4)).astype(np.float32)
    chances = softmax(logits, 1.0)
    return logits, (chances.cumsum(axis=1) > rng.random((20000, 1))).argmax(axis=1)


def test_the_temperature_that_shifts_logits_is_found() -> None:
    logits, truth = drawn_labels()
    assert fit_temperature(logits * 3, truth) == pytest.approx(3, rel=0.05)


def test_the_biases_that_shifts_logits_are_found() -> None:
    logits, truth = drawn_labels()
    shifts = np.array([0.5, -1.0, 1.0, -0.5], np.float32)
    found = fit_class_biases(3 * (logits - shifts), truth)
    np.testing.assert_allclose(found, 3 * shifts, atol=0.15)
    # A handful of faces says little about classes.
    assert np.abs(fit_class_biases(3 * (logits - shifts)[:8], truth[:8])).max() < 0.3


def test_labels_that_logits_never_miss_end_at_the_lowest_temperature() -> None:
    logits = np.eye(4, dtype=np.float32)
    assert fit_temperature(logits, np.arange(4)) == pytest.approx(0.05, rel=0.1)
    # Worthless logits: the highest.
    assert fit_temperature(logits, np.arange(4)[::-1]) == 20


def test_the_threshold_lies_where_responds_turn_right() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.52], np.float32)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    assert fit_unknown_threshold(probabilities, np.array([0, 0, 1, 0, 1, 1])) == 0.8
    assert fit_unknown_threshold(probabilities, np.zeros(6, np.int64)) == 0.52


STATE = Checkpoint(3, [np.ones((2, 3))], [np.zeros(4)], [np.arange(5)], {'best': 0.5})


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / 'last.npz'
    write_checkpoint(path, STATE)
    state = read_checkpoint(path)
    assert (state.epoch, state.facts) == (3, {'best': 0.5})
    for group in ('weights', 'average', 'optimizer'):
        np.testing.assert_array_equal(getattr(state, group)[0], getattr(STATE, group)[0])


def cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    place = data.index(np.arange(5).tobytes())
    return data[:place] + b'\xff' + data[place + 1 :]


@pytest.mark.parametrize(
    'spoil',
    [
        pytest.param(cut_off, id='cut off'),
        pytest.param(flipped, id='one byte changed'),
        pytest.param(lambda data: b'', id='empty'),
        pytest.param(lambda data: b'not a checkpoint', id='text'),
    ],
)
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / 'last.npz'
    write_checkpoint(path, STATE)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelError, match=r'last\.npz cannot be read'):
        read_checkpoint(path)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(ModelError, match='of another network: it holds 1 arrays where 0'):
        assign([], [np.zeros(3)], Path('a.npz'))


@contextlib.contextmanager
def tiny_disk() -> Iterator[None]:
    """No file may grow beyond 2000 bytes: writing fails as on a full disk.

    For no longer than the writing itself: pytest's own report may go to a file as well.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / 'last.npz'
    write_checkpoint(path, STATE)
    big = Checkpoint(4, [np.ones(10000)], [])
    message = r'last\.npz could not be written: .*File too large'
    with tiny_disk(), pytest.raises(ModelError, match=message):
        write_checkpoint(path, big)
    assert read_checkpoint(path).epoch == 3
    assert [item.name for item in tmp_path.iterdir()] == ['last.npz']


GOOD = {'sets': [{'path': 'a.npz'}]}


def test_a_configuration_is_written_and_read_back(tmp_path: Path) -> None:
    config = configuration.from_mapping(
        {**GOOD, 'model': {'options': {'widths': [8, 16]}}, 'optimization': {'size_steps': {0: 36}}}
    )
    settings.save(config, tmp_path / 'run.yaml')
    again = configuration.load(tmp_path / 'run.yaml')
    assert again.sets[0].path == str(tmp_path / 'a.npz')
    assert dataclasses.replace(again, sets=config.sets) == config


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param([], 'run: expected a mapping', id='a list'),
        pytest.param({}, 'at least one data set', id='no data'),
        pytest.param({**GOOD, 'speed': 1}, "no setting is called 'speed'", id='unknown'),
        pytest.param({**GOOD, 'seed': 'x'}, "run.seed: expected int, got 'x'", id='type'),
        pytest.param({**GOOD, 'sets': 'a.npz'}, 'run.sets: expected a list', id='not a list'),
        pytest.param(
            {**GOOD, 'optimization': {'schedule': 'magic'}},
            'schedule: expected one of',
            id='choice',
        ),
        pytest.param(
            {**GOOD, 'augmentation': {'flip': 2}}, 'flip: expected 0 to 1, got 2', id='range'
        ),
        pytest.param({**GOOD, 'heads': [{}, {}]}, 'each named once', id='heads'),
        pytest.param(
            {**GOOD, 'model': {'channels': 2}}, 'channels: expected 1 or 3', id='channels'
        ),
    ],
)
def test_a_wrong_configuration_is_named(content: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configuration.from_mapping(content)


@pytest.mark.parametrize(
    'labels, expected',
    [
        pytest.param(['Happy', 'SADNESS'], ('happy', 'sad'), id='known words'),
        pytest.param(['happy', 'bored'], ('happy', 'bored'), id='a class of one\'s own'),
    ],
)
def test_labels_of_a_head(labels: list[str], expected: tuple[str, ...]) -> None:
    config = configuration.from_mapping({**GOOD, 'heads': [{'labels': labels}]})
    assert config.heads[0].labels == expected
    assert config.own_classes == tuple(label for label in expected if label == 'bored')


@pytest.mark.parametrize('labels', [['happy', 'Happiness'], ['happy'], ['happy', 'unknown']])
def test_labels_that_cannot_be_told_apart_are_refused(labels: list[str]) -> None:
    with pytest.raises(ConfigError, match='at least two different class names'):
        configuration.from_mapping({**GOOD, 'heads': [{'labels': labels}]})


def test_an_earlier_name_is_read_with_a_warning() -> None:
    with pytest.warns(FutureWarning, match='calm_epochs is now called no_mix_epochs'):
        config = configuration.from_mapping({**GOOD, 'augmentation': {'calm_epochs': 3}})
    assert config.augmentation.no_mix_epochs == 3


def test_differences_are_named() -> None:
    first = {'heads': [{'labels': ['a', 'b']}], 'seed': 1, 'optimization': {'epochs': 2}}
    second = {'heads': [{'labels': ['b', 'a']}], 'seed': 2, 'optimization': {'epochs': 3}}
    assert list(settings.differences(first, second, ['optimization.epochs'])) == [
        'heads[0].labels',
        'seed',
    ]


@pytest.mark.parametrize('text', ['a: [', '\tb'], ids=['open list', 'tab'])
def test_yaml_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'run.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'run\.yaml'):
        configuration.load(path)


def test_the_configurations_that_come_along_are_valid(root: Path) -> None:
    recipes = root / 'training' / 'emotion' / 'recipes'
    for name in ('residual', 'student', 'short', 'medium', 'natural'):
        assert configuration.load(recipes / f'{name}.yaml').name == name
