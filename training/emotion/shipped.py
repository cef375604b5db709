# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A shipped model back into a run, to start from (``start:``), learn from or average with."""

from __future__ import annotations

import argparse
import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.types import Float32Array, UInt8Array
from training.emotion import config as configuration
from training.emotion.batches import network_input
from training.emotion.config import RunConfig, SetConfig
from training.emotion.data import read_set
from training.emotion.runs import new_model, write_run
from training.engine.export import keras_predictor, litert_predictor, predict
from training.engine.from_litert import LiteRtWeights, fill

MAX_DIFFERENCE = 0.35
"""Largest difference of a logit; activations scaled to 8 bits take about 0.1."""
CHECKED_FACES = 64
STATISTICS_FACES = 2000


def some_of(faces: UInt8Array) -> UInt8Array:
    """Return as many faces as the statistics of normalisation need."""
    return faces[:: max(1, len(faces) // STATISTICS_FACES)]


def shipped_network(
    card: EmotionModelCard, inputs: Float32Array | None = None, faces: UInt8Array | None = None
) -> tuple[RunConfig, keras.Model, float]:
    """Return a model's recipe, its network with the weights of its file, and how far off it is.

    Args:
        card: of a model of this project; its LiteRT file lies beside it, and perhaps a .keras file,
            which is taken instead.
        inputs: float32 (N, S, S, C) to take the statistics of normalisation from.
        faces: uint8 (N, S, S) instead of inputs.

    Raises:
        ModelError: the card has no recipe, or the weights do not give the logits of the file.
    """
    config = _recipe(card)
    if inputs is None:
        inputs = network_input(some_of(np.asarray(faces)), config.model)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy('float32')
    model = new_model(config, config.model.size_px)
    keras.config.set_dtype_policy(policy)
    path = card.weights_path('litert')
    if 'keras' in card.files:  # the float weights themselves
        saved = keras.saving.load_model(card.weights_path('keras'), compile=False, safe_mode=True)
        model.set_weights(saved.get_weights())
    else:
        fill(model, LiteRtWeights(path), inputs)
    some = inputs[:CHECKED_FACES]
    logits = predict(keras_predictor(model), some), predict(litert_predictor(path), some)
    difference = float(np.abs(logits[0] - logits[1]).max())
    if difference > MAX_DIFFERENCE:
        raise ModelError(f'{path}: the recovered weights give other logits, by {difference:.3f}')
    return config, model, difference


def _recipe(card: EmotionModelCard) -> RunConfig:
    """Return the configuration that a card keeps."""
    recipe: Any = card.about.get('recipe')
    try:
        # JSON knows no numbers as keys.
        optimization = dict(recipe['optimization'])
        optimization['size_steps'] = {int(k): v for k, v in optimization['size_steps'].items()}
        # The network may be read with another normalization than it was trained with.
        recipe = {**recipe, 'model': {**recipe['model'], 'normalization': card.normalization}}
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)  # names of the version it was made by
            return configuration.from_mapping({**recipe, 'optimization': optimization})
    except (TypeError, KeyError, ValueError) as error:
        raise ModelError(
            f'model {card.id} has no recipe, so its network cannot be rebuilt: {error!r}'
        ) from error


def recover(
    card: EmotionModelCard, run: Path, inputs: Float32Array, sets: tuple[SetConfig, ...]
) -> float:
    """Write a run's folder with the weights of a shipped model; return how far off its logits are.

    Args:
        card: of the model.
        run: folder to make.
        inputs: see ``shipped_network``.
        sets: data sets to name in the run's configuration.

    Raises:
        ConfigError: the folder holds a run already.
        ModelError: see ``shipped_network``.
    """
    config, model, difference = shipped_network(card, inputs)
    write_run(run, dataclasses.replace(config, sets=sets, teachers=(), start=''), model)
    return difference


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser('python -m training from_litert', description=__doc__)
    parser.add_argument('card', help="the model's card, or 'default'")
    parser.add_argument('run', type=Path, help='folder to make')
    parser.add_argument('--faces', type=Path, required=True, help='a data set, as in a run')
    parser.add_argument('--photos', action='store_true', help='a folder of whole photos')
    options = parser.parse_args(arguments)
    card = EmotionModelCard.load(options.card)
    item = SetConfig(path=str(options.faces.resolve()), photos=options.photos)
    faces = read_set(item, card.size_px).split('training')
    inputs = network_input(some_of(faces.images), _recipe(card).model)
    difference = recover(card, options.run, inputs, (item,))
    print(f'{options.run}: logits differ from the file by {difference:.3f} at most')
    return 0
