# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures for each group of faces (of age, skin tone, camera, ...), with bootstrap intervals."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import DataError
from fer_ros.types import BoolArray, Float32Array, Int64Array

RESAMPLES = 10_000
INTERVAL_PERCENT = (2.5, 97.5)

STABILITY_CONDITIONS: tuple[str, ...] = ('low_light_middle', 'over_exposure', 'blur')
"""Of fer_ros.evaluation.robustness: under these a label should stay what it is."""


def read_groups(path: Path) -> dict[str, str]:
    """Read a csv with the columns ``file`` and ``group``.

    Returns:
        {file: group}; a file is named as in the data set: its path below the folder.

    Raises:
        DataError: it cannot be read, lacks a column or a value, or names a file twice.
    """
    groups: dict[str, str] = {}
    try:
        with path.open(newline='', encoding='utf-8-sig') as stream:
            reader = csv.DictReader(stream)
            names = [name.strip().lower() for name in reader.fieldnames or []]
            if not {'file', 'group'} <= set(names):
                raise DataError(f'{path}: expected the columns file and group, got {names}')
            reader.fieldnames = names
            for row in reader:
                file, group = (row['file'] or '').strip(), (row['group'] or '').strip()
                if not file or not group:
                    raise DataError(f'{path}, line {reader.line_num}: file or group is empty')
                if groups.setdefault(file, group) != group:
                    raise DataError(f'{path}, line {reader.line_num}: {file} is in two groups')
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f'{path} cannot be read: {error}') from error
    if not groups:
        raise DataError(f'{path} names no file')
    return groups


def group_rows(
    files: Sequence[str], groups: Mapping[str, str], source: Path
) -> dict[str, Int64Array]:
    """Return {group: int64 rows of its faces}, groups in order of name.

    Raises:
        DataError: no face is in any group.
    """
    rows: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        if file in groups:
            rows.setdefault(groups[file], []).append(row)
    if not rows:
        example = files[0] if files else 'none'
        raise DataError(f'{source}: none of its files is in the data set (which has {example})')
    return {name: np.array(rows[name], np.int64) for name in sorted(rows)}


def share(hits: BoolArray) -> dict[str, Any]:
    """Return {value, interval, count} of a share of faces; value and interval None without faces.

    The interval is a percentile bootstrap's: drawing N of N faces with replacement makes the
    number of hits binomial.
    """
    count = len(hits)
    if not count:
        return {'value': None, 'interval': None, 'count': 0}
    value = float(np.mean(hits))
    drawn = np.random.default_rng(0).binomial(count, value, RESAMPLES) / count
    low, high = np.percentile(drawn, INTERVAL_PERCENT)
    return {'value': value, 'interval': [float(low), float(high)], 'count': count}


def group_figures(
    rows: Mapping[str, Int64Array],
    probabilities: Float32Array,
    targets: Int64Array,
    labels: Sequence[str],
    threshold: float,
) -> dict[str, Any]:
    """Return {group: accuracy, coverage, recall per class}, each a ``share``.

    Args:
        rows: see ``group_rows``.
        probabilities: float32 (N, C).
        targets: int64 (N,).
        labels: the C class names.
        threshold: below this confidence the label is 'unknown'.
    """
    predictions, confident = probabilities.argmax(axis=1), probabilities.max(axis=1) >= threshold
    right = predictions == targets
    return {
        group: {
            'accuracy': share(right[chosen]),
            'coverage': share(confident[chosen]),
            'recall': {
                label: share(right[chosen[targets[chosen] == index]])
                for index, label in enumerate(labels)
                if np.any(targets[chosen] == index)
            },
        }
        for group, chosen in rows.items()
    }


def group_stability(
    rows: Mapping[str, Int64Array],
    probabilities: Float32Array,
    changed: Mapping[str, Float32Array],
    threshold: float,
) -> dict[str, Any]:
    """Return {group: coverage, agreement per condition}, each a ``share``: needs no labels.

    Args:
        rows: see ``group_rows``.
        probabilities: float32 (N, C) of the faces as they are.
        changed: {condition: float32 (N, C)} of the same faces under it.
        threshold: below this confidence the label is 'unknown'.
    """
    predictions, confident = probabilities.argmax(axis=1), probabilities.max(axis=1) >= threshold
    return {
        group: {
            'coverage': share(confident[chosen]),
            'agreement': {
                name: share((one.argmax(axis=1) == predictions)[chosen])
                for name, one in changed.items()
            },
        }
        for group, chosen in rows.items()
    }
