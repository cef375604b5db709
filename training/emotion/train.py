# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train an emotion model as its configuration says.

The backend is Keras's own choice (KERAS_BACKEND=torch, tensorflow or jax). On a processor PyTorch
with bfloat16 is the fastest by far; see docs/train_on_your_own_faces.md.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fer_ros.data.face_set import NO_LABEL, FaceSet
from fer_ros.errors import ConfigError
from fer_ros.evaluation import metrics
from fer_ros.types import Float32Array
from training.commands import command, option
from training.emotion import config as configuration
from training.emotion.batches import FaceBatches, head_targets, predict_faces
from training.emotion.config import SHIPPED, RunConfig
from training.emotion.data import LoadedSets, load_sets
from training.emotion.losses import HeadsLoss, learned_targets, make_loss
from training.emotion.runs import new_model, start_from
from training.emotion.teachers import soften_targets
from training.engine.fast_torch import fast_layers
from training.engine.keeper import RunKeeper
from training.engine.run import RunFolder, assign, read_checkpoint

Prepared = tuple[LoadedSets, Float32Array]
"""A run's data sets, and float32 (N, K) the targets of its training faces."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        model: with the averaged weights of the best epoch.
        folder: of the run.
        history: one dict for each epoch.
    """

    model: keras.Model
    folder: Path
    history: list[dict[str, float]]


def set_up(config: RunConfig) -> None:
    """Seed Keras and choose the precision of activations."""
    keras.utils.set_random_seed(config.seed)
    precision = config.optimization.precision
    keras.config.set_dtype_policy('float32' if precision == 'float32' else f'mixed_{precision}')


def make_optimizer(config: RunConfig) -> keras.optimizers.Optimizer:
    """Return the optimizer; the learning rate itself is set step by step."""
    chosen = config.optimization
    optimizer: keras.optimizers.Optimizer
    if chosen.optimizer == 'sgd':
        optimizer = keras.optimizers.SGD(
            chosen.learning_rate,
            momentum=chosen.momentum,
            nesterov=chosen.momentum > 0,
            weight_decay=chosen.weight_decay or None,
        )
    else:
        optimizer = keras.optimizers.AdamW(
            chosen.learning_rate, weight_decay=chosen.weight_decay, clipnorm=5.0
        )
    optimizer.exclude_from_weight_decay(var_names=['gamma', 'beta', 'bias'])
    return optimizer


def validate(model: keras.Model, sets: Sequence[FaceSet], config: RunConfig) -> dict[str, float]:
    """Return {'set/head/metric': value}, and as 'score' the mean of the accuracies."""
    result: dict[str, float] = {}
    for faces in sets:
        logits = predict_faces(model.predict_on_batch, faces.images, config.model)
        for head, columns in config.head_columns():
            targets = faces.class_targets(head.kind, head.classes)
            rows = np.flatnonzero(targets != NO_LABEL)
            if len(rows):
                predictions = logits[rows, columns].argmax(axis=1)
                matrix = metrics.confusion_matrix(targets[rows], predictions, len(head.classes))
                prefix = f'{faces.name}/{head.name}'
                result[f'{prefix}/accuracy'] = metrics.accuracy(matrix) or 0.0
                result[f'{prefix}/balanced_accuracy'] = metrics.balanced_accuracy(matrix) or 0.0
    scores = [value for name, value in result.items() if name.endswith('/accuracy')]
    return {**result, 'score': float(np.mean(scores)) if scores else 0.0}


def make_targets(
    loaded: LoadedSets, config: RunConfig, folder: Path, resume: bool = False
) -> Float32Array:
    """Return float32 (N, K): what the training faces' outputs are to be, times their weights.

    Teachers' predictions are kept in *folder*.
    """
    targets = head_targets(loaded.training, config) * loaded.weights[:, None]
    if config.teachers:
        targets = soften_targets(targets, loaded, config, folder, resume)
    return targets


def train(
    config: RunConfig, folder: Path, resume: bool = False, prepared: Prepared | None = None
) -> TrainingResult:
    """Train as *config* says, keeping everything in *folder*.

    Args:
        config: the run; it and the versions in use are written to the folder.
        folder: made if need be.
        resume: go on from the folder's last checkpoint (start anew where there is none yet).
        prepared: the data sets and targets, where they were made before.

    Raises:
        ConfigError: the configuration names what does not exist, the folder holds a run already, or
            another one than is to be resumed.
        DataError: a data set does not hold what it should.
        ModelError: a checkpoint is damaged or cannot be written, or the loss is not finite.
    """
    run = RunFolder(folder)
    loaded = prepared[0] if prepared else load_sets(config)
    for note in loaded.notes:
        print(note, flush=True)
    with run.locked():
        state = run.checkpoint(config, loaded.data, configuration.FREE_ON_RESUME, resume)
        targets = prepared[1] if prepared else make_targets(loaded, config, folder, resume)
        # After the teachers, so that a run whose teachers are known already draws the same numbers.
        set_up(config)
        model = new_model(config, None if config.optimization.size_steps else config.model.size_px)
        keeper = RunKeeper(
            run, config.optimization, lambda model: validate(model, loaded.validation, config)
        )
        if state:
            assign(model.weights, state.weights, run.last)
            keeper.restore(state)
        elif config.start:
            start_from(model, config)
        _fit(model, loaded, targets, config, keeper)
        run.draw_curves()
        assign(model.weights, read_checkpoint(run.best).average, run.best)
    _warn_of_guessing(loaded, config, keeper)
    return TrainingResult(model, folder, keeper.history)


