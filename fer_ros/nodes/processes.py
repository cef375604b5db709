# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes of this package as processes, for the demo and the benchmarks."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from fer_ros.errors import SourceError

# The kernel interrupts the node when its parent has ended, killed too
# (1 is PR_SET_PDEATHSIG); set by the node's own process, for here there are threads already.
_RUN_NODE = (
    'import ctypes, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGINT); '
    'from fer_ros.programs import run; run(sys.argv.pop(1))'
)


class NodeProcess:
    """A node of this package in a process of its own, its output in a log file."""

    def __init__(self, name: str, log: Path, *ros_arguments: str) -> None:
        """Start the node."""
        self.name = name
        self._log = log
        with log.open('wb') as stream:
            self._process = subprocess.Popen(
                [sys.executable, '-c', _RUN_NODE, name, '--ros-args', *ros_arguments],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def running(self) -> bool:
        """Return whether it still runs.

        Raises:
            SourceError: it has failed; the message holds its last line.
        """
        status = self._process.poll()
        if status:
            lines = self._log.read_text(errors='replace').strip().splitlines()
            raise SourceError(
                f'{self.name} has stopped: {lines[-1] if lines else "no output"} (see {self._log})'
            )
        return status is None

    def stop(self) -> None:
        """End it: asked first, and made to after five seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
