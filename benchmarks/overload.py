# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""More than the node can do: does it stay quick, small and honest about what it leaves out?

usage: python benchmarks/overload.py [--seconds 20] [--cases A,B] [--output runs/overload.json]
Each case is a camera process that sends more than can be processed, the emotion node, and
listeners. Prints a table: frames received, processed and dropped (received = processed + dropped,
as /diagnostics counts them), latency in the first and the second half, and memory at both ends. The
exit status is 1 where something is not accounted for or grows.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.images.demo import DemoSource, demo_photos
from fer_ros.measuring.report import percentiles
from fer_ros.nodes.bench_stream import Usage, observing
from fer_ros.types import UInt8Array

LATENCY_GROWTH = 3.0
"""The second half's median may be so many times the first's: a queue would grow without end."""
MEMORY_GROWTH_MB = 100.0
"""Interpreters for large inputs come and go (70 MB for 1280x640); a queue of images would hold more
than this within a few seconds."""
WARM_UP_SHARE = 0.3


@dataclass(frozen=True)
class Load:
    """What comes in.

    Attributes:
        images: makes uint8 (N, H, W, 3) BGR that are sent over and over.
        rate_hz: frames per second.
        beside: program of a process that works beside it, if any.
        from_the_middle: whether that begins after half of the time, to compare both halves.
    """

    images: Callable[[], UInt8Array]
    rate_hz: float
    beside: str = ''
    from_the_middle: bool = False


def demo_images(size_wh: tuple[int, int]) -> UInt8Array:
    """Return a few moments of the demo with both people."""
    source = DemoSource(size_wh)
    return np.stack([source.at(4.0 + number / 5) for number in range(4)])


def crowd_images(columns: int = 10, rows: int = 5, tile_px: int = 128) -> UInt8Array:
    """Return a crowd of fifty faces, all of one person."""
    face = cv2.resize(demo_photos()[0][20:220, 126:326], (tile_px, tile_px))
    return np.stack([np.roll(np.tile(face, (rows, columns, 1)), n, axis=1) for n in range(3)])


SLOW_LISTENER = """
import contextlib, sys, time
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image
from fer_msgs.msg import EmotionArray
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.runner import exit_now
prepare_middleware()
rclpy.init()
node = rclpy.create_node('slow_listener', namespace=sys.argv[1])
node.create_subscription(EmotionArray, 'emotions', lambda _: time.sleep(0.2), 1000)
node.create_subscription(Image, 'image_annotated', lambda _: time.sleep(0.2), 10)
with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(node)
exit_now(0)
"""

CALLER = """
import contextlib, sys
import numpy as np, rclpy
from rclpy.executors import ExternalShutdownException
from fer_msgs.srv import Classify
from fer_ros.images.demo import DemoSource
from fer_ros.messages.images import image_message
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.ros_messages import make
from fer_ros.nodes.runner import exit_now
from std_msgs.msg import Header
prepare_middleware()
rclpy.init()
node = rclpy.create_node('caller', namespace=sys.argv[1])
client = node.create_client(Classify, 'emotion_node/classify')
request = Classify.Request(image=image_message(make, DemoSource((3840, 2160)).at(4.0), Header()))
replies = []
def call():
    client.call_async(request).add_done_callback(lambda done: replies.append(done.result().success))
client.wait_for_service()
node.create_timer(0.2, call)
with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(node)
print(f'classify: {sum(replies)} of {len(replies)} replies were results, the others busy')
sys.stdout.flush()
exit_now(0)
"""

LOADS = {
    '120 Hz, 640x480': Load(lambda: demo_images((640, 480)), 120.0),
    '4K at 15 Hz': Load(lambda: demo_images((3840, 2160))[:2], 15.0),
    '50 faces at 30 Hz': Load(crowd_images, 30.0),
    'slow subscriber at 30 Hz': Load(lambda: demo_images((640, 480)), 30.0, SLOW_LISTENER),
    'classify 4K at 5 Hz beside 30 Hz': Load(lambda: demo_images((640, 480)), 30.0, CALLER, True),
}


