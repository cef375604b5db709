# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer run``: the emotions in whatever it is given, and the results in a folder."""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, TextIO

from fer_ros.commands.live import showing
from fer_ros.commands.options import (
    add_command,
    add_max_pixels,
    add_overwrite,
    add_pipeline_options,
    add_seconds,
    pipeline_config,
    seconds_of,
)
from fer_ros.commands.reading import (
    STDIN,
    Changes,
    Take,
    annotated_names,
    annotated_video,
    find_photos,
    in_time,
    photo_line,
    print_line,
    read_photos,
    read_recording,
    read_stream,
    write_annotated,
)
from fer_ros.data.bag_source import BagSource, is_bag
from fer_ros.data.safe_output import safe_outputs
from fer_ros.errors import SourceError
from fer_ros.images.demo import DemoSource
from fer_ros.images.headers import is_photo
from fer_ros.images.sources import ImageSource, PhotoSource, VideoSource, open_source
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.csv_rows import FACE_COLUMNS, face_rows
from fer_ros.messages.json_lines import frame_to_dict, to_json
from fer_ros.pipeline import EmotionPipeline
from fer_ros.reader import FaceReader
from fer_ros.types import FrameEmotions, UInt8Array

LINES, TABLE, VIDEO = 'emotions.jsonl', 'emotions.csv', 'annotated.mp4'
FOLDER = 'fer-run'


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'run',
        run,
        'Read the emotions in photos, a video, a stream or a camera, and save the results.',
        'fer run clip.mp4 --output results',
    )
    parser.add_argument(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help="a camera's number, a video, a rosbag, an address (http, rtsp …), photos, a folder "
        "or pattern of photos ('*.jpg'), - for standard input, or demo",
    )
    parser.add_argument(
        '--output',
        type=Path,
        metavar='FOLDER',
        help=f'save annotated copies, {LINES} and {TABLE} here (default: {FOLDER}, or {FOLDER}-2 '
        'and so on)',
    )
    parser.add_argument('--json', action='store_true', help='print the lines of JSON as well')
    parser.set_defaults(saves=True)
    add_seconds(parser)
    add_overwrite(parser)
    add_max_pixels(parser)
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print and save what every photo or frame says; 130 if what has an end was interrupted."""
    with ExitStack() as stack:
        folder = options.output or new_folder(stack)
        source = _open(stack, options.sources)
        if isinstance(source, PhotoSource):
            status = _run_photos(source.paths, folder, options)
        else:
            inputs = [Path(text) for text in options.sources]
            status = _run_stream(source, inputs, folder, options)
    print(f'results saved in {folder}', file=sys.stderr if options.json else sys.stdout)
    return status


def new_folder(stack: ExitStack) -> Path:
    """Return a new folder, which goes again if nothing is saved; another run gets another."""
    for name in (FOLDER, *(f'{FOLDER}-{number}' for number in range(2, 10_000))):
        with suppress(FileExistsError):
            Path(name).mkdir()
            stack.callback(_remove_if_empty, Path(name))
            return Path(name)
    raise SourceError(f'{FOLDER} to {name} exist already: choose a folder by --output')


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _open(stack: ExitStack, sources: Sequence[str]) -> ImageSource:
    """Return what the sources mean; several of them are photos."""
    if len(sources) > 1:
        return PhotoSource(find_photos(sources))
    (text,) = sources
    if is_bag(Path(text)):
        return stack.enter_context(closing(BagSource(Path(text))))
    if text != str(STDIN):
        return stack.enter_context(closing(open_source(text)))
    if is_photo(sys.stdin.buffer.peek()):  # type: ignore[union-attr]
        return PhotoSource([STDIN])
    file = stack.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115 - it is one
    shutil.copyfileobj(sys.stdin.buffer, file)
    file.flush()
    try:
        return stack.enter_context(closing(VideoSource(Path(file.name))))
    except SourceError as error:
        raise SourceError('standard input is neither a photo nor a video') from error


def _run_photos(paths: list[Path], folder: Path, options: argparse.Namespace) -> int:
    names = annotated_names(paths, folder)
    reader = FaceReader(pipeline_config(options))
    with (
        safe_outputs(folder, [*names, LINES, TABLE], paths, options.overwrite) as part,
        ExitStack() as files,
    ):

        def show(number: int, image: UInt8Array, frame: FrameEmotions) -> None:
            write_annotated(part / names[number], image, frame)
            print(photo_line(paths[number], frame, options.json), flush=True)

        def describe(number: int, frame: FrameEmotions) -> tuple[str, list[Any]]:
            return photo_line(paths[number], frame, as_json=True), [paths[number]]

        tables = _tables(files, part, ('photo',), reader.labels, describe)
        try:
            return read_photos(paths, reader, options.max_image_pixels, [tables, show])
        except KeyboardInterrupt:
            return 130  # what was read until then is kept


def _run_stream(
    source: ImageSource, inputs: list[Path], folder: Path, options: argparse.Namespace
) -> int:
    seconds = seconds_of(options)
    recording = None
    if isinstance(source, BagSource) or (isinstance(source, VideoSource) and not source.is_live):
        recording = source
    pipeline = EmotionPipeline(pipeline_config(options, recorded=recording is not None))
    outputs = safe_outputs(folder, (VIDEO, LINES, TABLE), inputs, options.overwrite)
    with outputs as part, ExitStack() as files:
        columns = ('frame', 'stamp_s')
        takes = [_tables(files, part, columns, pipeline.labels, _describe_frame)]
        writer = files.enter_context(VideoWriter(part / VIDEO, source.rate_hz))
        takes.append(annotated_video(writer))
        try:
            if recording:
                takes.append(print_line if options.json else Changes().take)
                read_recording(recording, inputs[0].name, pipeline, takes, seconds)
            else:
                show = print_line if options.json else files.enter_context(showing())
                images = in_time(source, seconds, is_paced=isinstance(source, DemoSource))
                read_stream(images, pipeline, [*takes, show])
        except KeyboardInterrupt:
            # The way to end a camera; of a recording, what was read until then is kept.
            return 130 if recording else 0
    return 0


def _describe_frame(number: int, frame: FrameEmotions) -> tuple[str, list[Any]]:
    return to_json(frame_to_dict(frame, number)), [number, round(frame.stamp_s, 3)]


def _tables(
    files: ExitStack,
    folder: Path,
    columns: Sequence[str],
    labels: Sequence[str],
    describe: Callable[[int, FrameEmotions], tuple[str, list[Any]]],
) -> Take:
    """Return what writes a line of JSON per image, and a row per face.

    Args:
        files: closes them.
        folder: to write into.
        columns: of the table, before the face's own.
        labels: the model's.
        describe: returns the line of an image, and its values of *columns*.
    """

    def create(name: str) -> TextIO:
        path = folder / name
        # A file name need not be valid UTF-8.
        stream = path.open('w', encoding='utf-8', errors='surrogateescape', newline='')
        return files.enter_context(stream)

    lines, table = create(LINES), csv.writer(create(TABLE))
    table.writerow([*columns, *FACE_COLUMNS, *labels])

    def take(number: int, _image: UInt8Array, frame: FrameEmotions) -> None:
        line, start = describe(number, frame)
        lines.write(f'{line}\n')
        table.writerows([*start, *row] for row in face_rows(frame))

    return take
