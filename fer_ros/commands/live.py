# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer live``: who is in view and what their face says, in the terminal and without ROS."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.commands.options import add_command, add_pipeline_options, pipeline_config
from fer_ros.commands.video import print_changes
from fer_ros.drawing.plot_style import COLOURS
from fer_ros.errors import ConfigError
from fer_ros.images.demo import DemoSource
from fer_ros.images.sources import ImageSource, open_source
from fer_ros.labels import UNKNOWN
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import FaceEmotion, FrameEmotions

BAR_CELLS = 24
BARS = 3
REDRAWS_HZ = 5.0


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'live',
        run,
        'Show in the terminal who is in view and what their face says.',
        'fer live --camera 0',
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--camera',
        metavar='N',
        help='number, path or address (rtsp://…) of a camera (default: the demo photos)',
    )
    source.add_argument('--video', type=Path, metavar='FILE', help='a video')
    parser.add_argument(
        '--seconds', type=float, metavar='S', help='stop after so long (default: at Ctrl+C)'
    )
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Show a calm table in a terminal; elsewhere print one line a change."""
    if options.seconds is not None and not options.seconds > 0:
        raise ConfigError(f'--seconds: expected more than 0, got {options.seconds:g}')
    with closing(_open(options)) as source:
        pipeline = EmotionPipeline(pipeline_config(options))
        try:
            _watch(source, pipeline, options.seconds or float('inf'), options.camera is None)
        except KeyboardInterrupt:
            return 0
    return 0


def _open(options: argparse.Namespace) -> ImageSource:
    if options.camera is not None:
        return open_source(options.camera)
    return open_source(str(options.video)) if options.video else DemoSource()


def _watch(source: ImageSource, pipeline: EmotionPipeline, seconds: float, is_paced: bool) -> None:
    """Process images until the source or the time ends.

    Args:
        source: of the images.
        pipeline: reads them.
        seconds: how long.
        is_paced: whether the source gives images as fast as they are asked for, so that they must
            be shown when their time has come; those whose time has passed are left out.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console()
    start_s = time.monotonic()
    before: dict[int, str] = {}
    answers_s: deque[float] = deque(maxlen=60)
    screen = (
        Live(console=console, auto_refresh=False, transient=True)
        if console.is_terminal
        else nullcontext()
    )
    drawn_s = float('-inf')
    with screen as live:
        for stamp_s, image in source:
            elapsed_s = time.monotonic() - start_s
            if elapsed_s > seconds:
                break
            if is_paced and stamp_s < elapsed_s - 1.0 / source.rate_hz:
                continue
            if is_paced and stamp_s > elapsed_s:
                time.sleep(stamp_s - elapsed_s)
            frame = pipeline.process(image, stamp_s)
            answers_s.append(time.monotonic())
            if live is None:
                before = print_changes(frame, before, time.monotonic() - start_s)
            elif answers_s[-1] - drawn_s > 1.0 / REDRAWS_HZ:
                drawn_s = answers_s[-1]
                live.update(make_table(frame, _rate_hz(answers_s)), refresh=True)
    sys.stdout.flush()


def _rate_hz(times_s: deque[float]) -> float:
    return (len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 else 0.0


def make_table(frame: FrameEmotions, rate_hz: float) -> Any:
    """Return a frame as a rich table, one row per person."""
    from rich.table import Table
    from rich.text import Text

    total_ms = sum(frame.timings_ms.values())
    table = Table(
        caption=f'{rate_hz:.0f} frames per second, {total_ms:.0f} ms each; Ctrl+C ends',
        caption_justify='left',
        expand=False,
    )
    table.add_column('person', justify='right')
    table.add_column('says', min_width=18)
    table.add_column('likeliest', min_width=BAR_CELLS + 15, no_wrap=True)
    for face in frame.faces:
        label = face.label if face.label == UNKNOWN else f'{face.label} {face.confidence:.0%}'
        says = Text(label, style=f'bold {COLOURS[face.label]}')
        for reason in face.quality:
            says.append(f'\n{reason.replace("_", " ")}', style='not bold yellow')
        table.add_row(str(face.track_id), says, _bars(face, frame.labels), end_section=True)
    if not frame.faces:
        table.add_row('', 'nobody in view', '', style='dim')
    return table


def _bars(face: FaceEmotion, labels: tuple[str, ...]) -> Any:
    from rich.text import Text

    lines = []
    for index in np.argsort(-face.probabilities, kind='stable')[:BARS]:
        label, probability = labels[index], float(face.probabilities[index])
        bars = Text()
        filled = round(BAR_CELLS * probability)
        bars.append(f'{label:>9} ')
        bars.append('█' * filled, style=COLOURS[label])
        bars.append('░' * (BAR_CELLS - filled), style='dim')
        bars.append(f'{probability:5.0%}')
        lines.append(bars)
    return Text('\n').join(lines)
