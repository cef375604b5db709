# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: one training at a time, and nothing continued that has become another."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import platform
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import keras

from fer_ros.errors import ConfigError
from training.engine import settings
from training.engine.checkpoints import Checkpoint, read_checkpoint

PACKAGES = ('keras', 'numpy', 'torch', 'tensorflow', 'jax', 'opencv-python-headless')


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
        self._write('versions', versions())
        self._write('data', data)
        return state

    def _check_same(self, config: Any, data: dict[str, Any], free: Collection[str]) -> None:
        """Raise ConfigError unless the run in the folder is this one."""
        before = type(config)
        kept = settings.to_mapping(
            settings.from_mapping(before, settings.read_yaml(self.path / 'config.yaml'))
        )
        changed = list(settings.differences(kept, settings.to_mapping(config), free))
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

    def _write(self, name: str, content: dict[str, Any]) -> None:
        path = self.path / f'{name}.json'
        path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def versions() -> dict[str, str]:
    """Return the versions of what trains."""
    found = {'python': platform.python_version(), 'backend': keras.backend.backend()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def tensorboard(folder: Path) -> list[keras.callbacks.Callback]:
    """Return a callback that writes curves for TensorBoard, where its writer is installed."""
    if keras.backend.backend() == 'tensorflow':
        return [keras.callbacks.TensorBoard(str(folder / 'tensorboard'), write_graph=False)]
    with contextlib.suppress(ImportError):
        if keras.backend.backend() == 'torch':
            from torch.utils.tensorboard import SummaryWriter

            writer = SummaryWriter(str(folder / 'tensorboard'))
            return [keras.callbacks.LambdaCallback(on_epoch_end=_to_board(writer))]
    return []


def _to_board(writer: Any) -> Callable[[int, dict[str, float]], None]:
    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            writer.add_scalar(name, value, epoch + 1)
        writer.flush()

    return on_epoch_end
