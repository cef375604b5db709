# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Feeds corrupt data to everything that reads untrusted bytes; only our own errors may come out.

usage: python benchmarks/fuzz.py [--cases 10000] [--driver atheris|hypothesis] [--output runs/fuzz]
Each target (see fuzz_targets.py) runs in a process of its own. Prints a table and writes JSON:
cases, how many were accepted, seconds, memory and open files after a tenth of them and at the end.
What breaks a target is kept under the output folder, and the exit status is 1.

The coverage-guided driver is atheris, which the suite does not need: pip install atheris.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

CASE_TIMEOUT_S = 20
RSS_LIMIT_MB = 1500
MAX_INPUT_BYTES = 1024
BATCH = 500
"""Hypothesis keeps what it has tried in a run, 3 MB per thousand cases: a run is no longer."""


class Count:
    """Counts cases, and reads the process's memory and open files as they go."""

    def __init__(self, name: str, cases: int, report: Path) -> None:
        """Count up to *cases* of a target; the figures go to *report*."""
        from benchmarks.fuzz_targets import TARGETS

        self._target, self._cases, self._report = TARGETS[name], cases, report
        self._facts: dict[str, Any] = {'cases': 0, 'accepted': 0, 'slowest_ms': 0.0}
        self._start_s = time.monotonic()
        self._process = psutil.Process()

    def __call__(self, data: st.DataObject) -> None:
        """Check one case."""
        from benchmarks.fuzz_draw import Draw

        facts, start_s = self._facts, time.perf_counter()
        facts['accepted'] += self._target(Draw(data))
        facts['cases'] += 1
        milliseconds = 1e3 * (time.perf_counter() - start_s)
        facts['slowest_ms'] = max(facts['slowest_ms'], round(milliseconds, 1))
        if facts['cases'] == max(1, self._cases // 10):
            self.write('early')
        if facts['cases'] % 1000 == 0 or facts['cases'] == self._cases:
            self.write('end')

    def write(self, moment: str) -> None:
        """Write the figures so far."""
        self._facts |= {
            'seconds': round(time.monotonic() - self._start_s, 1),
            f'rss_mb_{moment}': round(self._process.memory_info().rss / 1e6, 1),
            f'files_{moment}': self._process.num_fds(),
        }
        self._report.write_text(json.dumps(self._facts))


def as_test(check: Callable[[st.DataObject], None], cases: int) -> Any:
    """Return a Hypothesis test of that many cases, for it to run or for another fuzzer."""
    relaxed = settings(
        max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    return relaxed(given(st.data())(lambda data: check(data)))


def work(name: str, driver: str, cases: int, seed: int, folder: Path) -> None:
    """Fuzz one target in this process; atheris ends it."""
    from benchmarks.fuzz_draw import clean_up

    try:
        if driver == 'atheris':
            _work_atheris(name, cases, seed, folder)
        else:
            count = Count(name, cases, folder / 'facts.json')
            for done in range(0, cases, BATCH):
                seeded(f'{seed}/{done}')(as_test(count, min(BATCH, cases - done)))()
            count.write('end')
    finally:
        clean_up()


def _work_atheris(name: str, cases: int, seed: int, folder: Path) -> None:
    import atheris

    # Loaded before: the fuzzer is to follow our own code, not OpenCV's wrappers or the parsers.
    import cv2  # noqa: F401
    import numpy as np  # noqa: F401

    with atheris.instrument_imports(include=['fer_ros', 'rosbags'], enable_loader_override=False):
        count = Count(name, cases, folder / 'facts.json')
    (folder / 'corpus').mkdir(exist_ok=True)
    arguments = [
        sys.argv[0], f'-atheris_runs={cases}', f'-seed={seed}', f'-timeout={CASE_TIMEOUT_S}',
        f'-rss_limit_mb={RSS_LIMIT_MB}', f'-max_len={MAX_INPUT_BYTES}', '-len_control=0',
        '-reduce_inputs=0', '-close_fd_mask=2', f'-artifact_prefix={folder}/broken_',
        str(folder / 'corpus'),
    ]  # fmt: skip
    atheris.Setup(arguments, as_test(count, cases).hypothesis.fuzz_one_input)
    atheris.Fuzz()


def run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Fuzz one target in a process of its own; return its figures."""
    folder = (options.output / options.driver / name).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / 'facts.json'
    report.unlink(missing_ok=True)
    command = [
        sys.executable, __file__, '--worker', name, '--driver', options.driver,
        '--cases', str(options.cases), '--seed', str(options.seed), '--output', str(folder),
    ]  # fmt: skip
    environment = {**os.environ, 'OPENCV_LOG_LEVEL': 'SILENT'}
    with (folder / 'log.txt').open('wb') as log:
        status = subprocess.run(command, stdout=log, stderr=log, env=environment, cwd=ROOT)
    facts = json.loads(report.read_text()) if report.is_file() else {}
    return {'target': name, 'driver': options.driver, 'exit': status.returncode, **facts}


def main() -> int:
    """Run all targets that are asked for, one after the other; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', type=int, default=10_000, help='of each target')
    parser.add_argument('--driver', choices=('atheris', 'hypothesis'), default='hypothesis')
    parser.add_argument('--targets', default='', metavar='A,B', help='all by default')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--output', type=Path, default=Path('runs/fuzz'), metavar='DIR')
    parser.add_argument('--worker', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.driver, options.cases, options.seed, options.output)
        return 0
    from benchmarks.fuzz_targets import TARGETS

    print('| target | cases | accepted | seconds | slowest (ms) | memory (MB) | files | exit |')
    print('|' + ' --- |' * 8)
    results = []
    for name in options.targets.split(',') if options.targets else TARGETS:
        facts = run(name, options)
        results.append(facts)
        value = facts.get
        print(
            f'| {name} | {value("cases", 0)} | {value("accepted")} | {value("seconds")} '
            f'| {value("slowest_ms")} | {value("rss_mb_early")} to {value("rss_mb_end")} '
            f'| {value("files_early")} to {value("files_end")} | {facts["exit"]} |',
            flush=True,
        )
    (options.output / f'{options.driver}.json').write_text(json.dumps(results, indent=1) + '\n')
    broken = [facts['target'] for facts in results if facts['exit']]
    if broken:
        print(f'broken: {", ".join(broken)}; see {options.output}/*/*/log.txt and broken_*')
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
