# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Variants of a run under the same recipe and budget, in one table.

``python -m training compare run.yaml variants.yaml --output runs/comparison`` trains each
variant (a mapping from its name to the settings it changes, written as in training.emotion.tune)
and measures it on the validation set, as they are and in low light. With ``--measure`` under
KERAS_BACKEND=tensorflow it adds file size and time per face in LiteRT to the table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.face_set import NO_LABEL
from fer_ros.errors import ConfigError
from fer_ros.evaluation import metrics
from fer_ros.evaluation.robustness import apply_condition
from fer_ros.types import UInt8Array
from training.emotion import config as configuration
from training.emotion.batches import network_input
from training.emotion.config import RunConfig
from training.emotion.data import load_sets
from training.emotion.runs import load_run
from training.emotion.train import train
from training.emotion.tune import with_values
from training.engine import settings
from training.engine.export import (
    as_litert,
    keras_predictor,
    litert_predictor,
    need_tensorflow,
    predict,
)

LOW_LIGHT = 'low_light_middle'


def score_run(folder: Path) -> dict[str, Any]:
    """Return the figures of a run on its validation set, clean and in low light."""
    config, model = load_run(folder)
    faces = load_sets(config).validation[0]

    def logits(images: UInt8Array) -> np.ndarray:
        chosen = config.model
        inputs = network_input(images, chosen)
        return predict(keras_predictor(model), inputs, 256)

    clean, dark = logits(faces.images), logits(apply_condition(faces.images, LOW_LIGHT))
    result: dict[str, Any] = {'parameters': model.count_params()}
    for head, columns in config.head_columns():
        targets = faces.truth(head.kind, head.classes)
        rows = np.flatnonzero(targets != NO_LABEL)
        for name, logits_of in (('', clean), ('_low_light', dark)):
            guess = logits_of[rows, columns].argmax(axis=1)
            matrix = metrics.confusion_matrix(targets[rows], guess, len(head.classes))
            result[f'{head.name}{name}'] = metrics.accuracy(matrix)
    return result


def measure_run(folder: Path) -> dict[str, float]:
    """Return the size of a run's LiteRT file and its time per face on one thread."""
    config, model = load_run(folder)
    path = folder / 'float32.tflite'
    chosen = config.model
    face = np.zeros((1, chosen.size_px, chosen.size_px, chosen.channels), np.float32)
    path.write_bytes(as_litert(model, 'float32'))
    run = litert_predictor(path)
    times = []
    for _ in range(60):
        start = time.perf_counter()
        run(face)
        times.append(time.perf_counter() - start)
    return {'file_mb': path.stat().st_size / 1e6, 'face_ms': 1000 * float(np.median(times[10:]))}


def compare(
    config: RunConfig, variants: Mapping[str, Any], folder: Path, measure: bool
) -> dict[str, dict[str, Any]]:
    """Train and score variants, or measure trained ones; return and write the table.

    Raises:
        ConfigError: a variant changes a setting that does not exist, or measuring is asked for
            under another backend than TensorFlow.
    """
    if measure:
        need_tensorflow()
    path = folder / 'table.json'
    table: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    for name, changes in variants.items():
        variant = dataclasses.replace(with_values(config, changes or {}), name=name)
        row = table.setdefault(name, {})
        if measure:
            row.update(measure_run(folder / name))
        elif row.setdefault('settings', changes or {}) != (changes or {}):
            raise ConfigError(f'{folder} holds another variant {name}; choose another --output')
        elif 'parameters' not in row:
            print(f'variant {name}: {changes}', flush=True)
            result = train(variant, folder / name, resume=True)
            row['train_s'] = sum(item['seconds'] for item in result.history)
            row.update(score_run(folder / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(table, indent=2) + '\n', encoding='utf-8')
    return table


def as_markdown(table: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table in Markdown; a figure that was not measured is 'none'."""
    columns = list(
        dict.fromkeys(name for row in table.values() for name in row if name != 'settings')
    )

    def cell(value: Any) -> str:
        if value is None:
            return 'none'
        return f'{value:.4f}' if isinstance(value, float) and value < 1 else f'{value:,.6g}'

    lines = ['| variant | ' + ' | '.join(columns) + ' |', '| --- ' * (len(columns) + 1) + '|']
    lines += [
        f'| {name} | ' + ' | '.join(cell(row.get(column)) for column in columns) + ' |'
        for name, row in table.items()
    ]
    return '\n'.join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training compare', description=__doc__)
    parser.add_argument('config', type=Path, help='the YAML file all variants start from')
    parser.add_argument('variants', type=Path, help='the YAML file of the variants')
    parser.add_argument('--output', type=Path, default=Path('runs/comparison'))
    parser.add_argument('--measure', action='store_true', help='measure trained variants in LiteRT')
    options = parser.parse_args(arguments)
    config = configuration.load(options.config)
    variants = settings.read_yaml(options.variants)
    print(as_markdown(compare(config, variants, options.output, options.measure)))
    return 0
