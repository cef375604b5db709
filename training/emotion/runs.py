# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A finished (or stopped) run's folder, read back, and weights to begin another run with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ConfigError
from fer_ros.models.card import EmotionModelCard
from fer_ros.teaching.network import last_layer
from training.commands import command, option
from training.emotion import config as configuration
from training.emotion.architectures import build_model
from training.emotion.config import SHIPPED, RunConfig
from training.engine import settings
from training.engine.run import Checkpoint, assign, read_checkpoint, write_checkpoint

SHIPPED_RUN = Path(__file__).parent / 'shipped'
"""The run behind the shipped model: float weights at half precision."""
LAST = 'logits'


def new_model(config: RunConfig, size_px: int | None = None) -> keras.Model:
    """Return the untrained network of a run."""
    columns = sum(len(head.classes) for head in config.heads)
    model = config.model
    return build_model(model.architecture, columns, model.channels, model.options, size_px)


def load_run(name: str | Path, checkpoint: str = 'best') -> tuple[RunConfig, keras.Model]:
    """Return a run's configuration and its network with averaged weights, in float32.

    Args:
        name: folder of the run, 'shipped', or a card that lists a ``.keras`` file.
        checkpoint: 'best' or 'last'.

    Raises:
        ConfigError: the folder holds no run, or the card lists no float weights.
        ModelError: the checkpoint is missing or damaged.
    """
    folder = SHIPPED_RUN if str(name) == SHIPPED else Path(name)
    if folder.suffix == '.json':
        return _load_card(EmotionModelCard.load(str(folder)))
    if not (folder / 'config.yaml').is_file():
        raise ConfigError(f'{folder} is not the folder of a run: config.yaml is missing')
    config = configuration.load(folder / 'config.yaml')
    model = _new_float32(config)
    path = folder / 'checkpoints' / f'{checkpoint}.npz'
    assign(model.weights, read_checkpoint(path).average, path)
    if folder == SHIPPED_RUN:
        config = _as_shipped(config, model, EmotionModelCard.load())
    return config, model


def _as_shipped(config: RunConfig, model: keras.Model, card: EmotionModelCard) -> RunConfig:
    """Take from the shipped model what may have been fitted since: last layer, normalisation."""
    model.get_layer(LAST).set_weights(last_layer(card.weights_path('litert').read_bytes()))
    form = dataclasses.replace(config.model, normalization=card.normalization)
    return dataclasses.replace(config, model=form)


def _load_card(card: EmotionModelCard) -> tuple[RunConfig, keras.Model]:
    """Return what ``load_run`` does, of an exported model."""
    if 'keras' not in card.files:
        raise ConfigError(
            f'start: model {card.id} lists no .keras file, so its float weights are not known; '
            "start from its run's folder or from 'shipped'"
        )
    config = configuration.from_card(card)
    model = _new_float32(config)
    saved = keras.saving.load_model(card.weights_path('keras'), compile=False, safe_mode=True)
    model.set_weights(saved.get_weights())
    return config, model


def _new_float32(config: RunConfig) -> keras.Model:
    # A student or a run that starts from this one goes on in its own precision.
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy('float32')
    model = new_model(config, config.model.size_px)
    keras.config.set_dtype_policy(policy)
    return model


def write_run(
    folder: Path, config: RunConfig, model: keras.Model, kind: type[np.floating[Any]] = np.float32
) -> None:
    """Write the folder of a run whose best weights are those of *model*, in precision *kind*.

    Raises:
        ConfigError: the folder holds a run already.
        ModelError: the weights cannot be written.
    """
    if (folder / 'config.yaml').exists():
        raise ConfigError(f'{folder} already holds a run; choose another')
    (folder / 'checkpoints').mkdir(parents=True, exist_ok=True)
    settings.save(config, folder / 'config.yaml')
    weights = [np.array(one, kind) for one in model.get_weights()]
    write_checkpoint(folder / 'checkpoints' / 'best.npz', Checkpoint(0, [], weights))


@command(
    option('run', type=Path, help='folder of the run'),
    option('folder', type=Path, help='folder to make'),
)
def keep(run: Path, folder: Path) -> None:
    """Keep a run's best weights, at half precision, for later runs to start from."""
    config, model = load_run(run)
    write_run(folder, configuration.without_places(config), model, np.float16)


def start_from(model: keras.Model, config: RunConfig) -> None:
    """Give *model* the weights that ``start`` names, in place; the last layer by class name.

    The network there may lack some of the model's residual blocks. These begin as blocks that
    change nothing (the scale of their last normalisation is 0), so that the model gives the same
    logits whatever was added. A class that has no row there begins as the mean of those that have.

    Args:
        model: newly made.
        config: of its run.

    Raises:
        ConfigError: there is no such run, or its network is no part of the model's.
        ModelError: its weights are missing or damaged.
    """
    theirs, source = load_run(config.start)
    _take_backbone(model, source, config.start)
    kernel, bias = (np.array(one) for one in source.get_layer(LAST).get_weights())
    model.get_layer(LAST).set_weights(_rows_by_name(kernel, bias, theirs, config))


def _take_backbone(model: keras.Model, source: keras.Model, name: str) -> None:
    """Give *model* all weights of *source* but the last layer's."""
    mine, given = (
        [layer for layer in network.layers if layer.weights and layer.name != LAST]
        for network in (model, source)
    )
    new, count = [], len(given)
    for layer in mine:
        shapes = [weight.shape for weight in layer.weights]
        if given and [weight.shape for weight in given[0].weights] == shapes:
            layer.set_weights(given.pop(0).get_weights())
        else:
            new.append(layer)
    if given:
        raise ConfigError(
            f'start: the network of {name} is no part of this one: of its {count} layers '
            f'{len(given)} have no place'
        )
    norms = [layer for layer in new if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms[1::2]:
        norm.gamma.assign(keras.ops.zeros_like(norm.gamma))


def _rows_by_name(
    kernel: np.ndarray, bias: np.ndarray, theirs: RunConfig, mine: RunConfig
) -> list[np.ndarray]:
    """Return kernel (features, columns) and bias (columns,) of the new last layer.

    A head takes rows from the head of the same name, else from the first one.
    """
    places = {
        head.name: dict(zip(head.classes, range(columns.start, columns.stop)))
        for head, columns in theirs.head_columns()
    }
    kernels, biases = [], []
    for head in mine.heads:
        rows = places.get(head.name, places[theirs.heads[0].name])
        known = [rows[label] for label in head.classes if label in rows] or list(rows.values())
        for label in head.classes:
            chosen = [rows[label]] if label in rows else known
            kernels.append(kernel[:, chosen].mean(axis=1))
            biases.append(bias[chosen].mean())
    return [np.stack(kernels, axis=1), np.array(biases, np.float32)]
