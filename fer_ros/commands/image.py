# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer image``: the emotions on photos."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2

from fer_ros.commands.options import add_command, add_pipeline_options, pipeline_config, progress
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import ImageError
from fer_ros.images.sources import read_image
from fer_ros.messages.json_lines import face_to_dict
from fer_ros.reader import FaceReader


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'image',
        run,
        'Read the emotions on photos.',
        'fer image family.jpg --output annotated/',
    )
    parser.add_argument('files', nargs='+', type=Path, metavar='FILE', help='photos')
    parser.add_argument('--json', action='store_true', help='print one JSON object a photo')
    parser.add_argument(
        '--output', type=Path, metavar='FOLDER', help='write annotated copies (PNG) here'
    )
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print what each photo says; a photo that cannot be read is said and the others go on."""
    reader = FaceReader(pipeline_config(options))
    failed = False
    several = len(options.files) > 1
    files = progress(options.files, len(options.files), 'photos') if several else options.files
    for path in files:
        try:
            image = read_image(path)
        except ImageError as error:
            print(f'fer: {error}', file=sys.stderr)
            failed = True
            continue
        frame = reader.read_photo(image)
        faces = [face_to_dict(face, frame.labels) for face in frame.faces]
        height, width = frame.shape_hw
        if options.json:
            line = {'path': str(path), 'width': width, 'height': height, 'faces': faces}
            print(json.dumps(line), flush=True)
        else:
            said = ', '.join(f'{face["label"]} {face["confidence"]:.0%}' for face in faces)
            print(f'{path}: {said or "no face"}')
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
            target = options.output / f'{path.stem}.png'
            target.write_bytes(cv2.imencode('.png', annotate(image, frame))[1].tobytes())
    return int(failed)
