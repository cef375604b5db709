# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A finished (or stopped) run's folder, read back: configuration, network, weights."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from fer_ros.errors import ConfigError
from training.emotion import config as configuration
from training.emotion.architectures import build_model
from training.emotion.config import RunConfig
from training.engine.checkpoints import Checkpoint, assign, read_checkpoint, write_checkpoint


def new_model(config: RunConfig, size_px: int | None = None) -> keras.Model:
    """Return the untrained network of a run."""
    columns = sum(len(head.classes) for head in config.heads)
    model = config.model
    return build_model(model.architecture, columns, model.channels, model.options, size_px)


def load_run(folder: Path, checkpoint: str = 'best') -> tuple[RunConfig, keras.Model]:
    """Return a run's configuration and its network with averaged weights, in float32.

    Args:
        folder: of the run.
        checkpoint: 'best' or 'last'.

    Raises:
        ConfigError: the folder holds no run.
        ModelError: the checkpoint is missing or damaged.
    """
    if not (folder / 'config.yaml').is_file():
        raise ConfigError(f'{folder} is not the folder of a run: config.yaml is missing')
    config = configuration.load(folder / 'config.yaml')
    # A student or a run that starts from this one goes on in its own precision.
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy('float32')
    model = new_model(config, config.model.size_px)
    keras.config.set_dtype_policy(policy)
    path = folder / 'checkpoints' / f'{checkpoint}.npz'
    assign(model.weights, read_checkpoint(path).average, path)
    return config, model


def write_run(folder: Path, config: RunConfig, model: keras.Model) -> None:
    """Write the folder of a run whose best weights are those of *model*.

    Raises:
        ConfigError: the folder holds a run already.
        ModelError: the weights cannot be written.
    """
    if (folder / 'config.yaml').exists():
        raise ConfigError(f'{folder} already holds a run; choose another')
    (folder / 'checkpoints').mkdir(parents=True, exist_ok=True)
    configuration.save(config, folder / 'config.yaml')
    weights = [np.array(one) for one in model.get_weights()]
    write_checkpoint(folder / 'checkpoints' / 'best.npz', Checkpoint(0, [], weights))


def start_from(model: keras.Model, folder: Path) -> None:
    """Give *model* the best weights of a run, in place.

    The run's network may lack some of the model's residual blocks. These begin as blocks that
    change nothing (the scale of their last normalisation is 0), so that the model's answers are
    the run's whatever was added.

    Args:
        model: newly made.
        folder: of the run.

    Raises:
        ConfigError: the folder holds no run, or the run's network is no part of the model's.
        ModelError: its checkpoint is missing or damaged.
    """
    theirs = [layer for layer in load_run(folder)[1].layers if layer.weights]
    mine = [layer for layer in model.layers if layer.weights]
    given = list(theirs)
    new = []
    for layer in mine:
        shapes = [weight.shape for weight in layer.weights]
        if given and [weight.shape for weight in given[0].weights] == shapes:
            layer.set_weights(given.pop(0).get_weights())
        else:
            new.append(layer)
    if given:
        raise ConfigError(
            f'start: the network of {folder} is no part of this one: of its {len(theirs)} layers '
            f'{len(given)} have no place'
        )
    norms = [layer for layer in new if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms[1::2]:
        norm.gamma.assign(keras.ops.zeros_like(norm.gamma))
