# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer image``: the emotions on photos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_max_pixels,
    add_overwrite,
    add_pipeline_options,
    pipeline_config,
)
from fer_ros.commands.reading import (
    annotated_names,
    find_photos,
    photo_line,
    read_photos,
    write_annotated,
)
from fer_ros.data.safe_output import check_outputs, safe_output
from fer_ros.reader import FaceReader
from fer_ros.types import FrameEmotions, UInt8Array


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'image',
        run,
        'Read the emotions on photos.',
        'fer image family.jpg --output annotated/',
    )
    parser.add_argument(
        'files',
        nargs='+',
        metavar='FILE',
        help="photos, folders of photos, patterns ('*.jpg'), - for standard input",
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object per photo')
    parser.add_argument(
        '--output', type=Path, metavar='FOLDER', help='write annotated copies (PNG) here'
    )
    add_overwrite(parser)
    add_max_pixels(parser)
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print what each photo says; a photo that cannot be read is said and the others go on."""
    paths = find_photos(options.files)
    names = annotated_names(paths, options.output) if options.output else []
    if options.output:
        check_outputs(options.output, names, paths, options.overwrite)

    def take(number: int, image: UInt8Array, frame: FrameEmotions) -> None:
        print(photo_line(paths[number], frame, options.json), flush=True)
        if options.output:
            target = options.output / names[number]
            with safe_output(target, paths, options.overwrite) as part:
                write_annotated(part, image, frame)

    reader = FaceReader(pipeline_config(options))
    return read_photos(paths, reader, options.max_image_pixels, [take])
