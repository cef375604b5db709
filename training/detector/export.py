# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Turn trained weights into the LiteRT file and the card that the package ships.

    KERAS_BACKEND=tensorflow python -m training detector_export training/detector/detector.yaml \
        runs/detector/shipped/checkpoints/best.npz fer_ros/models/detector.tflite

Nothing is written unless LiteRT predicts what Keras does, at several input sizes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer_ros.detection.cells import OUTPUT_COLUMNS
from fer_ros.errors import ModelError
from fer_ros.models.card import SCHEMA, file_sha256
from fer_ros.types import Float32Array
from training.detector.network import build_network, for_training
from training.detector.train import Recipe, read_recipe
from training.engine.checkpoints import assign, read_checkpoint
from training.engine.export import LITERT_PRECISIONS, as_litert, need_tensorflow

PLANNED_HW = (256, 320)
CHECKED_SHAPES_HW = ((256, 320), (32, 32), (480, 640), (96, 224))
MAX_DIFFERENCE = 0.5
"""Largest difference between Keras and LiteRT on noise, in the output's own units. Activations of
8 bits take 0.1 to 0.4, the more the deeper the network, and no faces: see docs/detector.md."""


def run_litert(content: bytes, images: Float32Array) -> list[Float32Array]:
    """Return the maps, fine first, that LiteRT predicts for float32 (N, H, W, 3) images."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    index = interpreter.get_input_details()[0]['index']
    interpreter.resize_tensor_input(index, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, images)
    interpreter.invoke()
    maps = [interpreter.get_tensor(one['index']) for one in interpreter.get_output_details()]
    return sorted(maps, key=lambda one: -one.size)


def largest_difference(network: keras.Model, content: bytes, seed: int = 0) -> float:
    """Return how far LiteRT's predictions lie from Keras', over random images of several shapes.

    Raises:
        ModelError: the predictions have other shapes.
    """
    rng = np.random.default_rng(seed)
    worst = 0.0
    for shape in CHECKED_SHAPES_HW:
        images = rng.random((1, *shape, 3), np.float32)
        expected = [keras.ops.convert_to_numpy(one) for one in network(images, training=False)]
        for want, have in zip(expected, run_litert(content, images), strict=True):
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
    if weights.suffix == '.npz':
        assign(trained.weights, read_checkpoint(weights).average, weights)
    else:
        trained.load_weights(weights)  # what runs left before 0.2.0
    network = build_network(recipe.network, shape_hw)
    network.set_weights(trained.get_weights())
    return network


def export(
    recipe: Recipe,
    weights: Path,
    output: Path,
    about: dict[str, Any],
    precision: str = 'int8_weights',
    least_face_px: float = 20.0,
    score_slope: float = 1.0,
    score_offset: float = 0.0,
) -> float:
    """Write the LiteRT file *output* and its card beside it; return the largest difference.

    Raises:
        ModelError: LiteRT does not predict what Keras does.
    """
    content = as_litert(load_network(recipe, weights, PLANNED_HW), precision)
    difference = largest_difference(load_network(recipe, weights, (None, None)), content)
    if difference > MAX_DIFFERENCE:
        raise ModelError(f'exported detector: predictions differ by {difference:.4f}')
    output.write_bytes(content)
    card = {
        'schema': SCHEMA,
        'kind': 'detector',
        'id': about.get('id', output.stem),
        'files': {'litert': output.name},
        'sha256': {output.name: file_sha256(output)},
        'least_face_px': least_face_px,
        'score_slope': score_slope,
        'score_offset': score_offset,
        'columns': OUTPUT_COLUMNS,
        'about': {**about, 'litert_against_keras': round(difference, 5)},
    }
    output.with_suffix('.json').write_text(json.dumps(card, indent=2) + '\n', encoding='utf-8')
    return difference


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    need_tensorflow()
    parser = argparse.ArgumentParser(prog='python -m training detector_export', description=__doc__)
    parser.add_argument('recipe', type=Path)
    parser.add_argument('weights', type=Path)
    parser.add_argument('output', type=Path)
    parser.add_argument('--about', type=Path, help='JSON for people: data, recipe, figures, limits')
    parser.add_argument('--precision', choices=LITERT_PRECISIONS, default='int8_weights')
    parser.add_argument('--least-face-px', type=float, default=20.0)
    parser.add_argument('--score-slope', type=float, default=1.0)
    parser.add_argument('--score-offset', type=float, default=0.0)
    options = parser.parse_args(arguments)
    about = json.loads(options.about.read_text(encoding='utf-8')) if options.about else {}
    difference = export(
        read_recipe(options.recipe),
        options.weights,
        options.output,
        about,
        options.precision,
        options.least_face_px,
        options.score_slope,
        options.score_offset,
    )
    print(f'{options.output}: {options.output.stat().st_size} bytes, difference {difference:.5f}')
    return 0
