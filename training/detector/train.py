# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train the detector; every epoch leaves a checkpoint, averaged weights and curves.

    KERAS_BACKEND=tensorflow python -m training.detector.train training/detector/detector.yaml \
        --data ../shared/data --labels runs/detector --output runs/detector/shipped [--resume]

Labels are made by ``training.detector.labels`` first, one file a source.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml
from keras import ops

from fer_ros.errors import ConfigError, DataError
from fer_ros.models.card import DetectorCard
from training.detector.batches import MosaicBatches
from training.detector.faces import PhotoSets, load_photos
from training.detector.labels import TEACHER
from training.detector.mosaic import MosaicConfig, MosaicMaker
from training.detector.network import NetworkConfig, build_network, for_training
from training.detector.targets import DetectorLoss
from training.detector.teacher import DenseTeacher
from training.engine.fast_torch import fast_layers
from training.engine.from_litert import LiteRtWeights, fill
from training.engine.keeper import copied_weights

CHECKPOINT, AVERAGED, CURVES = 'checkpoint.npz', 'averaged.weights.h5', 'curves.csv'
VALIDATION_STEPS = 12


@dataclass(frozen=True)
class ScheduleConfig:
    """How long and how fast: warm up, hold, then fall linearly to zero over the last share."""

    epochs: int
    steps: int
    batch: int
    learning_rate: float
    warmup_steps: int
    decay_share: float


@dataclass(frozen=True)
class Recipe:
    """One training run, as its YAML file states it.

    ``not_people`` is a text file beside the recipe: scenes without faces.
    """

    seed: int
    network: NetworkConfig
    mosaic: MosaicConfig
    schedule: ScheduleConfig
    optimizer: dict[str, float]
    loss: dict[str, float]
    average: dict[str, float]
    not_people: tuple[str, ...]
    precision: str = 'float32'


def _listed(path: Path) -> tuple[str, ...]:
    """Return the names in a text file, one a line."""
    return tuple(path.read_text(encoding='utf-8').split())


def _network(mapping: dict[str, Any]) -> NetworkConfig:
    """Return a network's widths and depths as YAML states them."""
    return NetworkConfig(
        **{name: tuple(v) if isinstance(v, list) else v for name, v in mapping.items()}
    )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ConfigError: it cannot be read, or a setting is missing or unknown.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        parts: dict[str, Any] = {
            'network': _network(content['network']),
            'mosaic': MosaicConfig(**content['mosaic']),
            'schedule': ScheduleConfig(**content['schedule']),
            'not_people': _listed(path.parent / content['not_people']),
        }
        return Recipe(**{**content, **parts})
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f'recipe {path}: {error}') from error


@keras.saving.register_keras_serializable('fer_ros')
class HoldThenFall(keras.optimizers.schedules.LearningRateSchedule):
    """A warm-up, a plateau and a linear fall to zero."""

    def __init__(
        self, peak: float, warmup_steps: int, total_steps: int, decay_share: float
    ) -> None:
        """Fall over the last *decay_share* of *total_steps*."""
        self.settings = {
            'peak': peak,
            'warmup_steps': warmup_steps,
            'total_steps': total_steps,
            'decay_share': decay_share,
        }

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at *step*."""
        one = self.settings
        step = ops.cast(step, 'float32')
        rise = (step + 1) / max(one['warmup_steps'], 1)
        fall = (one['total_steps'] - step) / max(one['total_steps'] * one['decay_share'], 1)
        return one['peak'] * ops.clip(ops.minimum(rise, fall), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the same schedule."""
        return dict(self.settings)


