# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Feeds corrupt data to everything that reads untrusted bytes; only our own errors may come out.

usage: python benchmarks/fuzz.py [--cases 10000] [--driver atheris|hypothesis] [--output runs/fuzz]
Each target (see fuzz_targets.py) runs in a process of its own. Prints a table and writes JSON:
cases, how many were taken, seconds, memory after a tenth of the cases and at the end, open files.
An input that breaks something is kept under the output folder, and the exit status is 1.

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

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

CASE_TIMEOUT_S = 20
RSS_LIMIT_MB = 1500
MAX_INPUT_BYTES = 1024
BATCH = 500
"""Hypothesis keeps what it has tried in a run, 3 MB per thousand cases: a run is no longer."""

DRIVERS = ('atheris', 'hypothesis')


class Count:
    """Counts cases, and reads the process's memory and open files as they go."""

    def __init__(self, check: Callable[[bytes], bool], cases: int, report: Path) -> None:
        """Count up to *cases*; the figures go to *report*."""
        self._check, self._cases, self._report = check, cases, report
        self._facts: dict[str, Any] = {'cases': 0, 'taken': 0, 'slowest_ms': 0.0}
        self._start_s = time.monotonic()
        self._process = psutil.Process()

    def __call__(self, data: bytes) -> None:
        """Check one case."""
        facts, start_s = self._facts, time.perf_counter()
        facts['taken'] += self._check(data)
        facts['cases'] += 1
        milliseconds = 1e3 * (time.perf_counter() - start_s)
        facts['slowest_ms'] = max(facts['slowest_ms'], round(milliseconds, 1))
        if facts['cases'] == max(1, self._cases // 10):
            facts['rss_mb_early'] = round(self._process.memory_info().rss / 1e6, 1)
            facts['files_early'] = self._process.num_fds()
        if facts['cases'] % 1000 == 0 or facts['cases'] == self._cases:
            self.write()

    def write(self) -> None:
        """Write the figures so far."""
        facts = self._facts
        facts['seconds'] = round(time.monotonic() - self._start_s, 1)
        facts['rss_mb_end'] = round(self._process.memory_info().rss / 1e6, 1)
        facts['files_end'] = self._process.num_fds()
        self._report.write_text(json.dumps(facts))


def work(name: str, driver: str, cases: int, seed: int, folder: Path) -> None:
    """Fuzz one target in this process; ends it."""
    if driver == 'atheris':
        _work_atheris(name, cases, seed, folder)
    else:
        _work_hypothesis(name, cases, seed, folder)


def _work_atheris(name: str, cases: int, seed: int, folder: Path) -> None:
    import atheris

    # Loaded before: the fuzzer is to follow our own code, not OpenCV's wrappers or the parsers.
    import cv2  # noqa: F401
    import numpy as np  # noqa: F401

    with atheris.instrument_imports(include=['fer_ros', 'rosbags'], enable_loader_override=False):
        from benchmarks.fuzz_draw import clean_up
        from benchmarks.fuzz_targets import TARGETS, seeds
    corpus = folder / 'corpus'
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(seeds()):
        (corpus / f'seed_{number:03d}').write_bytes(content)
    arguments = [
        sys.argv[0], f'-atheris_runs={cases}', f'-seed={seed}', f'-timeout={CASE_TIMEOUT_S}',
        f'-rss_limit_mb={RSS_LIMIT_MB}', f'-max_len={MAX_INPUT_BYTES}', '-len_control=0',
        '-reduce_inputs=0', '-close_fd_mask=2', f'-artifact_prefix={folder}/broken_', str(corpus),
    ]  # fmt: skip
    atheris.Setup(arguments, Count(TARGETS[name].check, cases, folder / 'facts.json'))
    try:
        atheris.Fuzz()
    finally:
        clean_up()


def _work_hypothesis(name: str, cases: int, seed: int, folder: Path) -> None:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    from benchmarks.fuzz_draw import clean_up
    from benchmarks.fuzz_targets import TARGETS, seeds

    count = Count(TARGETS[name].check, cases, folder / 'facts.json')

    def check(data: bytes) -> None:
        count(data)

    inputs = st.binary(max_size=120) | st.sampled_from(seeds())
    relaxed = settings(max_examples=min(BATCH, cases), deadline=None, database=None,
                       suppress_health_check=list(HealthCheck))  # fmt: skip
    try:
        for batch in range(-(-cases // BATCH)):
            seeded(f'{seed}/{batch}')(relaxed(given(inputs)(check)))()
    finally:
        count.write()
        clean_up()


def run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Fuzz one target in a process of its own; return its figures."""
    folder = (options.output / options.driver / name).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'facts.json').unlink(missing_ok=True)
    before = set(folder.glob('broken_*'))
    command = [
        sys.executable, __file__, '--worker', name, '--driver', options.driver,
        '--cases', str(options.cases), '--seed', str(options.seed), '--output', str(folder),
    ]  # fmt: skip
    environment = {**os.environ, 'OPENCV_LOG_LEVEL': 'SILENT'}
    with (folder / 'log.txt').open('wb') as log:
        status = subprocess.run(command, stdout=log, stderr=log, env=environment, cwd=ROOT)
    report = folder / 'facts.json'
    facts: dict[str, Any] = {'target': name, 'driver': options.driver, 'exit': status.returncode}
    facts.update(json.loads(report.read_text()) if report.is_file() else {})
    facts['broken'] = sorted(str(path) for path in set(folder.glob('broken_*')) - before)
    return facts


def main() -> int:
    """Run all targets that are asked for, one after the other; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', type=int, default=10_000, help='of each target')
    parser.add_argument('--driver', choices=DRIVERS, default='hypothesis')
    parser.add_argument('--targets', default='', metavar='A,B', help='all by default')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--output', type=Path, default=Path('runs/fuzz'), metavar='DIR')
    parser.add_argument('--worker', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.driver, options.cases, options.seed, options.output)
        return 0
    from benchmarks.fuzz_targets import TARGETS

    print('| target | cases | taken | seconds | slowest (ms) | memory (MB) | files | broken |')
    print('| --- | --- | --- | --- | --- | --- | --- | --- |')
    results = []
    for name in options.targets.split(',') if options.targets else TARGETS:
        facts = run(name, options)
        results.append(facts)
        print(
            f'| {name} | {facts.get("cases", 0)} | {facts.get("taken")} | {facts.get("seconds")} '
            f'| {facts.get("slowest_ms")} | {facts.get("rss_mb_early")} to '
            f'{facts.get("rss_mb_end")} | {facts.get("files_early")} to {facts.get("files_end")} '
            f'| {len(facts["broken"])} |',
            flush=True,
        )
    path = options.output / f'{options.driver}.json'
    path.write_text(json.dumps(results, indent=2) + '\n', encoding='utf-8')
    converted = sum(f.get('cases', 0) for f in results if TARGETS[f['target']].converter)
    print(f'\n{converted} cases of the converters; written: {path}')
    return 1 if any(f['exit'] or f['broken'] for f in results) else 0


if __name__ == '__main__':
    sys.exit(main())
