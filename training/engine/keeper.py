# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens beside the steps of training: learning rate, averaging, validation, checkpoints.

Keras's own average of weights (``use_ema``) leaves out the statistics of normalisation, and its
callbacks forget where they were when a run is resumed; hence this one callback.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ModelError
from training.engine.checkpoints import Arrays, Checkpoint, write_checkpoint
from training.engine.run import RunFolder

AVERAGE_EVERY = 4
"""The running average takes every fourth step: as good, and not felt."""
SAVE_EVERY_S = 120.0
"""Checkpoints are written this often within long epochs; resuming begins such an epoch again."""


@dataclass(frozen=True)
class Course:
    """How long a run is, how fast it learns, and when it stops.

    Attributes:
        epochs: at most.
        rate: from epochs done (a fraction counts) to the learning rate.
        average: decay a step of the running average of the weights; 0 for none.
        minutes: the run ends by then, wherever it is, and the learning rate is where it would be
            after the last epoch; 0 for no limit.
        patience: epochs without gain before the learning rate is halved; 0 for never.
        early_stopping: epochs without gain before the end; 0 for never.
    """

    epochs: int
    rate: Callable[[float], float]
    average: float
    minutes: float = 0.0
    patience: int = 0
    early_stopping: int = 0


Validate = Callable[[keras.Model], dict[str, float]]
"""From a model with averaged weights to figures, of which 'score' is the one to choose by."""


class RunKeeper(keras.callbacks.Callback):
    """Keeps a run: sets the learning rate, averages weights, validates, writes checkpoints.

    Args:
        folder: of the run.
        course: of the run.
        validate: called after each epoch.
    """

    def __init__(self, folder: RunFolder, course: Course, validate: Validate) -> None:
        """Start with an empty history."""
        super().__init__()
        self.folder = folder
        self.course = course
        self.validate = validate
        self.history: list[dict[str, float]] = []
        self.average: Arrays = []
        self.best = -math.inf
        self.best_epoch = self.gain_epoch = 0
        self.plateau_factor = 1.0
        self.epoch = 0
        self.stopped = False
        self.optimizer_state: Arrays = []
        self._step = 0
        self._steps = 1
        self._spent_s = 0.0
        self._begun_s = self._saved_s = time.monotonic()
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
            self.gain_epoch = int(state.facts.get('gain_epoch', self.best_epoch))
            self.plateau_factor = float(state.facts['plateau_factor'])
            self._spent_s = float(state.facts.get('spent_s', 0.0))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f'the checkpoint of {self.folder.path} lacks {error}') from error

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
        rate = self.course.rate(max((self._step + 1) / self._steps, self._time_gone()))
        self.model.optimizer.learning_rate.assign(rate * self.plateau_factor)

    def _time_gone(self) -> float:
        """Return the epochs that the time gone stands for: all of them when it is up."""
        minutes = self.course.minutes
        return min(1.0, self._total_s() / 60 / minutes) * self.course.epochs if minutes else 0.0

    def _total_s(self) -> float:
        """Return the time spent on the run, that before a resume included."""
        return self._spent_s + time.monotonic() - self._begun_s

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the step into the running average; young averages forget faster.

        Raises:
            ModelError: the loss is not finite.
        """
        loss = (logs or {}).get('loss', 0.0)
        if not math.isfinite(loss):
            rate = float(self.model.optimizer.learning_rate)
            raise ModelError(
                f'the loss is {loss} in epoch {self.epoch + 1}, so training has stopped; a '
                f'lower learning_rate (now {rate:g}) helps. The last good checkpoint is '
                f'{self.folder.last if self.epoch else "none: it was the first epoch"}'
            )
        self._step += 1
        decay = self.course.average
        if decay and self._step % AVERAGE_EVERY == 0:
            keep = min(decay**AVERAGE_EVERY, (self._step + 1) / (self._step + 10))
            for mean, value in zip(self.average, self.model.get_weights(), strict=True):
                mean *= keep
                mean += (1 - keep) * value
        if self._time_gone() >= self.course.epochs:
            self.stopped = self.model.stop_training = True
        elif time.monotonic() - self._saved_s > SAVE_EVERY_S:
            self._save(copied_weights(self.model))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Validate with the average, write the checkpoint, stop where nothing is gained."""
        self.epoch = epoch + 1
        raw = copied_weights(self.model)
        if not self.course.average:
            self.average = raw
        self.model.set_weights(self.average)
        row: dict[str, float] = {
            'epoch': self.epoch,
            'loss': float((logs or {})['loss']),
            'learning_rate': float(self.model.optimizer.learning_rate),
            **self.validate(self.model),
        }
        self.model.set_weights(raw)
        row['seconds'] = time.monotonic() - self._epoch_started_s
        self.history.append(row)
        self._keep(row['score'], raw)
        self._report(row)
        if logs is not None:
            logs.update(row)

    def _keep(self, score: float, raw: Arrays) -> None:
        """Write checkpoints, history and what follows from a gain or the lack of it."""
        if score > self.best:
            self.gain_epoch = self.epoch
        if score >= self.best:  # Of equal ones, which few validation faces give, the later one.
            self.best, self.best_epoch = score, self.epoch
            write_checkpoint(self.folder.best, Checkpoint(self.epoch, [], self.average))
        since, course = self.epoch - self.gain_epoch, self.course
        if course.patience and since and since % course.patience == 0:
            self.plateau_factor /= 2
        if course.early_stopping and since >= course.early_stopping:
            self.stopped = self.model.stop_training = True
        self._save(raw)
        path = self.folder.path / 'history.csv'
        with path.open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(self.history[-1]))
            writer.writeheader()
            writer.writerows(self.history)

    def _save(self, raw: Arrays) -> None:
        """Write what a resumed run goes on from."""
        facts = {
            'history': self.history,
            'best': self.best,
            'best_epoch': self.best_epoch,
            'gain_epoch': self.gain_epoch,
            'plateau_factor': self.plateau_factor,
            'spent_s': self._total_s(),
        }
        optimizer = [keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables]
        write_checkpoint(
            self.folder.last, Checkpoint(self.epoch, raw, self.average, optimizer, facts)
        )
        self._saved_s = time.monotonic()

    def _report(self, row: dict[str, float]) -> None:
        """Print one line an epoch, with the time left."""
        done = self.epoch - self._first_epoch
        left_s = (time.monotonic() - self._started_s) / done * (self.course.epochs - self.epoch)
        if self.course.minutes:
            left_s = min(left_s, 60 * self.course.minutes - self._total_s())
        values = ' '.join(
            f'{name} {value:.4f}' for name, value in row.items() if '/' in name or 'loss' in name
        )
        print(
            f'epoch {self.epoch}/{self.course.epochs} {values} '
            f'({row["seconds"]:.0f} s, {left_s / 60:.0f} min left)',
            flush=True,
        )


def copied_weights(model: keras.Model) -> Arrays:
    """Return the weights as arrays of their own (under PyTorch Keras gives views of them)."""
    return [np.array(value) for value in model.get_weights()]
