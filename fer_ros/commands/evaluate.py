# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate``: how good models, detectors and recordings are."""

from __future__ import annotations

from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command and what it can evaluate to the parser."""
    parser = subparsers.add_parser(
        'evaluate',
        help='Measure a model, a detector or a recording.',
        description='Measure a model, a detector or a recording.',
    )
    parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