class AveragedWeights(keras.callbacks.Callback):
    """Keeps a running mean of all weights, normalisation statistics included."""

    def __init__(self, every: int, decay: float) -> None:
        """Mix the weights in with share 1 - *decay*, once in *every* steps."""
        super().__init__()
        self.every, self.decay = every, decay
        self.weights: list[np.ndarray] | None = None
        self.updates = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Mix the present weights in; the first ones weigh less, so that the start is forgotten."""
        if batch % self.every:
            return
        present = copied_weights(self.model)
        if self.weights is None:
            self.weights = present
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for mean, new in zip(self.weights, present):
            mean += (1 - decay) * (new - mean)


class EpochKeeper(keras.callbacks.Callback):
    """After each epoch: validates the averaged weights, saves all, adds a line to the curves."""

    def __init__(self, output: Path, average: AveragedWeights, validation: tuple[Any, Any]) -> None:
        """Write to the folder *output*; *validation* is images and targets."""
        super().__init__()
        self.output, self.average, self.validation = output, average, validation

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate and save."""
        present = copied_weights(self.model)
        self.model.set_weights(self.average.weights)
        held_back = float(self.model.evaluate(*self.validation, batch_size=16, verbose=0))
        self.model.save_weights(self.output / AVERAGED)
        self.model.set_weights(present)
        save_checkpoint(self.output / CHECKPOINT, self.model, self.average, epoch + 1)
        row = {
            'epoch': epoch + 1,
            'loss': round(float((logs or {})['loss']), 5),
            'held_back_loss': round(held_back, 5),
            'learning_rate': float(self.model.optimizer.learning_rate),
        }
        path = self.output / CURVES
        fresh = not path.exists()
        with path.open('a', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        print(json.dumps(row), flush=True)


def make_model(recipe: Recipe) -> keras.Model:
    """Return the network, ready for ``fit``."""
    schedule, size = recipe.schedule, recipe.mosaic.size_px
    model = for_training(build_network(recipe.network, (size, size)))
    rate = HoldThenFall(
        schedule.learning_rate,
        schedule.warmup_steps,
        schedule.epochs * schedule.steps,
        schedule.decay_share,
    )
    optimizer = keras.optimizers.AdamW(rate, **recipe.optimizer)
    loss = DetectorLoss(size, **recipe.loss)
    model.compile(optimizer, loss, jit_compile=False)
    return model


def save_checkpoint(path: Path, model: keras.Model, average: AveragedWeights, epochs: int) -> None:
    """Write everything that going on needs to *path*, whole or not at all."""
    parts = {
        'model': model.get_weights(),
        'average': average.weights or [],
        'optimizer': [ops.convert_to_numpy(one) for one in model.optimizer.variables],
    }
    arrays = {f'{name}_{i}': one for name, part in parts.items() for i, one in enumerate(part)}
    partial = path.with_name(f'partial-{path.name}')
    np.savez(partial, epochs=epochs, updates=average.updates, **arrays)
    partial.replace(path)


def restore(path: Path, model: keras.Model, average: AveragedWeights) -> int:
    """Put what ``save_checkpoint`` wrote back; return how many epochs are done.

    The recipe's own schedule stays, so that a run can be resumed with another length.

    Raises:
        DataError: there is nothing to resume, or it is another network's.
    """
    model.optimizer.build(model.trainable_variables)
    try:
        with np.load(path, allow_pickle=False) as saved:
            counts = {
                name: sum(key.startswith(f'{name}_') for key in saved)
                for name in ('model', 'average', 'optimizer')
            }
            parts = {name: [saved[f'{name}_{i}'] for i in range(n)] for name, n in counts.items()}
            model.set_weights(parts['model'])
            average.weights, average.updates = parts['average'], int(saved['updates'])
            for mine, theirs in zip(model.optimizer.variables, parts['optimizer'], strict=True):
                mine.assign(theirs)
            return int(saved['epochs'])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f'{path}: nothing to resume: {error}') from error


def train(
    recipe: Recipe,
    data: Path,
    labels: Path,
    output: Path,
    resume: bool = False,
    teacher: Path = TEACHER,
    start_card: str = '',
) -> None:
    """Train until the recipe's last epoch.

    Args:
        recipe: the run.
        data: folder with people, portraits and scenes.
        labels: folder with the labels of each.
        output: folder of the run.
        resume: go on from its last checkpoint.
        teacher: YuNet's file.
        start_card: card of a detector whose weights to begin with.

    Raises:
        DataError: photos, labels or the teacher are missing, or there is nothing to resume.
        ModelError: the detector to begin with holds another network.
    """
    output.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(recipe.seed)
    bfloat16 = recipe.precision == 'bfloat16'
    keras.config.set_dtype_policy('mixed_bfloat16' if bfloat16 else 'float32')
    photos, held_back = load_photos(data, labels, recipe.not_people).split()
    model = make_model(recipe)
    average = AveragedWeights(int(recipe.average['every']), recipe.average['decay'])
    start = restore(output / CHECKPOINT, model, average) if resume else 0
    schedule = recipe.schedule

    def batches(part: PhotoSets, seed: int, steps: int) -> MosaicBatches:
        maker = MosaicMaker(part, recipe.mosaic, seed)
        return MosaicBatches(maker, DenseTeacher(teacher), schedule.batch, steps)

    fixed = batches(held_back, 0, VALIDATION_STEPS)
    validation = tuple(np.concatenate(part) for part in zip(*(fixed[i] for i in range(len(fixed)))))
    if start_card and not resume:
        weights = DetectorCard.load(start_card).weights_path('litert')
        fill(model, LiteRtWeights(weights), validation[0][:64])
    keeper = EpochKeeper(output, average, validation)
    callbacks = [average, keeper, keras.callbacks.TerminateOnNaN()]
    with fast_layers():
        model.fit(
            batches(photos, recipe.seed + 1000 * start, schedule.steps),
            initial_epoch=start,
            epochs=schedule.epochs,
            callbacks=callbacks,
            verbose=2,
            shuffle=False,
        )


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('recipe', type=Path)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--labels', type=Path, default=Path('runs/detector'))
    parser.add_argument('--output', type=Path, default=Path('runs/detector/shipped'))
    parser.add_argument('--teacher', type=Path, default=TEACHER, help="YuNet's weights")
    parser.add_argument('--start', default='', help='card of a detector to begin with')
    parser.add_argument('--resume', action='store_true')
    options = parser.parse_args()
    train(
        read_recipe(options.recipe),
        options.data,
        options.labels,
        options.output,
        options.resume,
        options.teacher,
        options.start,
    )


if __name__ == '__main__':
    main()
