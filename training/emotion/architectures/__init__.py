# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name, one file each; all give logits and hold no preprocessing.

Every module has ``build(inputs, columns, **options) -> Keras tensor``: from the input tensor to
float32 logits (N, columns). They are plain Keras 3, so that weights trained under one backend load
under every other.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import keras

from fer_ros.errors import ConfigError

ARCHITECTURES: tuple[str, ...] = (
    'baseline_cnn',
    'mini_xception',
    'residual',
    'mobilenet_v3',
    'efficientnet',
    'resnet50',
)


def build_model(
    name: str,
    columns: int,
    channels: int = 1,
    options: dict[str, Any] | None = None,
    size_px: int | None = None,
) -> keras.Model:
    """Return a new network.

    Args:
        name: one of ARCHITECTURES.
        columns: number of logits (all heads side by side).
        channels: 1 grey or 3 BGR.
        options: keyword arguments of the architecture's ``build``.
        size_px: side of the input; None lets it vary (faces of growing size in training).

    Raises:
        ConfigError: there is no such architecture or option, or its weights cannot be had.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(
            f'no architecture is called {name!r}; there are: {", ".join(ARCHITECTURES)}'
        )
    build = importlib.import_module(f'training.emotion.architectures.{name}').build
    known = list(inspect.signature(build).parameters)[2:]
    for option in options or {}:
        if option not in known:
            raise ConfigError(
                f'architecture {name} has no option {option!r}; it has: {", ".join(known)}'
            )
    inputs = keras.Input((size_px, size_px, channels), name='face')
    return keras.Model(inputs, build(inputs, columns, **(options or {})), name=name)
