# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurements into a card: ``python -m training describe CARD --metrics report.json``.

A measurement is the ``report.json`` that ``fer evaluate dataset … --html FOLDER`` writes, or the
line of its ``--json``. It goes into ``about.metrics`` of the card under a name, rounded, in the
shape that fer_ros.models.card describes and the dashboard's model view draws.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_ros.errors import DataError
from fer_ros.models.card import EmotionModelCard

DIGITS = 4
NEEDED = ('accuracy', 'balanced_accuracy', 'expected_calibration_error', 'count', 'labels',
          'confusion_matrix', 'per_class')  # fmt: skip
KEPT = (*NEEDED, 'robustness', 'at_unknown_threshold', 'without_faces_seen_in_training',
        'where_most_votes_agree')  # fmt: skip


def read_measurement(path: Path) -> dict[str, Any]:
    """Return what ``fer evaluate dataset`` wrote to *path*.

    Raises:
        DataError: it cannot be read, or is no measurement.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise DataError(f'{path} cannot be read as JSON: {error}') from error
    missing = [key for key in NEEDED if key not in content] if isinstance(content, dict) else NEEDED
    if missing:
        raise DataError(
            f'{path} is not what `fer evaluate dataset --json` prints: {", ".join(missing)} missing'
        )
    return dict(content)


def name_of(measurement: dict[str, Any]) -> str:
    """Return a measurement's name in the card, such as 'ferplus_private_test'.

    Raises:
        DataError: it does not say what was measured (a ``--json`` line does not).
    """
    targets = measurement.get('targets', measurement.get('truth'))  # its name in 0.1
    if targets is None or 'split' not in measurement:
        raise DataError('the measurement does not say on what it was made; give it a --name')
    return f'{targets}_{measurement["split"]}'


def describe(card: Path, measurement: dict[str, Any], name: str, command: str) -> None:
    """Put a measurement into a card, in place of one of the same name.

    Args:
        card: path of the card.
        measurement: see ``read_measurement``.
        name: of the measurement in the card.
        command: that prints it anew; empty for none.

    Raises:
        ModelError: the card cannot be read.
        DataError: another model was measured, or the classes are of no head of the card.
    """
    loaded = EmotionModelCard.load(str(card))
    if measurement.get('model', loaded.id) != loaded.id:
        raise DataError(f'measured was {measurement["model"]}, the card is of {loaded.id}')
    if tuple(measurement['labels']) not in [head.labels for head in loaded.heads]:
        raise DataError(
            f'no head of {loaded.id} has the classes {", ".join(measurement["labels"])}'
        )
    entry = {key: _rounded(measurement[key]) for key in KEPT if measurement.get(key)}
    metrics = {**loaded.about.get('metrics', {}), name: entry}
    if command:
        entry['command'] = command
    dataclasses.replace(loaded, about={**loaded.about, 'metrics': metrics}).write(card)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m training describe',
        description=__doc__,
        epilog='example:\n  python -m training describe models/my_robot.json '
        '--metrics report/report.json',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('card', type=Path, help='the model card (.json)')
    parser.add_argument(
        '--metrics', type=Path, nargs='+', required=True, metavar='FILE', help='measurements'
    )
    parser.add_argument('--name', default='', help='of the measurement, where it does not say')
    parser.add_argument('--command', default='', help='that prints the measurement anew')
    options = parser.parse_args(arguments)
    for path in options.metrics:
        measurement = read_measurement(path)
        name = options.name or name_of(measurement)
        describe(options.card, measurement, name, options.command)
        print(f'{options.card}: about.metrics.{name}, accuracy {measurement["accuracy"]:.4f}')
    return 0