def _fit(
    model: keras.Model,
    loaded: LoadedSets,
    targets: Float32Array,
    config: RunConfig,
    keeper: RunKeeper,
) -> None:
    """Train phase by phase."""
    loss, learned = make_loss(targets, config), learned_targets(targets, config)
    compiled: bool | None = None
    for frozen, end in _phases(config):
        if keeper.epoch >= end or keeper.stopped:
            continue
        if compiled != frozen:
            _compile(model, loss, config, frozen)
            if keeper.optimizer_state and keeper.epoch > (0 if frozen else _thaw_epoch(config)):
                assign(model.optimizer.variables, keeper.optimizer_state, keeper.folder.last)
            compiled = frozen
        batches = FaceBatches(loaded.training.images, learned, config, keeper.epoch)
        with fast_layers():
            model.fit(
                batches.stream(),
                steps_per_epoch=len(batches),
                shuffle=False,
                epochs=end,
                initial_epoch=keeper.epoch,
                callbacks=[keeper],
                verbose=1 if sys.stdout.isatty() else 0,
            )


def _warn_of_guessing(loaded: LoadedSets, config: RunConfig, keeper: RunKeeper) -> None:
    """Say so where the best epoch is no better than always naming the most frequent class."""
    best = keeper.history[keeper.best_epoch - 1]
    for faces in loaded.validation:
        for head, _ in config.head_columns():
            targets = faces.class_targets(head.kind, head.classes)
            counts = np.bincount(targets[targets != NO_LABEL], minlength=1)
            score = best.get(f'{faces.name}/{head.name}/accuracy')
            several = np.count_nonzero(counts) > 1
            if several and score is not None and score <= counts.max() / counts.sum():
                print(
                    f'note: on {faces.name}, head {head.name} is right as often ({score:.3f}) as '
                    'always naming the most frequent class would be: it has learnt nothing yet'
                )


def _thaw_epoch(config: RunConfig) -> int:
    """Return the epoch from which everything is trained."""
    return min(config.optimization.frozen_epochs, config.optimization.epochs)


def _phases(config: RunConfig) -> list[tuple[bool, int]]:
    """Return (whether the backbone is frozen, epoch at which the phase ends), in order.

    A phase has one size of faces, for some backends fix the shape of their input when it starts.
    """
    chosen, thaw = config.optimization, _thaw_epoch(config)
    ends = {thaw, chosen.epochs, *(start for start in chosen.size_steps if start < chosen.epochs)}
    return [(end <= thaw, end) for end in sorted(ends) if end > 0]


def _compile(model: keras.Model, loss: HeadsLoss, config: RunConfig, frozen: bool) -> None:
    """Give the model a fresh optimizer for a phase of training."""
    backbone = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if config.start and not backbone:
        backbone = [layer for layer in model.layers if layer.name != 'logits']
    if frozen and not backbone:
        raise ConfigError(
            f'frozen_epochs: architecture {config.model.architecture} has no backbone to freeze, '
            'and the run starts from no other'
        )
    for layer in backbone:
        layer.trainable = not frozen
    model.compile(optimizer=make_optimizer(config), loss=loss)
    model.optimizer.build(model.trainable_variables)


RUN_OPTIONS = (
    option('config', type=Path, help="the run's YAML file"),
    option('--output', type=Path, help="the run's folder (default: runs/NAME)"),
    option('--resume', action='store_true', help='go on from the last checkpoint'),
)


@command(*RUN_OPTIONS)
def train_run(config: Path, output: Path | None, resume: bool) -> None:
    """Train an emotion model."""
    run = configuration.load(config)
    train(run, output or Path('runs') / run.name, resume)


@command(*RUN_OPTIONS, option('--teachers', nargs='+', help="folders of the teachers' runs"))
def distill(config: Path, output: Path | None, resume: bool, teachers: list[str] | None) -> None:
    """Train a student, which learns from its teachers as well as from labels."""
    run = configuration.load(config)
    if teachers:
        names = tuple(one if one == SHIPPED else str(Path(one).resolve()) for one in teachers)
        run = dataclasses.replace(run, teachers=names)
    if not run.teachers:
        raise ConfigError('a student needs at least one teacher')
    train(run, output or Path('runs') / run.name, resume)
