# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer video``: the emotions in a video, frame by frame."""

from __future__ import annotations

import argparse
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_overwrite,
    add_pipeline_options,
    pipeline_config,
)
from fer_ros.commands.reading import Changes, Take, annotated_video, print_line, read_recording
from fer_ros.data.safe_output import safe_output
from fer_ros.errors import SourceError
from fer_ros.images.sources import PhotoSource, VideoSource, open_source
from fer_ros.images.video_writer import VideoWriter, check_video_name
from fer_ros.pipeline import EmotionPipeline


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
            raise SourceError('fer video reads what has an end; for cameras there is fer run')
        takes: list[Take] = [print_line if options.json else Changes().take]
        if options.output:
            check_video_name(options.output)
            inputs = source.paths if isinstance(source, PhotoSource) else [Path(options.file)]
            part = stack.enter_context(safe_output(options.output, inputs, options.overwrite))
            takes.append(annotated_video(stack.enter_context(VideoWriter(part, source.rate_hz))))
        pipeline = EmotionPipeline(pipeline_config(options, recorded=True))
        read_recording(source, Path(options.file).name, pipeline, takes)
    return 0
