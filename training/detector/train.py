# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train the detector.

    KERAS_BACKEND=tensorflow python -m training detector_train training/detector/detector.yaml \
        --data ../shared/data --labels runs/detector --output runs/detector/shipped [--resume]

Labels are made by ``python -m training detector_labels`` first, one file for each source.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ConfigError
from training.commands import command, option
from training.detector.batches import MosaicBatches
from training.detector.faces import PhotoSets, load_photos
from training.detector.labels import TEACHER
from training.detector.mosaic import MosaicConfig, MosaicMaker
from training.detector.network import NetworkConfig, build_network, for_training
from training.detector.targets import DetectorLoss
from training.detector.teacher import DenseTeacher
from training.engine import settings
from training.engine.fast_torch import fast_layers
from training.engine.keeper import RunKeeper
from training.engine.run import RunFolder, assign, read_checkpoint
from training.engine.schedules import Course

SHIPPED = Path(__file__).parent / 'shipped.npz'
"""The shipped detector's float weights, at half precision, as a checkpoint."""
VALIDATION_STEPS = 12
FREE_ON_RESUME = ('schedule', 'loss', 'average', 'mosaic', 'not_people')
"""Settings that a run may change on its way."""


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

    ``average`` is the decay of the running average of the weights, for each of ``every`` steps;
    ``not_people`` a text file beside the recipe that names scenes without faces.
    """

    seed: int
    network: NetworkConfig
    mosaic: MosaicConfig
    schedule: ScheduleConfig
    optimizer: dict[str, float]
    loss: dict[str, float]
    average: dict[str, float]
    not_people: str
    precision: str = 'float32'

    @property
    def course(self) -> Course:
        """Return how long the run is and how fast it learns."""
        one = self.schedule
        return Course(
            epochs=one.epochs,
            schedule='trapezoid',
            learning_rate=one.learning_rate,
            warmup_epochs=one.warmup_steps / one.steps,
            cooldown=one.decay_share,
            weight_average=self.average['decay'] ** (1 / self.average['every']),
        )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ConfigError: it cannot be read, or a setting is missing or unknown.
    """
    recipe = settings.load(Recipe, path, 'recipe')
    listed = path.resolve().parent / recipe.not_people
    if not listed.is_file():
        raise ConfigError(f'recipe {path}: not_people: {listed} does not exist')
    return dataclasses.replace(recipe, not_people=str(listed))


def make_model(recipe: Recipe) -> keras.Model:
    """Return the network, ready for ``fit``."""
    size = recipe.mosaic.size_px
    model = for_training(build_network(recipe.network, (size, size)))
    optimizer = keras.optimizers.AdamW(recipe.schedule.learning_rate, **recipe.optimizer)
    model.compile(optimizer, DetectorLoss(size, **recipe.loss), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def train(
    recipe: Recipe,
    data: Path,
    labels: Path,
    output: Path,
    resume: bool = False,
    teacher: Path = TEACHER,
    start: Path | None = None,
) -> None:
    """Train until the recipe's last epoch.

    Args:
        recipe: the run.
        data: folder with people, portraits and scenes.
        labels: folder with the labels of each.
        output: folder of the run.
        resume: go on from its last checkpoint (start anew where there is none yet).
        teacher: YuNet's file.
        start: checkpoint of a run whose weights to begin with.

    Raises:
        ConfigError: the folder holds a run already, or another one than is to be resumed.
        DataError: photos, labels or the teacher are missing.
        ModelError: the run to begin with is of another network, or the loss is not finite.
    """
    keras.utils.set_random_seed(recipe.seed)
    bfloat16 = recipe.precision == 'bfloat16'
    keras.config.set_dtype_policy('mixed_bfloat16' if bfloat16 else 'float32')
    not_people = tuple(Path(recipe.not_people).read_text(encoding='utf-8').split())
    photos, held_back = load_photos(data, labels, not_people).split()
    schedule, run = recipe.schedule, RunFolder(output)

    def batches(part: PhotoSets, seed: int, steps: int) -> MosaicBatches:
        maker = MosaicMaker(part, recipe.mosaic, seed)
        return MosaicBatches(maker, DenseTeacher(teacher), schedule.batch, steps)

    fixed = batches(held_back, 0, VALIDATION_STEPS)
    images, targets = (
        np.concatenate(part) for part in zip(*(fixed[step] for step in range(len(fixed))))
    )

    def validate(model: keras.Model) -> dict[str, float]:
        loss = float(model.evaluate(images, targets, batch_size=16, verbose=0))
        return {'held_back_loss': loss, 'score': -loss}

    with run.locked():
        state = run.checkpoint(recipe, {}, FREE_ON_RESUME, resume)
        model, keeper = make_model(recipe), RunKeeper(run, recipe.course, validate)
        if state:
            assign(model.weights, state.weights, run.last)
            assign(model.optimizer.variables, state.optimizer, run.last)
            keeper.restore(state)
        elif start:
            assign(model.weights, read_checkpoint(start).average, start)
        with fast_layers():
            model.fit(
                batches(photos, recipe.seed + 1000 * keeper.epoch, schedule.steps),
                initial_epoch=keeper.epoch,
                epochs=schedule.epochs,
                callbacks=[keeper],
                verbose=0,
                shuffle=False,
            )
        run.draw_curves()


@command(
    option('recipe', type=Path),
    option('--data', type=Path, default=Path('data')),
    option('--labels', type=Path, default=Path('runs/detector')),
    option('--output', type=Path, default=Path('runs/detector/shipped')),
    option('--teacher', type=Path, default=TEACHER, help="YuNet's weights"),
    option('--start', help="what to begin with: a run's checkpoint, 'default' for the shipped one"),
    option('--resume', action='store_true'),
)
def train_detector(recipe: Path, start: str | None, **chosen: Any) -> None:
    """Train the face detector."""
    begin = SHIPPED if start == 'default' else Path(start) if start else None
    train(read_recipe(recipe), start=begin, **chosen)
