# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What Keras runs on, and the tiny run that several tests read; trained once."""

from __future__ import annotations

import csv
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml
from helpers.tiny_run import TINY, drawn_face

if TYPE_CHECKING:
    from training.emotion.config import RunConfig

os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
if find_spec('keras') is None:
    # A robot does not train: colcon test runs all other tests there.
    collect_ignore_glob = ['test_*.py']


@pytest.fixture(scope='session')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces of seven classes as a csv, and a run's configuration."""
    folder = tmp_path_factory.mktemp('tiny')
    rng = np.random.default_rng(0)
    with (folder / 'faces.csv').open('w', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(['emotion', 'pixels', 'Usage'])
        for usage, count in (('Training', 12), ('PublicTest', 6)):
            for row in range(7 * count):
                pixels = ' '.join(map(str, drawn_face(row % 7, rng).ravel()))
                writer.writerow([row % 7, pixels, usage])
    (folder / 'run.yaml').write_text(yaml.safe_dump(TINY))
    return folder


@pytest.fixture(scope='session')
def config(folder: Path) -> RunConfig:
    from training.emotion import config as configuration

    return configuration.load(folder / 'run.yaml')


@pytest.fixture(scope='session')
def run(folder: Path) -> Path:
    """A run stopped after two epochs and resumed to four, by the command line."""
    from training.__main__ import main
    from training.emotion import config as configuration
    from training.emotion.search import with_values
    from training.engine import settings

    assert main(['train', str(folder / 'run.yaml'), '--output', str(folder / 'run')]) == 0
    longer = with_values(configuration.load(folder / 'run.yaml'), {'optimization.epochs': 4})
    settings.save(longer, folder / 'longer.yaml')
    longer_run = ['train', str(folder / 'longer.yaml'), '--output', str(folder / 'run')]
    assert main([*longer_run, '--resume']) == 0
    return folder / 'run'
