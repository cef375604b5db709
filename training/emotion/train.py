# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Train an emotion model from a file: ``python -m training.emotion.train run.yaml [--resume]``.

The backend is Keras's own choice (KERAS_BACKEND=torch, tensorflow or jax). On a processor PyTorch
with bfloat16 is the fastest by far; see docs/train_on_your_own_faces.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from fer_ros.errors import ConfigError, DataError, FerError
from fer_ros.types import Float32Array
from training.emotion import config as configuration
from training.emotion.batches import FaceBatches, head_targets
from training.emotion.config import RunConfig
from training.emotion.data import load_sets
from training.emotion.losses import HeadsLoss, class_shares, effective_class_weights
from training.emotion.runs import new_model, start_from
from training.engine.callbacks import RunKeeper
from training.engine.checkpoints import assign, read_checkpoint
from training.engine.curves import draw_curves
from training.engine.fast_torch import fast_layers

PACKAGES = ('keras', 'numpy', 'torch', 'tensorflow', 'jax', 'opencv-python-headless')


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        model: with the averaged weights of the best epoch.
        folder: of the run.
        history: one dict an epoch.
    """

    model: keras.Model
    folder: Path
    history: list[dict[str, float]]


def set_up(config: RunConfig) -> None:
    """Seed Keras and choose the precision of activations."""
    keras.utils.set_random_seed(config.seed)
    precision = config.optimization.precision
    keras.config.set_dtype_policy('float32' if precision == 'float32' else f'mixed_{precision}')


def make_loss(targets: Float32Array, config: RunConfig) -> HeadsLoss:
    """Return the loss with whatever evens out rare classes, from the training targets."""
    balance = config.balance
    weights, priors = [], []
    for _, columns in config.head_columns():
        shares = class_shares(targets[:, columns])
        weights.append(effective_class_weights(shares, balance.strength))
        priors.append(balance.strength * np.log(np.maximum(shares, 1e-6)))
    method = balance.method
    return HeadsLoss(
        [len(head.classes) for head in config.heads],
        label_smoothing=config.optimization.label_smoothing,
        focal_gamma=balance.strength if method == 'focal' else 0.0,
        class_weights=np.concatenate(weights) if method == 'class_weights' else None,
        log_priors=np.concatenate(priors) if method == 'logit_adjustment' else None,
    )


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


def train(config: RunConfig, folder: Path, resume: bool = False) -> TrainingResult:
    """Train as *config* says, keeping everything in *folder*.

    Args:
        config: the run; it and the versions in use are written to the folder.
        folder: made if need be.
        resume: go on from the folder's last checkpoint (start anew where there is none yet).

    Raises:
        ConfigError: the configuration names what does not exist, or the folder holds a run already.
        DataError: a data set does not hold what it should.
        ModelError: a checkpoint is damaged or cannot be written.
    """
    last = folder / 'checkpoints' / 'last.npz'
    if last.exists() and not resume:
        raise ConfigError(f'{folder} already holds a run; go on with --resume or choose another')
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config) * loaded.weights[:, None]
    if config.teachers:
        from training.emotion.distill import soften_targets

        folder.mkdir(parents=True, exist_ok=True)
        targets = soften_targets(targets, loaded, config, folder, resume)
    # After the teachers, so that a run whose teachers were not asked again draws the same numbers.
    set_up(config)
    loss = make_loss(targets, config)
    fixed = None if config.optimization.size_steps else config.model.size_px
    model = new_model(config, fixed)
    keeper = RunKeeper(config, folder, loaded.validation)
    if resume and last.exists():
        state = read_checkpoint(last)
        assign(model.weights, state.weights, last)
        keeper.restore(state)
    elif config.start:
        start_from(model, Path(config.start))
    _describe_run(config, folder, loaded.counts)
    compiled: bool | None = None
    for frozen, end in _phases(config):
        if keeper.epoch >= end or keeper.stopped:
            continue
        if compiled != frozen:
            _compile(model, loss, config, frozen)
            if keeper.optimizer_state and keeper.epoch > (0 if frozen else _thaw_epoch(config)):
                assign(model.optimizer.variables, keeper.optimizer_state, last)
            compiled = frozen
        batches = FaceBatches(loaded.training.images, targets, config, keeper.epoch)
        with fast_layers():
            model.fit(
                batches.stream(),
                steps_per_epoch=len(batches),
                shuffle=False,
                epochs=end,
                initial_epoch=keeper.epoch,
                callbacks=[keeper, *_tensorboard(folder)],
                verbose=1 if sys.stdout.isatty() else 0,
            )
    draw_curves(keeper.history, folder / 'curves.png')
    best = read_checkpoint(folder / 'checkpoints' / 'best.npz')
    assign(model.weights, best.average, folder / 'checkpoints' / 'best.npz')
    return TrainingResult(model, folder, keeper.history)


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
    backbones = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if frozen and not backbones:
        raise ConfigError(
            f'frozen_epochs: architecture {config.model.architecture} has no backbone to freeze'
        )
    for backbone in backbones:
        backbone.trainable = not frozen
    model.compile(optimizer=make_optimizer(config), loss=loss)
    model.optimizer.build(model.trainable_variables)


def _tensorboard(folder: Path) -> list[keras.callbacks.Callback]:
    """Return Keras's TensorBoard callback where its writer is installed."""
    if keras.backend.backend() == 'tensorflow':
        return [keras.callbacks.TensorBoard(str(folder / 'tensorboard'), write_graph=False)]
    with contextlib.suppress(ImportError):
        if keras.backend.backend() == 'torch':
            from torch.utils.tensorboard import SummaryWriter  # noqa: F401

            from training.engine.callbacks import TorchBoard

            return [TorchBoard(folder / 'tensorboard')]
    return []


def _describe_run(config: RunConfig, folder: Path, counts: dict[str, object]) -> None:
    """Write configuration, versions and what was read into the run's folder."""
    (folder / 'checkpoints').mkdir(parents=True, exist_ok=True)
    configuration.save(config, folder / 'config.yaml')
    versions = {'python': platform.python_version(), 'backend': keras.backend.backend()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    (folder / 'versions.json').write_text(json.dumps(versions, indent=2) + '\n')
    (folder / 'data.json').write_text(json.dumps(counts, indent=2) + '\n')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training.emotion.train', description=__doc__)
    parser.add_argument('config', type=Path, help="the run's YAML file")
    parser.add_argument('--output', type=Path, help="the run's folder (default: runs/NAME)")
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    options = parser.parse_args(arguments)
    try:
        config = configuration.load(options.config)
        train(config, options.output or Path('runs') / config.name, options.resume)
    except FerError as error:
        kind = {ConfigError: 'configuration', DataError: 'data'}.get(type(error), 'error')
        print(f'training: {kind}: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
