# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A detector made deeper and wider answers what it did; one made smaller is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip('keras', reason='training needs Keras: see requirements/train.txt')

from fer_ros.errors import ConfigError  # noqa: E402
from training.detector.growth import grow  # noqa: E402
from training.detector.network import NetworkConfig, build_network, for_training  # noqa: E402

SMALL = NetworkConfig(stem=(4, 8), widths=(8, 12, 12), depths=(1, 1, 1), neck=8)
SIZE = 64


def network(config: NetworkConfig) -> keras.Model:
    return for_training(build_network(config, (SIZE, SIZE)))


def answers(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((4, SIZE, SIZE, 3), np.float32)


@pytest.fixture
def trained() -> keras.Model:
    """A small network in which no weight is what a new one has."""
    rng = np.random.default_rng(1)
    model = network(SMALL)

    def drawn(shape: tuple[int, ...]) -> np.ndarray:
        return rng.normal(0, 0.2, shape) if len(shape) == 4 else rng.uniform(0.5, 1, shape)

    model.set_weights([drawn(weight.shape) for weight in model.weights])
    return model


@pytest.mark.parametrize(
    'more',
    [
        {'depths': (2, 3, 1)},
        {'neck': 12},
        {'stem': (6, 8), 'widths': (8, 12, 16)},
        {'depths': (1, 2, 2), 'widths': (12, 12, 12), 'neck': 10},
    ],
    ids=['deeper', 'wider neck', 'wider', 'both'],
)
def test_a_grown_network_answers_the_same(
    trained: keras.Model, images: np.ndarray, more: dict[str, object]
) -> None:
    config = replace(SMALL, **more)
    model = network(config)
    before = answers(model, images)
    grow(model, config, trained, SMALL, images)
    wanted = answers(trained, images)
    assert np.abs(before - wanted).max() > 0.01
    np.testing.assert_allclose(answers(model, images), wanted, atol=1e-4)


@pytest.mark.parametrize(
    'less', [{'depths': (1, 0, 1)}, {'widths': (8, 10, 12)}], ids=['shallower', 'narrower']
)
def test_a_network_without_room_is_refused(
    trained: keras.Model, images: np.ndarray, less: dict[str, object]
) -> None:
    config = replace(SMALL, **less)
    with pytest.raises(ConfigError, match='grown_from'):
        grow(network(config), config, trained, SMALL, images)
