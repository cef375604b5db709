# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens beside the steps of training: learning rate, averaging, validation, checkpoints.

Keras's own average of weights (``use_ema``) leaves out the statistics of normalisation, and its
callbacks forget where they were when a run is resumed; hence this one callback.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from fer_ros.errors import ModelError
from training.engine.run import Arrays, Checkpoint, RunFolder, write_checkpoint
from training.engine.schedules import Course

AVERAGE_EVERY = 4
"""The running average takes every fourth step: as good, and not felt."""
SAVE_EVERY_S = 120.0
"""Checkpoints are written this often within long epochs; resuming begins such an epoch again."""


Validate = Callable[[keras.Model], dict[str, float]]
"""From a model with averaged weights to figures, of which 'score' is the one to choose by."""


class RunKeeper(keras.callbacks.Callback):
    """Keeps a run: sets the learning rate, averages weights, validates, writes checkpoints.

    Attributes:
        epoch: epochs done.
        history: one dict for each of them.
        average: of the weights.
        optimizer_state: of the checkpoint to go on from.
        stopped: before the last epoch, by the clock or early stopping.
    """

    def __init__(self, folder: RunFolder, course: Course, validate: Validate) -> None:
        """Start with an empty history; *validate* is called after each epoch."""
        super().__init__()
        self.folder, self.course, self.validate = folder, course, validate
        self.epoch, self.stopped = 0, False
        self.history: list[dict[str, float]] = []
        self.average: Arrays = []
        self.optimizer_state: Arrays = []
        self._spent_s = 0.0
        self._begun_s = self._saved_s = time.monotonic()
        self._board: Any = None

    def restore(self, state: Checkpoint) -> None:
        """Go on from a checkpoint; raises ModelError for one without a history."""
        self.epoch = state.epoch
        self.average, self.optimizer_state = state.average, state.optimizer
        try:
            self.history = list(state.facts['history'])
            self._spent_s = float(state.facts.get('spent_s', 0.0))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f'the checkpoint of {self.folder.path} lacks {error}') from error

    @property
    def best_epoch(self) -> int:
        """Return the epoch with the best score: the last of equal ones, which few faces give."""
        return max(range(1, self.epoch + 1), key=lambda one: (self.history[one - 1]['score'], one))

    def _without_gain(self) -> list[int]:
        """Return for each epoch how long ago the last gain was then, in epochs."""
        since, best, found = 0, -math.inf, []
        for row in self.history:
            since = 0 if row['score'] > best else since + 1
            best = max(best, row['score'])
            found.append(since)
        return found

    def _plateau_factor(self) -> float:
        """Return by what the learning rate is multiplied because nothing was gained."""
        if self.course.schedule != 'plateau':
            return 1.0
        waits = [since for since in self._without_gain() if since]
        return float(0.5 ** sum(since % self.course.plateau_patience == 0 for since in waits))

    def _total_s(self) -> float:
        """Return the time spent on the run, that before a resume included."""
        return self._spent_s + time.monotonic() - self._begun_s

    def _time_gone(self) -> float:
        """Return the epochs that the time gone stands for: all of them when it is up."""
        minutes = self.course.minutes
        return min(1.0, self._total_s() / 60 / minutes) * self.course.epochs if minutes else 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note the time and the number of steps; open TensorBoard's file where it is installed."""
        self._started_s, self._first_epoch = time.monotonic(), self.epoch
        self._steps = self.params['steps']
        self._step = self.epoch * self._steps
        self.average = self.average or copied_weights(self.model)
        with contextlib.suppress(ImportError):
            from tensorboard.summary import Writer

            self._board = Writer(str(self.folder.path / 'tensorboard'))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close TensorBoard's file."""
        if self._board:
            self._board.close()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time, and whether the learning rate has come down."""
        self._epoch_started_s = time.monotonic()
        self._factor = self._plateau_factor()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set this step's learning rate."""
        rate = self.course.rate(max((self._step + 1) / self._steps, self._time_gone()))
        self.model.optimizer.learning_rate.assign(rate * self._factor)

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
        decay = self.course.weight_average
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
        """Validate with the average, write the checkpoints, stop where nothing is gained."""
        self.epoch = epoch + 1
        raw = copied_weights(self.model)
        if not self.course.weight_average:
            self.average = raw
        self.model.set_weights(self.average)
        figures = self.validate(self.model)
        self.model.set_weights(raw)
        row: dict[str, float] = {
            'epoch': self.epoch,
            'loss': float((logs or {})['loss']),
            'learning_rate': float(self.model.optimizer.learning_rate),
            **figures,
            'seconds': time.monotonic() - self._epoch_started_s,
        }
        self.history.append(row)
        if self.best_epoch == self.epoch:
            write_checkpoint(self.folder.best, Checkpoint(self.epoch, [], self.average))
        patience = self.course.early_stopping
        if patience and self._without_gain()[-1] >= patience:
            self.stopped = self.model.stop_training = True
        self._save(raw)
        self.folder.write_history(self.history)
        self._report(row)

    def _save(self, raw: Arrays) -> None:
        """Write what a resumed run goes on from."""
        facts = {'history': self.history, 'spent_s': self._total_s()}
        optimizer = [keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables]
        state = Checkpoint(self.epoch, raw, self.average, optimizer, facts)
        write_checkpoint(self.folder.last, state)
        self._saved_s = time.monotonic()

    def _report(self, row: dict[str, float]) -> None:
        """Print one line an epoch, with the time left, and show it on TensorBoard."""
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
        if self._board:
            for name, value in row.items():
                self._board.add_scalar(name, value, self.epoch)
            self._board.flush()


def copied_weights(model: keras.Model) -> Arrays:
    """Return the weights as arrays of their own (under PyTorch Keras gives views of them)."""
    return [np.array(value) for value in model.get_weights()]
