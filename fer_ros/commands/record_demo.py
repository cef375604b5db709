# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer record-demo``: a bag of the demo's two people, and the labels to evaluate it with."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import Any

from fer_ros.commands.options import add_command, progress
from fer_ros.data.bag_writer import STORAGES, BagWriter
from fer_ros.data.safe_output import safe_output
from fer_ros.errors import SourceError
from fer_ros.images.demo import DemoSource
from fer_ros.messages.images import image_message, jpeg_message

START_NS = 1_700_000_000 * 10**9
"""Stamps begin at a fixed time, so that the same bag comes out every time."""

TOPIC = re.compile(r'(/[A-Za-z_]\w*)+', re.ASCII)
"""Absolute names only: a bag has no namespace to complete others with."""

ALONE_S = (0.6, 3.4)
"""In each of its periods the demo's astronaut, who laughs, is alone in view from then to then."""


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'record-demo',
        run,
        'Write a bag with the two people of the demo, and labels for the one who laughs.',
        'fer record-demo demo_bag && fer evaluate bag demo_bag --labels demo_bag/labels.csv',
    )
    parser.add_argument('bag', type=Path, metavar='BAG', help='folder to make')
    parser.add_argument('--seconds', type=float, default=10.0, help='default: %(default)s')
    parser.add_argument('--rate', type=float, default=15.0, help='images/s, default: %(default)s')
    parser.add_argument('--compressed', action='store_true', help='JPEG instead of raw images')
    parser.add_argument(
        '--storage', choices=sorted(STORAGES), default='mcap', help='default: %(default)s'
    )
    parser.add_argument('--topic', default='/image_raw', help='default: %(default)s')


def run(options: argparse.Namespace) -> int:
    """Write the bag."""
    if not (0 < options.seconds <= 3600 and 0 < options.rate <= 1000):
        raise SourceError('--seconds must be 0 to 3600 and --rate 0 to 1000, both above 0')
    if not TOPIC.fullmatch(options.topic):
        raise SourceError(f'--topic {options.topic}: expected a name such as /camera/image_raw')
    source = DemoSource(rate_hz=options.rate)
    count = max(1, round(options.seconds * options.rate))
    topic = f'{options.topic}/compressed' if options.compressed else options.topic
    with safe_output(options.bag) as folder:
        with BagWriter(folder, options.storage) as bag:
            for number in progress(range(count), count, options.bag.name):
                stamp_ns = START_NS + round(number / options.rate * 1e9)
                header = bag.header(stamp_ns, 'camera')
                image = source.at(number / options.rate)
                to_message = jpeg_message if options.compressed else image_message
                bag.write(topic, stamp_ns, to_message(bag.make, image, header))
        (folder / 'labels.csv').write_text(_labels(options.seconds), encoding='utf-8')
    print(f'{options.bag}: {count} images on {topic}; {options.bag / "labels.csv"}')
    return 0


def _labels(seconds: float) -> str:
    """Return the spans in which the laughing astronaut is alone in view."""
    first_s, last_s = ALONE_S
    starts = range(0, math.ceil(max(0.0, seconds - first_s)), round(DemoSource.PERIOD_S))
    spans = [f'{start + first_s:g},{min(start + last_s, seconds):g},happy\n' for start in starts]
    return ''.join(['start_s,end_s,label\n', *spans])
