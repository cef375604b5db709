# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Systems in processes of their own, timed in turns on the same images.

Turns of a fraction of a second, round after round: whatever else the machine does meets all
systems alike, and a ratio is the median of ratios within a round.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import FerError
from fer_ros.measuring import worker

LEAST_CALLS = 2


class BenchmarkError(FerError):
    """Something that is measured does not run."""


@dataclass(frozen=True)
class Entry:
    """One system that takes part.

    Attributes:
        name: what tables call it.
        python: interpreter of the environment it lives in.
        file: Python file that holds its factory; see fer_ros.measuring.worker.
        factory: name of that function, with an argument where it takes one.
    """

    name: str
    python: Path
    file: Path
    factory: str


def ours(name: str, factory: str) -> Entry:
    """Return an entry of fer_ros.measuring.systems."""
    return Entry(name, Path(sys.executable), Path(__file__).with_name('systems.py'), factory)


OURS = (
    ours('fer_ros', 'library'),
    ours('detector alone', 'detector'),
    ours('classifier alone', 'classifier'),
)


class _Competitor:
    """A running worker."""

    def __init__(self, entry: Entry, scenes: Path) -> None:
        self.name = entry.name
        self._log = scenes / f'{entry.name.replace(" ", "_")}.log'
        with self._log.open('wb') as log:
            self._process = subprocess.Popen(
                [entry.python, worker.__file__, entry.file, entry.factory, scenes],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            lines = self._log.read_text(errors='replace').strip().splitlines()
            raise BenchmarkError(f'{self.name} has stopped: {lines[-1] if lines else "no output"}')
        reply: dict[str, Any] = json.loads(line)
        return reply

    def time(self, scene: str, seconds: float, period_s: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f'{scene} {seconds} {LEAST_CALLS} {period_s}\n')
        self._process.stdin.flush()
        return self.read()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class Results:
    """What a contest found.

    Attributes:
        about: system to what it is.
        left_out: system to the reason it gave.
        ms: system to scene to the calls of each round, in milliseconds.
        faces: system to scene to the mean number of faces found.
    """

    about: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    ms: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)
    faces: dict[str, dict[str, float]] = field(default_factory=dict)

    def round_ms(self, system: str, scene: str) -> list[float]:
        """Return the mean call of each round: a stream pays for its slow calls, too."""
        return [float(np.mean(calls)) for calls in self.ms[system][scene]]

    def mean_ms(self, system: str, scene: str) -> float:
        """Return the median over the rounds of the mean call."""
        return float(np.median(self.round_ms(system, scene)))

    def ratio(self, slower: Sequence[str], faster: str, scene: str) -> float:
        """Return how many times as long *slower* take together, as the median over the rounds."""
        sums = np.sum([self.round_ms(system, scene) for system in slower], axis=0)
        return float(np.median(sums / self.round_ms(faster, scene)))


def plain_reason(said: str) -> str:
    """Return the reason that a system gave, without addresses, home folder or decoration."""
    plain = said.encode('ascii', 'ignore').decode().replace(str(Path.home()), '~')
    plain = re.sub(r'https?://[^\s,]*[^\s,.]', '(address)', plain)
    return ' '.join(plain.split())


def run_contest(
    entries: Sequence[Entry],
    folder: Path,
    scenes: Iterable[str],
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
    period_s: float = 0.0,
) -> Results:
    """Time every system on every scene.

    Args:
        entries: who takes part.
        folder: holds the scenes; logs go here.
        scenes: their names.
        rounds: how often each system has its turn on each scene.
        seconds: of a turn, at least; slow systems make LEAST_CALLS calls all the same.
        say: called with the progress, a line at a time.
        period_s: between the starts of two calls, as from a camera; 0 for back to back.

    Raises:
        BenchmarkError: one of them stops in the middle.
    """
    results, scenes = Results(), list(scenes)
    say(f'starting {", ".join(entry.name for entry in entries)}')
    running = [_Competitor(entry, folder) for entry in entries]
    try:
        ready = []
        for competitor in running:
            reply = competitor.read()
            if 'left_out' in reply:
                reason = plain_reason(reply['left_out'])
                results.left_out[competitor.name] = reason
                say(f'{competitor.name} is left out: {reason}')
                continue
            results.about[competitor.name] = reply['about']
            results.ms[competitor.name] = {scene: [] for scene in scenes}
            results.faces[competitor.name] = {}
            ready.append(competitor)
        for number in range(rounds):
            say(f'round {number + 1} of {rounds}')
            for scene in scenes:
                for competitor in ready:
                    reply = competitor.time(scene, seconds, period_s)
                    results.ms[competitor.name][scene].append(reply['ms'])
                    results.faces[competitor.name][scene] = reply['faces']
    finally:
        for competitor in running:
            competitor.close()
    return results
