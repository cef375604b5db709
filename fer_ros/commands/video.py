# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer video``: the emotions in a video, frame by frame."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_pipeline_options,
    pipeline_config,
    progress,
)
from fer_ros.drawing.annotation import annotate
from fer_ros.images.sources import VideoSource
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.json_lines import frame_to_dict
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
    parser.add_argument('file', type=Path, metavar='FILE', help='a video')
    parser.add_argument('--json', action='store_true', help='print one JSON object a frame')
    parser.add_argument('--output', type=Path, metavar='FILE', help='write an annotated MP4 here')
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print what each frame says, or each change."""
    with closing(VideoSource(options.file)) as source, ExitStack() as stack:
        pipeline = EmotionPipeline(pipeline_config(options))
        writer = (
            stack.enter_context(VideoWriter(options.output, source.rate_hz))
            if options.output
            else None
        )
        before: dict[int, str] = {}
        frames = progress(source, source.frame_count or None, options.file.name)
        for number, (stamp_s, image) in enumerate(frames):
            frame = pipeline.process(image, stamp_s)
            if options.json:
                print(json.dumps(frame_to_dict(frame, number)), flush=True)
            else:
                before = print_changes(frame, before, stamp_s)
            if writer:
                writer.write(annotate(image, frame))
    return 0


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
