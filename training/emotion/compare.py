# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Variants of a run under the same recipe and budget, in one table.

``python -m training compare run.yaml variants.yaml --output runs/comparison`` trains each variant
(a mapping from its name to the settings it changes, written as in training.emotion.tune) and prints
what its best epoch comes to on the validation set. A run that is there already is not trained anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_ros.measuring.report import table
from training.emotion import config as configuration
from training.emotion.config import RunConfig
from training.emotion.train import train
from training.emotion.tune import with_values
from training.engine import settings


def compare(
    config: RunConfig, variants: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, float]]:
    """Train variants; return {variant: figures} and write them to table.json in *folder*.

    Raises:
        ConfigError: a variant changes a setting that does not exist, or *folder* holds another
            variant of that name.
    """
    found: dict[str, dict[str, float]] = {}
    for name, changes in variants.items():
        print(f'variant {name}: {changes}', flush=True)
        variant = dataclasses.replace(with_values(config, changes or {}), name=name)
        result = train(variant, folder / name, resume=True)
        best = max(result.history, key=lambda row: row['score'])
        found[name] = {
            'parameters': result.model.count_params(),
            'train_s': sum(row['seconds'] for row in result.history),
            **{figure: value for figure, value in best.items() if '/' in figure},
        }
        text = json.dumps(found, indent=2) + '\n'
        (folder / 'table.json').write_text(text, encoding='utf-8')
    return found


def as_markdown(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures as a table, one variant per line."""
    columns = list(next(iter(found.values())))
    return table(
        ('variant', *columns),
        [
            (name, *(f'{row[one]:.4f}' if '/' in one else f'{row[one]:,.0f}' for one in columns))
            for name, row in found.items()
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training compare', description=__doc__)
    parser.add_argument('config', type=Path, help='the YAML file all variants start from')
    parser.add_argument('variants', type=Path, help='the YAML file of the variants')
    parser.add_argument('--output', type=Path, default=Path('runs/comparison'))
    options = parser.parse_args(arguments)
    config = configuration.load(options.config)
    print(as_markdown(compare(config, settings.read_yaml(options.variants), options.output)))
    return 0
