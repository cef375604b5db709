# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer image``: the emotions on photos."""

from __future__ import annotations

import argparse
import glob
import sys
from pathlib import Path
from typing import Any

import cv2

from fer_ros.commands.options import (
    add_command,
    add_max_pixels,
    add_overwrite,
    add_pipeline_options,
    pipeline_config,
    progress,
)
from fer_ros.data.safe_output import check_outputs, safe_output, unique_names
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import ImageError, SourceError
from fer_ros.images.decoding import read_image
from fer_ros.images.sources import ADDRESS, find_images, match_photos
from fer_ros.messages.json_lines import face_to_dict, to_json
from fer_ros.reader import FaceReader
from fer_ros.types import FrameEmotions


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
        'files', nargs='+', metavar='FILE', help="photos, folders of photos, patterns ('*.jpg')"
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
    names = unique_names(paths, '.png', options.output) if options.output else []
    if options.output:
        check_outputs(options.output, names, paths, options.overwrite)
    reader = FaceReader(pipeline_config(options))
    failed = 0
    for number, path in enumerate(progress(paths, len(paths), 'photos')):
        try:
            image = read_image(path, options.max_image_pixels)
        except ImageError as error:
            print(f'fer: {error}', file=sys.stderr)
            failed += 1
            continue
        frame = reader.read_photo(image)
        print(_line(path, frame, options.json), flush=True)
        if options.output:
            target = options.output / names[number]
            with safe_output(target, paths, options.overwrite) as part:
                part.write_bytes(cv2.imencode('.png', annotate(image, frame))[1].tobytes())
    if failed and len(paths) > 1:
        print(f'fer: {failed} of {len(paths)} photos could not be read', file=sys.stderr)
    return int(failed > 0)


def find_photos(texts: list[str]) -> list[Path]:
    """Return the photos that a user's words mean; those of a folder in natural order.

    Raises:
        SourceError: a folder holds none, a pattern matches none, or it is an address.
    """
    paths: list[Path] = []
    for text in texts:
        if ADDRESS.match(text):
            raise SourceError(f'{text} is an address: fer image reads files, fer video addresses')
        path = Path(text)
        if path.is_dir():
            paths += find_images(path)
        elif not path.exists() and glob.has_magic(text):
            paths += match_photos(text)
        else:
            paths.append(path)
    return paths


def _line(path: Path, frame: FrameEmotions, as_json: bool) -> str:
    """Return what is printed of a photo; faces are numbered as they are on the annotated copy."""
    faces = [{'number': face.track_id, **face_to_dict(face, frame.labels)} for face in frame.faces]
    if as_json:
        height, width = frame.shape_hw
        return to_json({'path': str(path), 'width': width, 'height': height, 'faces': faces})
    words = [f'{face["label"]} {face["confidence"]:.0%}' for face in faces]
    if len(words) > 1:
        words = [f'{number}: {word}' for number, word in enumerate(words, 1)]
    return f'{path}: {", ".join(words) or "no face"}'
