# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks of keras.applications as backbones, with weights from elsewhere or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from fer_ros.errors import ConfigError
from training.emotion.architectures.parts import classifier


def on_backbone(
    make: Callable[..., keras.Model],
    inputs: Any,
    columns: int,
    weights: str,
    dropout: float,
    **options: Any,
) -> Any:
    """Return logits (N, columns) on the features of a keras.applications network.

    Args:
        make: the function of keras.applications.
        inputs: (N, S, S, channels); three channels where weights come from colour images.
        columns: number of logits.
        weights: '' for none, 'imagenet', or the path of a weights file of the network without top.
        dropout: before the classifier.
        options: of the function.

    Raises:
        ConfigError: the weights cannot be had or do not fit.
    """
    options |= {'include_top': False, 'input_shape': tuple(inputs.shape[1:])}
    if weights and inputs.shape[-1] != 3:
        raise ConfigError(f'weights {weights!r} need colour input: set model.channels to 3')
    if weights not in ('', 'imagenet') and not Path(weights).is_file():
        raise ConfigError(f'weights file {weights} does not exist')
    try:
        backbone = make(weights='imagenet' if weights == 'imagenet' else None, **options)
        _follow_short_runs(backbone)
        if weights not in ('', 'imagenet'):
            backbone.load_weights(weights)
    except Exception as error:  # a download or a file can fail in any library below Keras
        if not weights:
            raise
        raise ConfigError(
            f'weights {weights!r} of {make.__name__} cannot be had: {error}; without a network '
            'give the path of a weights file, or leave weights empty to start from nothing'
        ) from error
    return classifier(backbone(inputs), columns, dropout)


def _follow_short_runs(backbone: keras.Model) -> None:
    """Let normalisation statistics settle within hundreds of steps.

    The momentum of keras.applications (0.999 in MobileNetV3) is meant for millions of steps; after
    a short run a model would still use the statistics it started from.
    """
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, 0.9)
