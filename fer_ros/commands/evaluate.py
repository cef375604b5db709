# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate``: how good models, detectors and recordings are."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fer_ros.commands.options import add_command

SUBJECTS = ('dataset', 'detector', 'bag')


def add_parser(subparsers: Any) -> None:
    """Add the command and what it can evaluate, each a module of its own."""
    parser = add_command(
        subparsers,
        'evaluate',
        None,
        'Measure a model, a detector or a recording.',
        'fer evaluate bag demo_bag --output results',
    )
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    for name in SUBJECTS:
        import_module(f'fer_ros.commands.evaluate_{name}').add_parser(subjects)
