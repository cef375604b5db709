# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The weights of several runs averaged.

Runs that began from the same weights end in one valley of the loss; in the middle of it a single
network is almost as good as all of them together (arXiv 2203.05482).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers

from fer_ros.errors import ConfigError
from fer_ros.types import Float32Array
from training.commands import command, option
from training.emotion.batches import network_input
from training.emotion.data import load_sets
from training.emotion.runs import load_run, new_model, start_from, write_run
from training.emotion.train import validate
from training.engine.fast_torch import fast_layers
from training.engine.keeper import copied_weights

STATISTICS_BATCH, STATISTICS_FACES = 256, 6000
MEAN_OF = 'mean_of.json'
"""File in the folder of a run that is a mean: the runs and their shares. The configuration there is
the first run's."""


def soup(folders: Sequence[Path], shares: Sequence[float], inputs: Float32Array) -> keras.Model:
    """Return the network of the first run with the mean of all runs' best weights, in float32.

    Convolutions without bias count with the filter norms of the first run: normalisation after them
    makes their scale free, and a run with other norms would count for more or less than its share.

    Args:
        folders: of the runs; the first one's network may have blocks that the others lack.
        shares: of each run in the mean; their sum counts as 1.
        inputs: float32 (N, S, S, C), some thousands; normalisation gets its statistics from them.

    Raises:
        ConfigError: shares that make no mean, or the runs are of different networks.
        ModelError: a checkpoint is missing or damaged.
    """
    if len(shares) != len(folders) or min(shares) < 0 or sum(shares) <= 0:
        raise ConfigError(
            f'shares: expected {len(folders)} numbers, none below 0, one a run, got {list(shares)}'
        )
    config, model = load_run(folders[0])
    free = {
        layer.kernel.path
        for layer in model.layers
        if isinstance(layer, layers.Conv2D) and not layer.use_bias
    }
    first = copied_weights(model)
    total = [np.zeros_like(value) for value in first]
    for folder, share in zip(folders, shares):
        other = new_model(config, config.model.size_px)
        start_from(other, dataclasses.replace(config, start=str(folder)))
        for place, value in enumerate(copied_weights(other)):
            if model.weights[place].path in free:
                value *= _filter_norms(first[place]) / np.maximum(_filter_norms(value), 1e-9)
            total[place] += np.float32(share / sum(shares)) * value
    model.set_weights(total)
    measure_statistics(model, inputs)
    return model


def _filter_norms(kernel: np.ndarray) -> np.ndarray:
    """Return the norm of each filter, (out,), of a kernel (H, W, in, out)."""
    return np.sqrt((kernel**2).sum(axis=(0, 1, 2)))


def measure_statistics(model: keras.Model, inputs: Float32Array) -> None:
    """Set the statistics of all normalisations to what they see on *inputs*, in place."""
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    with fast_layers():
        for place, start in enumerate(range(0, len(inputs), STATISTICS_BATCH)):
            for norm in norms:
                norm.momentum = place / (place + 1)  # the mean of all batches so far
            model(inputs[start : start + STATISTICS_BATCH], training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


@command(
    option('runs', type=Path, nargs='+', help="the runs' folders"),
    option('--shares', type=float, nargs='+', help='of each run (default: the same)'),
    option('--output', type=Path, required=True, help='folder to make'),
)
def soup_runs(runs: list[Path], shares: list[float] | None, output: Path) -> None:
    """Make one network of the mean weights of several runs."""
    keras.config.set_dtype_policy('float32')
    config, _ = load_run(runs[0])
    loaded = load_sets(config)
    faces = loaded.training.images[:: max(1, len(loaded.training) // STATISTICS_FACES)]
    shares = shares or [1.0] * len(runs)
    model = soup(runs, shares, network_input(faces, config.model))
    write_run(output, config, model)
    mean_of = [
        {'run': folder.resolve().name, 'share': share / sum(shares)}
        for folder, share in zip(runs, shares)
    ]
    (output / MEAN_OF).write_text(json.dumps(mean_of) + '\n', encoding='utf-8')
    with fast_layers():
        for name, value in validate(model, loaded.validation, config).items():
            print(f'{name} {value:.4f}')
