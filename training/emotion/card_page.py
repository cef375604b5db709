# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurements into a model's card, and from the card into a page, so that no figure is copied.

A measurement is the ``report.json`` that ``fer evaluate dataset … --html FOLDER`` writes, or the
line of its ``--json``. It goes into ``about.metrics`` of the card under a name, rounded, in the
shape that fer_ros.models.card describes and the dashboard's model view draws.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import DataError
from fer_ros.evaluation.metrics import common_confusions
from fer_ros.models.card import EmotionModelCard
from training.commands import command, option

DIGITS = 4
NEEDED = ('accuracy', 'balanced_accuracy', 'expected_calibration_error', 'count', 'labels',
          'confusion_matrix', 'per_class')  # fmt: skip
KEPT = (*NEEDED, 'robustness', 'at_unknown_threshold', 'without_faces_seen_in_training',
        'where_most_votes_agree')  # fmt: skip
MARKED = re.compile(r'<!-- card (\w+) (\w+) -->.*?<!-- end -->', re.DOTALL)
PAIRS = 6


def read_measurement(path: Path) -> dict[str, Any]:
    """Return what ``fer evaluate dataset`` wrote to *path*; raises DataError for anything else."""
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
    """Put a measurement into a card as *name*, with the *command* that prints it anew, if any.

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
    if command:
        entry['command'] = command
    metrics = {**loaded.about.get('metrics', {}), name: entry}
    dataclasses.replace(loaded, about={**loaded.about, 'metrics': metrics}).write(card)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; a float has four decimals, None is 'undefined'."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join('| ' + ' | '.join(map(_cell, line)) + ' |' for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return 'undefined'
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def summary(one: dict[str, Any]) -> str:
    """Return the figures that say most about a measurement."""
    count, known = one['count'], one['at_unknown_threshold']
    fresh, agreed = one['without_faces_seen_in_training'], one.get('where_most_votes_agree')
    rows = [
        ('accuracy', one['accuracy'], count),
        ('balanced accuracy', one['balanced_accuracy'], count),
        ('expected calibration error', one['expected_calibration_error'], count),
        ('accuracy without faces that training also holds', fresh['accuracy'], fresh['count']),
    ]
    if agreed:
        rows.append(('accuracy where most votes agree', agreed['accuracy'], agreed['count']))
    covered = f'{100 * known["coverage"]:.1f} % of {count}'
    rows.append(('accuracy of labels other than `unknown`', known['accuracy'], covered))
    return table(('figure', 'value', 'faces'), rows)


def classes(one: dict[str, Any]) -> str:
    """Return precision, recall and F1 of each class."""
    columns = ('precision', 'recall', 'f1', 'support')
    rows = [(label, *(row[name] for name in columns)) for label, row in one['per_class'].items()]
    return table(('class', 'precision', 'recall', 'F1', 'faces'), rows)


def confusion(one: dict[str, Any]) -> str:
    """Return the confusion matrix; rows are the targets."""
    rows = [(label, *row) for label, row in zip(one['labels'], one['confusion_matrix'])]
    return table(('target \\ predicted', *one['labels']), rows)


def mixed(one: dict[str, Any]) -> str:
    """Return the pairs most often taken for each other."""
    pairs = common_confusions(np.array(one['confusion_matrix']), tuple(one['labels']), PAIRS)
    rows = [
        (f'{pair["first"]} / {pair["second"]}', pair['first_as_second'], pair['second_as_first'],
         f'{100 * pair["share_of_errors"]:.0f} %')
        for pair in pairs
    ]  # fmt: skip
    return table(('pair', 'first as second', 'second as first', 'share of all errors'), rows)


def robustness(one: dict[str, Any]) -> str:
    """Return accuracy and points lost under each condition."""
    rows = [
        (name, row['what'], row['accuracy'], f'{100 * row["lost"]:.1f}')
        for name, row in one['robustness'].items()
    ]
    return table(('condition', 'what', 'accuracy', 'points lost'), rows)


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    part.__name__: part for part in (summary, classes, confusion, mixed, robustness)
}


def fill(page: str, metrics: dict[str, Any]) -> str:
    """Return *page* with every marked part filled from *metrics*.

    Raises:
        DataError: the page names a part or a measurement that does not exist.
    """

    def part(match: re.Match[str]) -> str:
        name, measurement = match[1], match[2]
        if name not in PARTS or measurement not in metrics:
            raise DataError(
                f'the page names {name} of {measurement}; there are {", ".join(PARTS)} of '
                f'{", ".join(metrics) or "nothing"}'
            )
        try:
            text = PARTS[name](metrics[measurement])
        except KeyError as error:
            raise DataError(f'{name} of {measurement}: {error} was not measured') from error
        return f'<!-- card {name} {measurement} -->\n{text}\n<!-- end -->'

    return MARKED.sub(part, page)


@command(
    option('card', type=Path, help='the model card (.json)'),
    option('--metrics', type=Path, nargs='+', required=True, metavar='FILE', help='measurements'),
    option('--name', default='', help='of the measurement, where it does not say'),
    option('--command', default='', help='that prints the measurement anew'),
)
def describe_card(card: Path, metrics: list[Path], name: str, command: str) -> None:
    """Put measurements into a card.

    For example: python -m training describe models/my_robot.json --metrics report/report.json
    """
    for path in metrics:
        measurement = read_measurement(path)
        known = name or name_of(measurement)
        describe(card, measurement, known, command)
        print(f'{card}: about.metrics.{known}, accuracy {measurement["accuracy"]:.4f}')


@command(
    option('card', type=Path, help='the model card (.json)'),
    option('page', type=Path, help='a Markdown page with marked parts'),
)
def fill_page(card: Path, page: Path) -> None:
    """Write a card's figures into a page.

    Whatever stands between <!-- card PART MEASUREMENT --> and <!-- end --> is written anew from
    the card's about.metrics.
    """
    metrics = EmotionModelCard.load(str(card)).about.get('metrics', {})
    page.write_text(fill(page.read_text(encoding='utf-8'), metrics), encoding='utf-8')
    print(page)
