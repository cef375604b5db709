# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An older checkout against this one, in turns on one machine: is anything slower?

usage: python benchmarks/in_turns.py OLD [--rounds 7] [--streams 3]
OLD is a checkout with a .venv of its own (``scripts/bootstrap`` there first; ``git worktree add``
makes one). Library, detector and classifier take turns of half a second on the same images; then
both send a stream through their nodes, one after the other. Ratios are new over old: below 1 for
milliseconds and cores is faster or cheaper.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import ConfigError, FerError
from fer_ros.measuring.contest import Entry, ours, run_contest
from fer_ros.measuring.report import table
from fer_ros.measuring.scenes import make_scene, write_scene

SCENES = {'1 face': (1, (640, 480)), '8 faces': (8, (640, 480)), '1920x1080': (1, (1920, 1080))}
PARTS = ('library', 'detector', 'classifier')
STREAM: dict[str, Callable[[dict[str, Any]], float]] = {
    'median latency (ms)': lambda line: line['latency_ms']['median'],
    'p99 latency (ms)': lambda line: line['latency_ms']['p99'],
    'cores': lambda line: line['cpu_cores'],
    'memory (MB)': lambda line: line['resident_mb'],
    'start (s)': lambda line: line['start_s'],
}


def theirs(old: Path, part: str) -> Entry:
    """Return a part of the older checkout; ConfigError where it is not set up."""
    python = old / '.venv' / 'bin' / 'python'
    files = sorted(old.glob('fer_ros/*/systems.py'))
    if not python.exists() or not files:
        raise ConfigError(f'{old} is not a checkout with a .venv: run scripts/bootstrap in it')
    return Entry(f'old {part}', python, files[0], part)


def library_rows(old: Path, rounds: int, seconds: float) -> list[tuple[str, ...]]:
    """Return milliseconds of every part and scene, old and new, and the median ratio."""
    entries = [
        entry for part in PARTS for entry in (theirs(old, part), ours(f'new {part}', part))
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for scene, (faces, size_wh) in SCENES.items():
            write_scene(folder, scene.replace(' ', '_'), make_scene(faces, size_wh))
        scenes = [scene.replace(' ', '_') for scene in SCENES]
        found = run_contest(entries, folder, scenes, rounds, seconds, lambda _: None)
    for system, reason in found.left_out.items():
        raise ConfigError(f'{system} does not run: {reason}')
    return [
        (
            f'{part}, {scene.replace("_", " ")} (ms)',
            f'{found.mean_ms(f"old {part}", scene):.2f}',
            f'{found.mean_ms(f"new {part}", scene):.2f}',
            f'{found.ratio([f"new {part}"], f"old {part}", scene):.3f}',
        )
        for part in PARTS
        for scene in scenes
    ]


def stream_rows(old: Path, streams: int) -> list[tuple[str, ...]]:
    """Return what ``fer bench --quick`` says of the node, old and new in turns."""
    pythons = old / '.venv' / 'bin' / 'python', Path(sys.executable)
    lines: tuple[list[dict[str, Any]], ...] = [], []
    for _ in range(streams):
        for python, found in zip(pythons, lines):
            command = [str(python), '-m', 'fer_ros.cli', 'bench', '--quick', '--json']
            done = subprocess.run(command, cwd='/', check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(done.stdout))
    rows: list[tuple[str, ...]] = []
    for name, figure in STREAM.items():
        before, after = (np.array([figure(line) for line in found]) for found in lines)
        medians = f'{np.median(before):.2f}', f'{np.median(after):.2f}'
        rows.append((name, *medians, f'{np.median(after / before):.3f}'))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('old', type=Path, help='checkout with a .venv')
    parser.add_argument('--rounds', type=int, default=7, help='turns of each part on each scene')
    parser.add_argument('--seconds', type=float, default=0.5, help='of a turn')
    parser.add_argument('--streams', type=int, default=3, help='streams of each node; 0 for none')
    options = parser.parse_args()
    old = options.old.resolve()
    try:
        rows = library_rows(old, options.rounds, options.seconds)
    except FerError as error:
        parser.error(str(error))
    rows += stream_rows(old, options.streams) if options.streams else []
    print(table(('figure', 'old', 'new', 'new / old'), rows))


if __name__ == '__main__':
    main()
