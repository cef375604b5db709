# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer models``: which models there are, and whether their files are sound."""

from __future__ import annotations

import argparse
from typing import Any

from fer_ros.commands import models_add
from fer_ros.commands.options import add_command
from fer_ros.models.store import REMOTE_MODELS, ProgressBar, fetch, list_models


def add_parser(subparsers: Any) -> None:
    """Add the command and its actions to the parser."""
    parser = add_command(
        subparsers, 'models', None, 'List, verify or fetch models.', 'fer models list'
    )
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    add_command(
        actions, 'list', run_list, 'List the models shipped and fetched.', 'fer models list'
    )
    add_command(
        actions,
        'verify',
        run_verify,
        'Check every model file against its digest; exit status 1 if one is damaged.',
        'fer models verify',
    )
    fetcher = add_command(
        actions,
        'fetch',
        run_fetch,
        'Download a model that is not shipped and check it.',
        'fer models fetch yunet',
    )
    models_add.add_options(
        add_command(
            actions,
            'add',
            models_add.run,
            'Write a card for a model from elsewhere, and try it on faces.',
            'fer models add net.onnx --labels angry,happy,neutral --size 64 --colour grey '
            '--range 0..1',
        )
    )
    fetcher.add_argument('name', choices=sorted(REMOTE_MODELS), help='which')
    fetcher.add_argument('--url', default='', help='a mirror; the file must be the same')


def run_list(options: argparse.Namespace) -> int:
    """Print a line a model."""
    for model in list_models():
        print(f'{model.name:12} {model.kind:9} {model.state:12} {model.path}')
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Print a line a model that is there; return 1 if one is not sound."""
    present = [model for model in list_models() if model.state != 'not fetched']
    for model in present:
        print(f'{model.name:12} {model.state}')
    return int(not all(model.sound for model in present))


def run_fetch(options: argparse.Namespace) -> int:
    """Download a model and print where it lies."""
    print(fetch(options.name, ProgressBar(options.name), options.url))
    return 0
