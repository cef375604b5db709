# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer train``: an emotion model of one's own from folders of photos, or a person's baseline."""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.commands.options import add_command
from fer_ros.commands.reading import in_time, read_stream
from fer_ros.config import PipelineConfig, replace
from fer_ros.errors import printable
from fer_ros.images.sources import CameraSource, open_source
from fer_ros.messages.json_lines import to_json
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import Float32Array, FrameEmotions, UInt8Array


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'train',
        run,
        'Make an emotion model from folders of photos, one folder for each class, or from the '
        'resting face of a person.',
        'fer train my_photos --output models/mine',
        aliases=('teach',),
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('folder', type=Path, nargs='?', help='CLASS/photo or CLASS/PERSON/photo')
    what.add_argument(
        '--neutral',
        metavar='SOURCE',
        help='ten seconds of a person at rest (a camera, such as 0, or a clip): what their face '
        'shows then counts as neutral',
    )
    parser.add_argument(
        '--output',
        type=Path,
        help='model to write, without suffix (default: FOLDER_model, or neutral_model)',
    )
    parser.add_argument(
        '--start', default='default', metavar='CARD', help='model to start from (default: shipped)'
    )
    parser.add_argument('--id', default='', help="the model's name (default: that of --output)")
    parser.add_argument('--json', action='store_true', help='print the result as one JSON object')


def run(options: argparse.Namespace) -> int:
    """Teach, and say what was read, how good the model is, and how to use it."""
    if options.neutral:
        return _take_baseline(options)
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
    _say_how_to_use(lesson.card)
    return 0


def _take_baseline(options: argparse.Namespace) -> int:
    from fer_ros.teaching.baseline import SECONDS, take_baseline

    every_frame = {'classification.read_period_ms': 0.0}
    config = replace(PipelineConfig(), {'classification.model': options.start, **every_frame})
    pipeline, rows = EmotionPipeline(config), defaultdict[int, list[Float32Array]](list)

    def take(_number: int, _image: UInt8Array, frame: FrameEmotions) -> None:
        for face in frame.faces:
            if not face.quality:
                rows[face.track_id].append(face.raw_probabilities)

    print(f'Look into the camera with a face at rest, for {SECONDS:.0f} seconds.', flush=True)
    with closing(open_source(options.neutral)) as source:
        recorded = takewhile(lambda one: one[0] < SECONDS, source)
        is_live = isinstance(source, CameraSource)
        read_stream(in_time(source, SECONDS) if is_live else recorded, pipeline, [take])
    longest = np.array(max(rows.values(), key=len, default=[]), np.float32)
    output = options.output or Path('neutral_model')
    baseline = take_baseline(longest, output, options.start, options.id)
    if options.json:
        facts = {**dataclasses.asdict(baseline), 'card': str(baseline.card)}
        print(to_json(facts))
        return 0
    print(baseline.summary())
    _say_how_to_use(baseline.card)
    return 0


def _say_how_to_use(card: Path) -> None:
    print(f'wrote {card}; to use it:')
    print(f'  fer run 0 --model {card}')
    print(f'  ros2 launch fer_ros live.launch.py model:={card.resolve()}')
