# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate``: how good models, detectors and recordings are."""

from __future__ import annotations

from importlib import import_module
from typing import Any

SUBJECTS = ('dataset', 'detector', 'bag')


def add_parser(subparsers: Any) -> None:
    """Add the command and what it can evaluate, each a module of its own."""
    parser = subparsers.add_parser(
        'evaluate',
        help='Measure a model, a detector or a recording.',
        description='Measure a model, a detector or a recording.',
    )
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    for name in SUBJECTS:
        import_module(f'fer_ros.commands.evaluate_{name}').add_parser(subjects)
