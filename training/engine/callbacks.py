# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens beside the steps of training: learning rate, averaging, validation, checkpoints."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.data.face_set import NO_LABEL, FaceSet
from fer_ros.errors import ModelError
from fer_ros.evaluation import metrics
from training.emotion.batches import model_input
from training.emotion.config import RunConfig
from training.engine.checkpoints import Arrays, Checkpoint, write_checkpoint
from training.engine.schedules import learning_rate

AVERAGE_EVERY = 4
"""The running average takes every fourth step: as good, and not felt."""


class RunKeeper(keras.callbacks.Callback):
    """Keeps a run: sets the learning rate, averages weights, validates, writes checkpoints.

    After each epoch ``checkpoints/last.npz`` holds everything to go on with, and ``best.npz`` the
    weights that did best on the faces to choose by.

    Args:
        config: of the run.
        folder: of the run.
        validation: faces to choose by, each set reported apart.
    """

    def __init__(self, config: RunConfig, folder: Path, validation: tuple[FaceSet, ...]) -> None:
        """Start with an empty history."""
        super().__init__()
        self.config = config
        self.folder = folder
        self.validation = validation
        self.history: list[dict[str, float]] = []
        self.average: Arrays = []
        self.best = -1.0
        self.best_epoch = 0
        self.plateau_factor = 1.0
        self.epoch = 0
        self.stopped = False
        self.optimizer_state: Arrays = []
        self._step = 0
        self._steps = 1
        self._started_s = self._epoch_started_s = 0.0

    def restore(self, state: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.epoch = state.epoch
        self.average = state.average
        self.optimizer_state = state.optimizer
        try:
            self.history = list(state.facts['history'])
            self.best = float(state.facts['best'])
            self.best_epoch = int(state.facts['best_epoch'])
            self.plateau_factor = float(state.facts['plateau_factor'])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f'the checkpoint of {self.folder} lacks {error}') from error

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note the time and the number of steps."""
        self._started_s = time.monotonic()
        self._steps = self.params['steps']
        self._step = self.epoch * self._steps
        self._first_epoch = self.epoch
        if not self.average:
            self.average = copied_weights(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self._epoch_started_s = time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set this step's learning rate."""
        rate = learning_rate((self._step + 1) / self._steps, self.config.optimization)
        self.model.optimizer.learning_rate.assign(rate * self.plateau_factor)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the step into the running average; young averages forget faster."""
        self._step += 1
        decay = self.config.optimization.weight_average
        if decay and self._step % AVERAGE_EVERY == 0:
            keep = min(decay**AVERAGE_EVERY, (self._step + 1) / (self._step + 10))
            for mean, value in zip(self.average, self.model.get_weights(), strict=True):
                mean *= keep
                mean += (1 - keep) * value

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Validate with the average, write the checkpoint, stop where nothing is gained."""
        self.epoch = epoch + 1
        raw = copied_weights(self.model)
        if not self.config.optimization.weight_average:
            self.average = raw
        self.model.set_weights(self.average)
        row: dict[str, float] = {
            'epoch': self.epoch,
            'loss': float((logs or {})['loss']),
            'learning_rate': float(self.model.optimizer.learning_rate),
        }
        for faces in self.validation:
            row.update(validate(self.model, faces, self.config))
        self.model.set_weights(raw)
        row['seconds'] = time.monotonic() - self._epoch_started_s
        scores = [value for name, value in row.items() if name.endswith('/accuracy')]
        row['score'] = float(np.mean(scores))
        self.history.append(row)
        self._keep(row['score'], raw)
        self._report(row)
        if logs is not None:
            logs.update(row)

    def _keep(self, score: float, raw: Arrays) -> None:
        """Write checkpoints, history and what follows from a gain or the lack of it."""
        folder = self.folder / 'checkpoints'
        if score > self.best:
            self.best, self.best_epoch = score, self.epoch
            write_checkpoint(folder / 'best.npz', Checkpoint(self.epoch, [], self.average))
        since = self.epoch - self.best_epoch
        chosen = self.config.optimization
        if chosen.schedule == 'plateau' and since and since % chosen.plateau_patience == 0:
            self.plateau_factor /= 2
        if chosen.early_stopping and since >= chosen.early_stopping:
            self.stopped = self.model.stop_training = True
        facts = {
            'history': self.history,
            'best': self.best,
            'best_epoch': self.best_epoch,
            'plateau_factor': self.plateau_factor,
        }
        optimizer = [keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables]
        write_checkpoint(
            folder / 'last.npz', Checkpoint(self.epoch, raw, self.average, optimizer, facts)
        )
        with (self.folder / 'history.csv').open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(self.history[-1]))
            writer.writeheader()
            writer.writerows(self.history)

    def _report(self, row: dict[str, float]) -> None:
        """Print one line an epoch, with the time left."""
        epochs = self.config.optimization.epochs
        done = self.epoch - self._first_epoch
        left_s = (time.monotonic() - self._started_s) / done * (epochs - self.epoch)
        values = ' '.join(
            f'{name} {value:.4f}' for name, value in row.items() if '/' in name or name == 'loss'
        )
        print(
            f'epoch {self.epoch}/{epochs} {values} '
            f'({row["seconds"]:.0f} s, {left_s / 60:.0f} min left)',
            flush=True,
        )


def copied_weights(model: keras.Model) -> Arrays:
    """Return the weights as arrays of their own (under PyTorch Keras gives views of them)."""
    return [np.array(value) for value in model.get_weights()]


def validate(model: keras.Model, faces: FaceSet, config: RunConfig) -> dict[str, float]:
    """Return {'set/head/metric': value} for every head that has labels in *faces*."""
    logits = np.concatenate(
        [
            keras.ops.convert_to_numpy(
                model.predict_on_batch(
                    model_input(
                        faces.images[start : start + 256],
                        config.model.normalization,
                        config.model.channels,
                    )
                )
            )
            for start in range(0, len(faces), 256)
        ]
    )
    result: dict[str, float] = {}
    for head, columns in config.head_columns():
        truth = faces.truth(head.kind, head.classes)
        rows = np.flatnonzero(truth != NO_LABEL)
        if len(rows):
            answers = logits[rows, columns].argmax(axis=1)
            matrix = metrics.confusion_matrix(truth[rows], answers, len(head.classes))
            prefix = f'{faces.name}/{head.name}'
            result[f'{prefix}/accuracy'] = metrics.accuracy(matrix) or 0.0
            result[f'{prefix}/balanced_accuracy'] = metrics.balanced_accuracy(matrix) or 0.0
    return result


class TorchBoard(keras.callbacks.Callback):
    """Writes the figures of each epoch for TensorBoard under the PyTorch backend."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder of the event files."""
        super().__init__()
        self.folder = folder

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the event file."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write one point a curve."""
        for name, value in (logs or {}).items():
            self._writer.add_scalar(name, value, epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the event file."""
        self._writer.close()
