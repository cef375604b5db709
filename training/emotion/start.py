# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights to begin with: those of a run or of a shipped model, the last layer by class name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ConfigError
from fer_ros.models.card import EmotionModelCard
from fer_ros.types import UInt8Array
from training.emotion.config import SHIPPED, RunConfig
from training.emotion.runs import load_run
from training.emotion.shipped import shipped_network

LAST = 'logits'


def start_from(model: keras.Model, config: RunConfig, faces: UInt8Array | None = None) -> None:
    """Give *model* the weights that ``start`` names, in place.

    The network there may lack some of the model's residual blocks. These begin as blocks that
    change nothing (the scale of their last normalisation is 0), so that the model gives the same
    logits whatever was added. A class that has no row there begins as the mean of those that have.

    Args:
        model: newly made.
        config: of its run.
        faces: uint8 (N, S, S) for the statistics of normalisation, where a card is named.

    Raises:
        ConfigError: there is no such run, or its network is no part of the model's.
        ModelError: its weights are missing or damaged.
    """
    if config.start == SHIPPED or config.start.endswith('.json'):
        card = EmotionModelCard.load('default' if config.start == SHIPPED else config.start)
        theirs, source, _ = shipped_network(card, faces=faces)
    else:
        theirs, source = load_run(Path(config.start))
    _take_backbone(model, source, config.start)
    kernel, bias = (np.array(one) for one in source.get_layer(LAST).get_weights())
    model.get_layer(LAST).set_weights(_rows_by_name(kernel, bias, theirs, config))


def _take_backbone(model: keras.Model, source: keras.Model, name: str) -> None:
    """Give *model* all weights of *source* but the last layer's."""

    def weighted(network: keras.Model) -> list[Any]:
        return [one for one in network.layers if one.weights and one.name != LAST]

    given, new = weighted(source), []
    count = len(given)
    for layer in weighted(model):
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
