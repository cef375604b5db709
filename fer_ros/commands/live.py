# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer live``: who is in view and what their face says, in the terminal and without ROS."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.commands.options import (
    add_command,
    add_pipeline_options,
    add_seconds,
    pipeline_config,
    seconds_of,
)
from fer_ros.commands.reading import Changes, Take, in_time, read_stream
from fer_ros.drawing.plot_style import COLOURS
from fer_ros.images.demo import DemoSource
from fer_ros.images.sources import ImageSource, open_source
from fer_ros.labels import UNKNOWN
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array

BAR_CELLS = 24
OTHER_CELLS = 49
"""Of a table's width: everything but the bars."""
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
    add_seconds(parser)
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Show a calm table in a terminal; elsewhere print one line a change."""
    with closing(_open(options)) as source, contextlib.suppress(KeyboardInterrupt):
        pipeline = EmotionPipeline(pipeline_config(options))
        images = in_time(source, seconds_of(options), is_paced=options.camera is None)
        with showing() as show:
            read_stream(images, pipeline, [show])
    return 0


def _open(options: argparse.Namespace) -> ImageSource:
    if options.camera is not None:
        return open_source(options.camera)
    return open_source(str(options.video)) if options.video else DemoSource()


@contextlib.contextmanager
def showing() -> Iterator[Take]:
    """Yield what shows each frame: as a table in a terminal, elsewhere as one line a change."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not console.is_terminal:
        yield Changes().take
        return
    times_s: deque[float] = deque(maxlen=60)
    drawn_s = float('-inf')
    with Live(console=console, auto_refresh=False, transient=True) as screen:

        def show(_number: int, _image: UInt8Array, frame: FrameEmotions) -> None:
            nonlocal drawn_s
            times_s.append(time.monotonic())
            if times_s[-1] - drawn_s > 1.0 / REDRAWS_HZ:
                drawn_s = times_s[-1]
                table = make_table(frame, _rate_hz(times_s), console.width)
                screen.update(table, refresh=True)

        yield show


def _rate_hz(times_s: deque[float]) -> float:
    return (len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 else 0.0


def make_table(frame: FrameEmotions, rate_hz: float, width: int = 80) -> Any:
    """Return a frame as a rich table of at most *width* columns, one row per person."""
    from rich.table import Table
    from rich.text import Text

    cells = max(0, min(BAR_CELLS, width - OTHER_CELLS))
    total_ms = sum(frame.timings_ms.values())
    table = Table(
        caption=f'{rate_hz:.0f} frames per second, {total_ms:.0f} ms each; Ctrl+C ends',
        caption_justify='left',
        expand=False,
    )
    table.add_column('person', justify='right')
    table.add_column('says', min_width=18 if cells else None)
    table.add_column('likeliest', min_width=cells + 15, no_wrap=True)
    for face in frame.faces:
        label = face.label if face.label == UNKNOWN else f'{face.label} {face.confidence:.0%}'
        says = Text(label, style=f'bold {COLOURS[face.label]}')
        for reason in face.quality:
            says.append(f'\n{reason.replace("_", " ")}', style='not bold yellow')
        table.add_row(str(face.track_id), says, _bars(face, frame.labels, cells), end_section=True)
    if not frame.faces:
        table.add_row('', 'nobody in view', '', style='dim')
    return table


def _bars(face: FaceEmotion, labels: tuple[str, ...], cells: int) -> Any:
    from rich.text import Text

    lines = []
    for index in np.argsort(-face.probabilities, kind='stable')[:BARS]:
        label, probability = labels[index], float(face.probabilities[index])
        bars = Text()
        filled = round(cells * probability)
        bars.append(f'{label:>9} ')
        bars.append('█' * filled, style=COLOURS[label])
        bars.append('░' * (cells - filled), style='dim')
        bars.append(f'{probability:5.0%}')
        lines.append(bars)
    return Text('\n').join(lines)
