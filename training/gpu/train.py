# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains a packed run by the clock, in bfloat16, with batches made by processes of their own."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from training.emotion.train import train
from training.gpu.pack import unpack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training train_packed', description=__doc__)
    parser.add_argument('pack', type=Path, help='what `python -m training pack` made')
    parser.add_argument('run', type=Path, help="the run's folder")
    parser.add_argument('--minutes', type=float, required=True, help='end by then')
    parser.add_argument(
        '--workers', type=int, default=(os.cpu_count() or 1) - 1, help='processes; 0 for none'
    )
    parser.add_argument('--precision', default='bfloat16', help='of activations')
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    options = parser.parse_args(arguments)
    config, loaded, targets = unpack(options.pack)
    optimization = dataclasses.replace(
        config.optimization, minutes=options.minutes, precision=options.precision
    )
    config = dataclasses.replace(config, optimization=optimization, workers=options.workers)
    train(config, options.run, options.resume, (loaded, targets))
    return 0
