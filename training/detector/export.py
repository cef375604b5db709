# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Turn trained weights into the LiteRT file and the card that the package ships.

    KERAS_BACKEND=tensorflow python -m training detector_export training/detector/detector.yaml \
        runs/detector/shipped/checkpoints/best.npz fer_ros/models/detector.tflite

Nothing is written unless LiteRT predicts what Keras does, at several input sizes.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ModelError
from fer_ros.models.card import DetectorCard
from fer_ros.models.publish import publish
from training.commands import command, option
from training.detector.network import build_network, for_training
from training.detector.train import Recipe, read_recipe
from training.engine.export import LITERT_PRECISIONS, as_litert, litert_outputs, need_tensorflow
from training.engine.run import Checkpoint, assign, read_checkpoint, write_checkpoint

PLANNED_HW = (256, 320)
CHECKED_SHAPES_HW = ((256, 320), (32, 32), (480, 640), (96, 224))
MAX_DIFFERENCE = 0.5
"""Largest difference between Keras and LiteRT on noise, in the output's own units. Activations of
8 bits take 0.1 to 0.4, the more the deeper the network, and no faces: see docs/detector.md."""


def largest_difference(network: keras.Model, weights: Path) -> float:
    """Return how far a LiteRT file's predictions lie from Keras', over noise of several shapes.

    Raises:
        ModelError: the predictions have other shapes.
    """
    rng = np.random.default_rng(0)
    predict, worst = litert_outputs(weights), 0.0
    for shape in CHECKED_SHAPES_HW:
        images = rng.random((1, *shape, 3), np.float32)
        expected = [keras.ops.convert_to_numpy(one) for one in network(images, training=False)]
        found = sorted(predict(images), key=lambda one: -one.size)  # fine first
        for want, have in zip(expected, found, strict=True):
            if want.shape != have.shape:
                raise ModelError(f'exported detector: expected {want.shape}, got {have.shape}')
            worst = max(worst, float(np.abs(want - have).max()))
    return worst


def load_network(
    recipe: Recipe, weights: Path, shape_hw: tuple[int | None, int | None]
) -> keras.Model:
    """Return the network for inputs of *shape_hw* with trained weights."""
    size = recipe.mosaic.size_px
    trained = for_training(build_network(recipe.network, (size, size)))
    assign(trained.weights, read_checkpoint(weights).average, weights)
    network = build_network(recipe.network, shape_hw)
    network.set_weights(trained.get_weights())
    return network


def export(
    recipe: Recipe,
    weights: Path,
    output: Path,
    card: DetectorCard,
    precision: str = 'int8_weights',
) -> float:
    """Write the LiteRT file *output* and its card beside it; return the largest difference.

    Args:
        recipe: of the run.
        weights: its checkpoint.
        output: the .tflite file.
        card: without files and digests.
        precision: see LITERT_PRECISIONS.

    Raises:
        ModelError: LiteRT does not predict what Keras does; a model that is there already stays.
    """
    content = as_litert(load_network(recipe, weights, PLANNED_HW), precision)
    network = load_network(recipe, weights, (None, None))
    differences = []

    def check(made: DetectorCard) -> DetectorCard:
        difference = largest_difference(network, made.weights_path('litert'))
        if difference > MAX_DIFFERENCE:
            raise ModelError(f'exported detector: predictions differ by {difference:.4f}')
        differences.append(difference)
        about = {**made.about, 'litert_against_keras': round(difference, 5)}
        return dataclasses.replace(made, about=about)

    publish(card, {'litert': lambda path: path.write_bytes(content)}, output.with_suffix(''), check)
    return differences[0]


@command(
    option('recipe', type=Path),
    option('weights', type=Path, help="the run's best checkpoint"),
    option('output', type=Path, help='.tflite; the card is written beside it'),
    option('--about', type=Path, help='JSON for people: data, recipe, figures, limits'),
    option('--precision', choices=LITERT_PRECISIONS, default='int8_weights'),
    option('--least-face-px', type=float, default=20.0),
    option('--score-slope', type=float, default=1.0),
    option('--score-offset', type=float, default=0.0),
    option('--keep', type=Path, help='keep the float weights there too, at half precision'),
)
def export_detector(
    recipe: Path,
    weights: Path,
    output: Path,
    about: Path | None,
    precision: str,
    keep: Path | None,
    **calibration: Any,
) -> None:
    """Write the LiteRT file and the card that the package ships."""
    need_tensorflow()
    said = json.loads(about.read_text(encoding='utf-8')) if about else {}
    card = DetectorCard(
        id=said.get('id', output.stem), files={}, sha256={}, about=said, **calibration
    )
    difference = export(read_recipe(recipe), weights, output, card, precision)
    if keep:
        halves = [one.astype(np.float16) for one in read_checkpoint(weights).average]
        write_checkpoint(keep, Checkpoint(0, [], halves))
    print(f'{output}: {output.stat().st_size} bytes, difference {difference:.5f}')
