# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes of their own, forked from one that has imported what all of them import.

A node that is started anew spends a second on imports, and the suite starts a hundred.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path

DEADLINE_S = 120.0
"""Generous, because machines are shared: reached only when a test fails."""
END_S = 60.0
"""A node that was interrupted ends within this time, on a busy machine too."""

_forks = multiprocessing.get_context('forkserver')
_forks.set_forkserver_preload(
    [f'fer_ros.nodes.{name}_node' for name in ('emotion', 'camera', 'hri_bridge', 'bag_player')]
)


def _run(name: str, arguments: tuple[str, ...], log: Path, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir('/')
    stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    sys.argv = [name, '--ros-args', *arguments]
    importlib.import_module(f'fer_ros.nodes.{name}').main()


class NodeProcess:
    """A node of fer_ros, as ``python -m fer_ros.nodes.NAME`` runs it."""

    def __init__(
        self,
        name: str,
        arguments: tuple[str, ...],
        log: Path,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Start it; what it prints goes to *log*."""
        self.log = log
        log.touch()
        self._process = _forks.Process(target=_run, args=(name, arguments, log, dict(environment)))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def output(self) -> str:
        return self.log.read_text(errors='replace')

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    def wait(self, seconds: float = DEADLINE_S) -> int:
        """Return its exit code, as subprocess gives it; TimeoutError if it does not end."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f'{self.log.name}: still running after {seconds:g} s')
        return self._process.exitcode

    def stop(self, number: int = 2) -> int:
        """Interrupt it as Ctrl-C does; returns its exit code."""
        self.signal(number)
        try:
            return self.wait(END_S)
        except TimeoutError:
            self._process.kill()
            raise
