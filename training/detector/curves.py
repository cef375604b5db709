# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The curves of a run as a picture: ``python -m training.detector.curves RUN OUTPUT.png``."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from matplotlib.figure import Figure

from fer_ros.drawing.plot_style import plot_style
from fer_ros.errors import DataError


def draw_curves(curves: Path, output: Path) -> None:
    """Draw loss and learning rate over the epochs of the CSV file *curves*.

    Raises:
        DataError: it is missing or holds no epoch.
    """
    try:
        with curves.open(newline='', encoding='utf-8') as stream:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f'{curves}: {error}') from error
    if not rows:
        raise DataError(f'{curves}: holds no epoch')
    with plot_style():
        figure = Figure(figsize=(7, 3.2))
        axes = figure.subplots()
        epochs = [row['epoch'] for row in rows]
        axes.plot(epochs, [row['loss'] for row in rows], label='training')
        axes.plot(epochs, [row['held_back_loss'] for row in rows], label='held back, averaged')
        axes.set(xlabel='epoch', ylabel='loss', ylim=(0, None), title='Training of the detector')
        axes.legend()
        rate = axes.twinx()
        rate.plot(epochs, [row['learning_rate'] for row in rows], color='grey', linestyle=':')
        rate.set(ylabel='learning rate (dotted)', ylim=(0, None))
        rate.grid(False)
        figure.savefig(output)


def main() -> None:
    """Draw as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', type=Path)
    parser.add_argument('output', type=Path)
    options = parser.parse_args()
    draw_curves(options.run / 'curves.csv', options.output)


if __name__ == '__main__':
    main()