def overload(load: Load, seconds: float, folder: Path) -> dict[str, Any]:
    """Run one case; return its figures."""
    images = folder / 'images.npy'
    np.save(images, load.images())
    with observing(folder) as observer:
        (camera,) = observer.cameras
        node = observer.start_emotion_nodes()
        with ExitStack() as stack:
            if load.beside and not load.from_the_middle:
                stack.enter_context(_running(load.beside, camera.namespace))
            sender = observer.send(images, load.rate_hz)
            observer.until(lambda: camera.results, 'the first result')
            observer.wait(WARM_UP_SHARE * seconds)
            early = Usage.of(node.pid)
            observer.wait((0.5 - WARM_UP_SHARE) * seconds)
            if load.from_the_middle:
                stack.enter_context(_running(load.beside, camera.namespace))
            observer.wait(0.5 * seconds)
            late = Usage.of(node.pid)
            sender.stop()
            observer.settle()
    middle_s = camera.results[0].at_s + seconds / 2
    halves = [
        [r.latency_ms for r in camera.results if (r.at_s < middle_s) == first]
        for first in (True, False)
    ]
    facts = {
        'rate_hz': load.rate_hz,
        **camera.counts,
        'results': len(camera.results),
        'faces': max(len(result.track_ids) for result in camera.results),
        'latency_ms': [percentiles(half) for half in halves],
        'rss_mb': [round(early.rss_mb, 1), round(late.rss_mb, 1)],
        'cpu_cores': round(late.cores_since(early), 2),
    }
    return {**facts, 'complaints': complaints(facts)}


@contextmanager
def _running(program: str, namespace: str) -> Iterator[None]:
    """Let a program work in a process of its own meanwhile."""
    process = subprocess.Popen([sys.executable, '-c', program, namespace])
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def complaints(facts: dict[str, Any]) -> list[str]:
    """Return what is wrong: frames not accounted for, latency or memory that grows."""
    found = []
    unaccounted = facts['received'] - facts['processed'] - facts['dropped'] - facts['bad']
    if unaccounted:
        found.append(f'{unaccounted} frames are not accounted for')
    if facts['results'] != facts['processed']:
        found.append(f'{facts["processed"]} frames were processed, {facts["results"]} results came')
    first, second = (half['median'] for half in facts['latency_ms'])
    if second > LATENCY_GROWTH * max(first, 10.0):
        found.append(f'latency grows from {first} to {second} ms')
    if facts['rss_mb'][1] - facts['rss_mb'][0] > MEMORY_GROWTH_MB:
        found.append(f'memory grows from {facts["rss_mb"][0]} to {facts["rss_mb"][1]} MB')
    return found


def main() -> int:
    """Run the cases and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--cases', default='', metavar='A,B', help='beginnings of their names')
    parser.add_argument('--output', type=Path, default=Path('runs/overload.json'), metavar='FILE')
    options = parser.parse_args()
    print('| input | received | processed | dropped | faces | latency median, p99 (ms), 1st half '
          '| 2nd half | memory (MB) | cores |')  # fmt: skip
    print('|' + ' --- |' * 9)
    results = {}
    for name, load in LOADS.items():
        if not name.startswith(tuple(options.cases.split(','))):
            continue
        with tempfile.TemporaryDirectory() as folder:
            facts = results[name] = overload(load, options.seconds, Path(folder))
        halves = ' | '.join(f'{p["median"]}, {p["p99"]}' for p in facts['latency_ms'])
        print(
            f'| {name} | {facts["received"]} | {facts["processed"]} | {facts["dropped"]} '
            f'| {facts["faces"]} | {halves} | {facts["rss_mb"][0]} to {facts["rss_mb"][1]} '
            f'| {facts["cpu_cores"]} |',
            flush=True,
        )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=2) + '\n', encoding='utf-8')
    wrong = {name: facts['complaints'] for name, facts in results.items() if facts['complaints']}
    print('all accounted for, nothing grows' if not wrong else f'NOT WELL: {wrong}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
