# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer video``: the emotions in a video, frame by frame."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_overwrite,
    add_pipeline_options,
    pipeline_config,
    progress,
)
from fer_ros.data.safe_output import safe_output
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import SourceError
from fer_ros.images.sources import (
    PhotoSource,
    VideoSource,
    open_source,
)
from fer_ros.images.video_writer import VideoWriter, check_video_name
from fer_ros.messages.json_lines import frame_to_dict, to_json
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import FrameEmotions


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'video',
        run,
        'Read the emotions in a video, frame by frame.',
        'fer video clip.mp4 --json --output annotated.mp4 > emotions.jsonl',
    )
    parser.add_argument(
        'file',
        metavar='SOURCE',
        help="a video, an address (http, rtsp …), a folder of frames or a pattern ('*.png')",
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object per frame')
    parser.add_argument('--output', type=Path, metavar='FILE', help='write an annotated MP4 here')
    add_overwrite(parser)
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print what each frame says, or each change; 1 if no frame could be read."""
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_source(options.file)))
        if not isinstance(source, VideoSource | PhotoSource):
            raise SourceError('fer video reads what has an end; for cameras there is fer live')
        writer = _writer(stack, options, source) if options.output else None
        pipeline = EmotionPipeline(pipeline_config(options, recorded=True))
        before: dict[int, str] = {}
        for number, (stamp_s, image) in enumerate(_frames(source, options.file)):
            frame = pipeline.process(image, stamp_s)
            if options.json:
                print(to_json(frame_to_dict(frame, number)), flush=True)
            else:
                before = print_changes(frame, before, stamp_s)
            if writer:
                writer.write(annotate(image, frame), stamp_s)
        if problem := source.problem():
            if not source.frames_read:
                raise SourceError(problem)
            print(f'fer: {problem}', file=sys.stderr)
    return 0


def _writer(
    stack: ExitStack, options: argparse.Namespace, source: VideoSource | PhotoSource
) -> VideoWriter:
    """Return a writer of the annotated copy, which comes into place when it is whole."""
    check_video_name(options.output)
    inputs = source.paths if isinstance(source, PhotoSource) else [Path(options.file)]
    part = stack.enter_context(safe_output(options.output, inputs, options.overwrite))
    return stack.enter_context(VideoWriter(part, source.rate_hz))


def _frames(source: VideoSource | PhotoSource, name: str) -> Iterator[tuple[float, Any]]:
    return progress(source, source.frame_count or None, Path(name).name)


def print_changes(frame: FrameEmotions, before: dict[int, str], time_s: float) -> dict[int, str]:
    """Print whose emotion is another than *before* ({id: label}); return what it is now."""
    now = {face.track_id: face.label for face in frame.faces}
    for face in frame.faces:
        if before.get(face.track_id) != face.label:
            print(
                f'{time_s:8.2f} s  person {face.track_id}: {face.label} ({face.confidence:.0%})',
                flush=True,
            )
    for track_id in before.keys() - now.keys():
        print(f'{time_s:8.2f} s  person {track_id}: out of view', flush=True)
    return now
