# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes a model with a new last layer, once its file has been seen to do what the layer does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_ros.config import ClassificationConfig
from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.publish import publish
from fer_ros.recognition.classifier import make_classifier
from fer_ros.teaching.features import BATCH, FrozenNetwork
from fer_ros.teaching.fit import LastLayer
from fer_ros.teaching.network import with_last_layer
from fer_ros.types import UInt8Array

MAX_DIFFERENCE = 0.05


def check_is_free(output: Path) -> None:
    """Raise ModelError where a model of that name exists."""
    if output.with_name(f'{output.name}.json').exists():
        raise ModelError(f'{output}.json exists already; choose another name')


def write_model(
    network: FrozenNetwork,
    card: EmotionModelCard,
    layer: LastLayer,
    faces: UInt8Array,
    output: Path,
) -> Path:
    """Write *network* with another last layer; return the path of its card.

    Args:
        network: up to the last layer.
        card: of the new model, without files.
        layer: the last layer.
        faces: some grey crops, uint8 (N, S, S), of which the file must give the layer's logits.
        output: path without suffix, for ``.tflite`` and ``.json``.

    Raises:
        ModelError: the file gives other logits.
    """
    content = with_last_layer(network.content, layer.kernel, layer.bias)

    def check(made: EmotionModelCard) -> EmotionModelCard:
        path = made.folder / f'{output.name}.json'
        made.write(path)
        logits = make_classifier(ClassificationConfig(model=str(path))).logits(faces[:BATCH])
        expected = layer.logits(network.features(faces[:BATCH]))
        difference = float(np.abs(logits - expected).max())
        if not difference <= MAX_DIFFERENCE * max(1.0, float(np.abs(logits).max())):
            raise ModelError(f'{path.name}: the file gives other logits, by {difference:.3f}')
        return made

    def write(path: Path) -> None:
        path.write_bytes(content)

    return publish(card, {'litert': write}, output, check)
