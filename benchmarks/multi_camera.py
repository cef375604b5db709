# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One shared process for several cameras against one process each: processor, memory, results.

usage: python benchmarks/multi_camera.py [--cameras 3] [--rate 10] [--seconds 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from fer_ros.measuring.report import table
from fer_ros.measuring.scenes import make_scene, write_scene
from fer_ros.nodes.bench_stream import measure_stream


def main() -> None:
    """Measure both arrangements, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cameras', type=int, default=3)
    parser.add_argument('--rate', type=float, default=10.0, help='frames per second, each')
    parser.add_argument('--seconds', type=float, default=20.0, help='of either arrangement')
    parser.add_argument('--json', action='store_true', help='one line of JSON')
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scene(folder, '1', make_scene(1))
        for title, shared in (('one shared process', True), ('one process each', False)):
            stream = measure_stream(
                folder / '1.npy', options.rate, options.seconds, folder, options.cameras, shared
            )
            found[title] = {
                'cores': stream['cpu_cores'],
                'resident_mb': stream['resident_mb'],
                'processed': stream['frames']['processed'],
                'latency_ms': round(float(np.median(stream['latencies_ms'])), 1),
            }
    if options.json:
        print(json.dumps({'cameras': options.cameras, 'rate_hz': options.rate, **found}))
        return
    header = (f'{options.cameras} cameras at {options.rate:g} Hz', *next(iter(found.values())))
    print(table(header, [(title, *map(str, row.values())) for title, row in found.items()]))


if __name__ == '__main__':
    main()
