# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Two versions in turns: is the ordinary path as fast as it was?

usage: git worktree add ../old COMMIT && python benchmarks/in_turns.py ../old [--rounds 10]
Each round runs the pipeline of either version in a process of its own, over the same frames of the
demo at a camera's pace, so that whatever else the machine does strikes both. Prints the median time
per frame of each round and of all; the exit status is 1 where this version is more than 2 % slower.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fer_ros.images.demo import DemoSource

HERE = Path(__file__).parent.parent
FRAMES, PERIOD_S = 150, 1 / 30
ALLOWED = 1.02
CHILD = """
import sys, time
import numpy as np
from fer_ros import EmotionPipeline, PipelineConfig
images, period_s = np.load(sys.argv[1]), float(sys.argv[2])
pipeline, times_ms, due_s = EmotionPipeline(PipelineConfig()), [], time.monotonic()
for number, image in enumerate(images):
    due_s += period_s
    time.sleep(max(0.0, due_s - time.monotonic()))
    start_s = time.perf_counter()
    pipeline.process(image, number * period_s)
    times_ms.append(1e3 * (time.perf_counter() - start_s))
print(np.median(times_ms[30:]))
"""


def median_ms(checkout: Path, images: Path) -> float:
    """Return the median time per frame of a version, in a process of its own."""
    command = [sys.executable, '-W', 'ignore', '-c', CHILD, str(images), str(PERIOD_S)]
    environment = {**os.environ, 'PYTHONPATH': str(checkout.resolve())}
    done = subprocess.run(
        command, env=environment, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)


def main() -> int:
    """Run the rounds; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('old', type=Path, help='a checkout of the version to compare with')
    parser.add_argument('--rounds', type=int, default=10)
    options = parser.parse_args()
    source, rounds = DemoSource(), []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / 'images.npy'
        np.save(images, np.stack([source.at(3.0 + n * PERIOD_S) for n in range(FRAMES)]))
        for number in range(options.rounds):
            versions = (options.old, HERE) if number % 2 else (HERE, options.old)
            found = {version: median_ms(version, images) for version in versions}
            rounds.append((found[options.old], found[HERE]))
            print('old {:.2f} ms, this {:.2f} ms'.format(*rounds[-1]), flush=True)
    old, new = np.median(rounds, axis=0)
    ratio = float(np.median([this / before for before, this in rounds]))
    print(f'median: old {old:.2f} ms, this {new:.2f} ms, {ratio:.3f} times as long')
    return int(ratio > ALLOWED)


if __name__ == '__main__':
    sys.exit(main())
