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
from training.engine import settings
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
    settings.save(config, folder / 'config.yaml')
    weights = [np.array(one) for one in model.get_weights()]
    write_checkpoint(folder / 'checkpoints' / 'best.npz', Checkpoint(0, [], weights))
