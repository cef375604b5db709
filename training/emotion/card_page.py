# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A card's figures into a page: ``python -m training card_page CARD PAGE``.

Whatever stands in the page between ``<!-- card PART MEASUREMENT -->`` and ``<!-- end -->`` is
written anew from the card's ``about.metrics``, so that no figure is copied by hand.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import DataError
from fer_ros.evaluation.metrics import common_confusions
from fer_ros.models.card import EmotionModelCard

MARKED = re.compile(r'<!-- card (\w+) (\w+) -->.*?<!-- end -->', re.DOTALL)
PAIRS = 6


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def summary(one: dict[str, Any]) -> str:
    """Return the figures that say most about a measurement."""
    fresh, agreed = one['without_faces_seen_in_training'], one.get('where_most_votes_agree')
    known = one['at_unknown_threshold']
    rows = [
        ('accuracy', _decimal(one['accuracy']), one['count']),
        ('balanced accuracy', _decimal(one['balanced_accuracy']), one['count']),
        ('expected calibration error', _decimal(one['expected_calibration_error']), one['count']),
        ('accuracy without faces that training also holds', _decimal(fresh['accuracy']),
         fresh['count']),
    ]  # fmt: skip
    if agreed:
        rows.append(
            ('accuracy where most votes agree', _decimal(agreed['accuracy']), agreed['count'])
        )
    covered = f'{_percent(known["coverage"], 1)} of {one["count"]}'
    rows.append(('accuracy of labels other than `unknown`', _decimal(known['accuracy']), covered))
    return table(('figure', 'value', 'faces'), rows)


def classes(one: dict[str, Any]) -> str:
    """Return precision, recall and F1 of each class."""
    rows = [
        (label, *(_decimal(row[name]) for name in ('precision', 'recall', 'f1')), row['support'])
        for label, row in one['per_class'].items()
    ]
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
         _percent(pair['share_of_errors'], 0))
        for pair in pairs
    ]  # fmt: skip
    return table(('pair', 'first as second', 'second as first', 'share of all errors'), rows)


def robustness(one: dict[str, Any]) -> str:
    """Return accuracy and points lost under each condition."""
    rows = [
        (name, row['what'], _decimal(row['accuracy']), f'{100 * row["lost"]:.1f}')
        for name, row in one['robustness'].items()
    ]
    return table(('condition', 'what', 'accuracy', 'points lost'), rows)


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    part.__name__: part for part in (summary, classes, confusion, mixed, robustness)
}


def _decimal(value: float | None) -> str:
    return 'undefined' if value is None else f'{value:.4f}'


def _percent(value: Any, digits: int) -> str:
    return f'{100 * value:.{digits}f} %'


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser('python -m training card_page', description=__doc__)
    parser.add_argument('card', type=Path, help='the model card (.json)')
    parser.add_argument('page', type=Path, help='a Markdown page with marked parts')
    options = parser.parse_args(arguments)
    metrics = EmotionModelCard.load(str(options.card)).about.get('metrics', {})
    text = fill(options.page.read_text(encoding='utf-8'), metrics)
    options.page.write_text(text, encoding='utf-8')
    print(options.page)
    return 0
