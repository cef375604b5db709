# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer models``: which models there are, and whether their files are sound."""

from __future__ import annotations

from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command and its actions to the parser."""
    parser = subparsers.add_parser(
        'models', help='List, verify or fetch models.', description='List, verify or fetch models.'
    )
    parser.add_subparsers(dest='action', required=True, metavar='ACTION')
