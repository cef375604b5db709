# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's curves as a picture: ``python -m training curves RUN``."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from fer_ros.errors import ConfigError


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return one dict for each epoch.

    Raises:
        ConfigError: the folder holds no history.
    """
    path = folder / 'history.csv'
    try:
        with path.open(newline='', encoding='utf-8') as stream:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f'{path} cannot be read: {error}') from error
    if not rows:
        raise ConfigError(f'{path} holds no epoch')
    return rows


def draw_curves(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Save loss and learning rate, and the figures of the validation set, as a picture."""
    figure = Figure(figsize=(9, 3.5), dpi=110, layout='constrained')
    left, right = figure.subplots(1, 2)
    epochs = [row['epoch'] for row in rows]
    left.plot(epochs, [row['loss'] for row in rows], label='training loss')
    left.set_xlabel('epoch')
    left.set_ylabel('loss')
    rate = left.twinx()
    rate.plot(epochs, [row['learning_rate'] for row in rows], color='grey', linestyle=':')
    rate.set_ylabel('learning rate (dotted)')
    for name in rows[0]:
        if '/' in name or name.endswith('_loss'):
            style = '--' if name.endswith('balanced_accuracy') else '-'
            right.plot(epochs, [row[name] for row in rows], style, label=name)
    right.set_xlabel('epoch')
    right.set_ylabel('on the validation set')
    right.legend(fontsize=7)
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training curves', description=__doc__)
    parser.add_argument('run', type=Path, help='folder of the run')
    parser.add_argument('--output', type=Path, help='the picture (default: RUN/curves.png)')
    options = parser.parse_args(arguments)
    draw_curves(read_history(options.run), options.output or options.run / 'curves.png')
    return 0
