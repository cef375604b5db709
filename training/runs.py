# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A finished (or stopped) run's folder, read back: configuration, network, weights."""

from __future__ import annotations

from pathlib import Path

import keras

from fer_ros.errors import ConfigError
from training import config as configuration
from training.architectures import build_model
from training.checkpoints import assign, read_checkpoint
from training.config import RunConfig


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
    keras.config.set_dtype_policy('float32')
    model = new_model(config, config.model.size_px)
    path = folder / 'checkpoints' / f'{checkpoint}.npz'
    assign(model.weights, read_checkpoint(path).average, path)
    return config, model
