# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer train``: an emotion model of one's own from folders of photos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_ros.commands.options import add_command
from fer_ros.errors import printable
from fer_ros.messages.json_lines import to_json


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'train',
        run,
        'Make an emotion model from folders of photos, one folder for each class.',
        'fer train my_photos --output models/mine',
    )
    parser.add_argument('folder', type=Path, help='CLASS/photo or CLASS/PERSON/photo')
    parser.add_argument(
        '--output', type=Path, help='model to write, without suffix (default: FOLDER_model)'
    )
    parser.add_argument(
        '--start', default='default', metavar='CARD', help='model to start from (default: shipped)'
    )
    parser.add_argument('--id', default='', help="the model's name (default: that of --output)")
    parser.add_argument('--json', action='store_true', help='print the result as one JSON object')


def run(options: argparse.Namespace) -> int:
    """Teach, and say what was read, how good the model is, and how to use it."""
    # Plots and data readers, which no other command should wait for.
    from fer_ros.teaching.teach import teach

    folder = options.folder.resolve()
    lesson = teach(
        folder, options.output or Path(f'{folder.name}_model'), options.start, options.id
    )
    if options.json:
        print(to_json(lesson.to_json()))
        return 0
    for line in lesson.faces.summary():
        print(printable(line))
    if lesson.new_labels:
        print(f'classes the shipped model does not know: {", ".join(lesson.new_labels)}')
    for warning in lesson.warnings:
        print(f'note: {printable(warning)}')
    print(f'right on faces held back: {lesson.own}')
    print(f'the shipped model on the same faces: {lesson.shipped}')
    print(lesson.verdict)
    print(f'wrote {lesson.card}; to use it:')
    print(f'  fer live --camera 0 --model {lesson.card}')
    print(f'  ros2 launch fer_ros live.launch.py model:={lesson.card.resolve()}')
    return 0
