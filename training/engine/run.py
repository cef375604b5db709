# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: its checkpoints, its history, and nothing continued that has changed."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import importlib.metadata
import json
import os
import platform
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from fer_ros.errors import ConfigError, ModelError
from training.commands import command, option
from training.engine import settings

PACKAGES = ('keras', 'numpy', 'torch', 'tensorflow', 'jax', 'opencv-python-headless')
Arrays = list[np.ndarray]


@dataclass
class Checkpoint:
    """Everything needed to go on.

    Attributes:
        epoch: epochs done.
        weights: of the model, in Keras's order.
        average: running average of the weights, in the same order; what is evaluated and shipped.
        optimizer: its variables.
        facts: plain values: the history and the like.
    """

    epoch: int
    weights: Arrays
    average: Arrays
    optimizer: Arrays = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


GROUPS = ('weights', 'average', 'optimizer')


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write *state* to *path*; an older file there stays until the new one is complete.

    Raises:
        ModelError: it cannot be written, for example because the disk is full.
    """
    text = json.dumps({'epoch': state.epoch, 'facts': state.facts})
    arrays = {'facts': np.frombuffer(text.encode(), np.uint8)}
    for group in GROUPS:
        arrays |= {f'{group}_{i:04d}': one for i, one in enumerate(getattr(state, group))}
    partial = path.with_name(path.name + '.part')
    try:
        with partial.open('wb') as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ModelError(f'checkpoint {path} could not be written: {error}') from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read what ``write_checkpoint`` wrote.

    Raises:
        ModelError: it is not there, is cut off or damaged (each array carries a checksum), or is
            no checkpoint.
    """
    try:
        # numpy leaves the file open where it finds that it is damaged.
        with path.open('rb') as stream, np.load(stream, allow_pickle=False) as content:
            facts = json.loads(content['facts'].tobytes().decode())
            names = sorted(content.files)
            weights, average, optimizer = (
                [content[one] for one in names if one.startswith(group)] for group in GROUPS
            )
        return Checkpoint(int(facts['epoch']), weights, average, optimizer, facts['facts'])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f'checkpoint {path} cannot be read: {error}') from error


def assign(variables: Sequence[Any], arrays: Sequence[np.ndarray], path: Path) -> None:
    """Put *arrays* into Keras variables (a model's weights or an optimizer's variables).

    Raises:
        ModelError: they are another network's.
    """
    expected = [tuple(variable.shape) for variable in variables]
    given = [tuple(array.shape) for array in arrays]
    if expected != given:
        raise ModelError(
            f'checkpoint {path} is of another network: it holds {len(given)} arrays where '
            f'{len(expected)} are needed, or arrays of other shapes'
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


class RunFolder:
    """What a run leaves behind, and how it goes on.

    Attributes:
        path: of the folder.
        last: checkpoint with everything to go on with.
        best: checkpoint with the averaged weights that did best on the validation set.
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is written yet."""
        self.path = path
        self.last = path / 'checkpoints' / 'last.npz'
        self.best = path / 'checkpoints' / 'best.npz'

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other trainings out while the context lasts.

        Raises:
            ConfigError: another one is at work in the folder.
        """
        self.last.parent.mkdir(parents=True, exist_ok=True)
        with (self.path / '.lock').open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConfigError(
                    f'another training is at work in {self.path}; wait for its end or choose '
                    'another folder'
                ) from error
            yield

    def checkpoint(
        self, config: Any, data: dict[str, Any], free: Collection[str], resume: bool
    ) -> Checkpoint | None:
        """Return the checkpoint to go on from, None for a new run; then describe the run.

        Args:
            config: dataclass of the run's settings.
            data: what was read; its 'fingerprint' shows whether it is the same.
            free: names of settings in which a run may differ from what it was before.
            resume: go on (start anew where there is nothing yet).

        Raises:
            ConfigError: the folder holds a run and is not to be resumed, or a run of another kind.
            ModelError: the checkpoint is damaged.
        """
        state = None
        if self.last.exists():
            if not resume:
                raise ConfigError(
                    f'{self.path} already holds a run; go on with --resume or choose another'
                )
            state = read_checkpoint(self.last)
            self._check_same(config, data, free)
        settings.save(config, self.path / 'config.yaml')
        for name, content in (('versions', versions()), ('data', data)):
            text = json.dumps(content, indent=2) + '\n'
            (self.path / f'{name}.json').write_text(text, encoding='utf-8')
        return state

    def _check_same(self, config: Any, data: dict[str, Any], free: Collection[str]) -> None:
        """Raise ConfigError unless the run in the folder is this one."""
        kept = settings.load(type(config), self.path / 'config.yaml')
        mappings = settings.to_mapping(kept), settings.to_mapping(config)
        changed = list(settings.differences(*mappings, free))
        if changed:
            raise ConfigError(
                f'{self.path} cannot be resumed: {", ".join(changed)} differ from what its '
                'weights were trained with; choose another folder for another run'
            )
        path = self.path / 'data.json'
        known = json.loads(path.read_text()).get('fingerprint') if path.is_file() else None
        if known and known != data.get('fingerprint'):
            raise ConfigError(
                f'{self.path} cannot be resumed: the data sets hold other faces than before, so '
                'that training and validation would mix; choose another folder'
            )

    def write_history(self, rows: Sequence[dict[str, float]]) -> None:
        """Write one line for each epoch to ``history.csv``."""
        with (self.path / 'history.csv').open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(rows[-1]))
            writer.writeheader()
            writer.writerows(rows)

    def read_history(self) -> list[dict[str, float]]:
        """Return one dict for each epoch.

        Raises:
            ConfigError: the folder holds no history.
        """
        path = self.path / 'history.csv'
        try:
            with path.open(newline='', encoding='utf-8') as stream:
                rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f'{path} cannot be read: {error}') from error
        if not rows:
            raise ConfigError(f'{path} holds no epoch')
        return rows

    def draw_curves(self, path: Path | None = None) -> None:
        """Save loss, learning rate and the figures of the validation set as a picture.

        Raises:
            ConfigError: the folder holds no history.
        """
        rows = self.read_history()
        figure = Figure(figsize=(9, 3.5), dpi=110, layout='constrained')
        left, right = figure.subplots(1, 2)
        epochs = [row['epoch'] for row in rows]
        left.plot(epochs, [row['loss'] for row in rows])
        left.set(xlabel='epoch', ylabel='training loss')
        rate = left.twinx()
        rate.plot(epochs, [row['learning_rate'] for row in rows], color='grey', linestyle=':')
        rate.set_ylabel('learning rate (dotted)')
        for name in rows[0]:
            if '/' in name or name.endswith('_loss'):
                style = '--' if name.endswith('balanced_accuracy') else '-'
                right.plot(epochs, [row[name] for row in rows], style, label=name)
        right.set(xlabel='epoch', ylabel='on the validation set')
        right.legend(fontsize=7)
        figure.savefig(path or self.path / 'curves.png')


def versions() -> dict[str, str]:
    """Return the versions of what trains."""
    found = {'python': platform.python_version(), 'backend': keras.backend.backend()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


@command(
    option('run', type=Path, help='folder of the run'),
    option('--output', type=Path, help='the picture (default: RUN/curves.png)'),
)
def curves(run: Path, output: Path | None) -> None:
    """Draw a run's curves."""
    RunFolder(run).draw_curves(output)
