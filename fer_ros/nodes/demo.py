# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The main job from end to end: camera node and emotion node as processes, this one listens."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from threading import Event

import cv2
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from fer_msgs.msg import EmotionArray
from fer_ros.commands.video import print_changes
from fer_ros.errors import FerError, SourceError
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.emotions import frame_emotions, stamp_seconds
from fer_ros.messages.json_lines import frame_to_dict
from fer_ros.nodes.environment import check_environment, ros_arguments
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.ros_messages import to_bgr
from fer_ros.nodes.runner import exit_now
from fer_ros.types import UInt8Array

VIDEO_RATE_HZ = 30.0
START_TIMEOUT_S = 60.0
LAST_ANSWERS_S = 3.0
RESULTS = ('emotions.jsonl', 'annotated.mp4', 'annotated.png')

# The kernel interrupts the node when the demo has ended in whatever way, killed too
# (1 is PR_SET_PDEATHSIG); set by the node's own process, for here there are threads already.
_RUN_NODE = (
    'import ctypes, runpy, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGINT); '
    'runpy.run_module("fer_ros.nodes." + sys.argv.pop(1), run_name="__main__", alter_sys=True)'
)


class NodeProcess:
    """A node of this package in a process of its own, its output in a log file."""

    def __init__(self, name: str, log: Path, *ros_arguments: str) -> None:
        """Start the node."""
        self.name = name
        self._log = log
        with log.open('wb') as stream:
            self._process = subprocess.Popen(
                [sys.executable, '-c', _RUN_NODE, name, '--ros-args', *ros_arguments],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def running(self) -> bool:
        """Return whether it still runs.

        Raises:
            SourceError: it has failed; the message holds its last line.
        """
        status = self._process.poll()
        if status:
            lines = self._log.read_text(errors='replace').strip().splitlines()
            raise SourceError(
                f'{self.name} has stopped: {lines[-1] if lines else "no output"} (see {self._log})'
            )
        return status is None

    def stop(self) -> None:
        """End it: asked first, and made to after five seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Listener(Node):
    """Writes and prints what the emotion node publishes."""

    def __init__(self, folder: Path, video: VideoWriter) -> None:
        """Subscribe; results go to *folder*."""
        super().__init__('fer_demo')
        self._lines = (folder / 'emotions.jsonl').open('w', encoding='utf-8')
        self._video = video
        self._start_s: float | None = None
        self._written = 0
        self._before: dict[int, str] = {}
        self._best: tuple[int, float] = (-1, 0.0)
        self._crowd: dict[float, tuple[int, float]] = {}
        self.answers = 0
        self.best_image: UInt8Array | None = None
        self.labels: dict[int, Counter[str]] = defaultdict(Counter)
        self.create_subscription(EmotionArray, 'emotions', self._on_emotions, 10)
        self.create_subscription(Image, 'image_annotated', self._on_image, 10)

    @property
    def seconds(self) -> float:
        """Seconds of wall time since the first answer, 0 before it."""
        return time.monotonic() - self._start_s if self._start_s is not None else 0.0

    def _on_emotions(self, message: EmotionArray) -> None:
        frame = frame_emotions(message)
        if self._start_s is None:
            self._start_s = time.monotonic()
        self._lines.write(json.dumps(frame_to_dict(frame, self.answers)) + '\n')
        self.answers += 1
        for face in frame.faces:
            self.labels[face.track_id][face.label] += 1
        crowd = (len(frame.faces), sum(face.confidence for face in frame.faces))
        self._crowd = {frame.stamp_s: crowd}
        # Shown by seconds since the start: stamps of a live camera are the wall clock's.
        self._before = print_changes(frame, self._before, self.seconds)

    def _on_image(self, message: Image) -> None:
        image = to_bgr(message)
        crowd = self._crowd.get(stamp_seconds(message.header), (-1, 0.0))
        if crowd > self._best:
            self._best, self.best_image = crowd, image.copy()
        # Time in the video is time in the room: an image stands until the next one has come.
        due = max(1, round(self.seconds * VIDEO_RATE_HZ) - self._written)
        for _ in range(min(due, round(VIDEO_RATE_HZ))):
            self._video.write(image)
            self._written += 1

    def close(self) -> None:
        """Finish the file of lines."""
        self._lines.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='scripts/demo',
        description='Camera node and emotion node in two processes; prints what faces say.',
        epilog='example:\n  scripts/demo --camera 0 --seconds 30 --output today',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--camera', metavar='N', help='a camera instead of the sample photos')
    source.add_argument('--video', metavar='FILE', help='a video instead of the sample photos')
    parser.add_argument(
        '--seconds', type=float, default=20.0, metavar='S', help='how long (default: %(default)s)'
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('demo-out'),
        metavar='DIR',
        help='where results go (default: %(default)s)',
    )
    options = parser.parse_args()
    if not 0 < options.seconds <= 86_400:
        parser.error(f'--seconds: expected more than 0 and at most a day, got {options.seconds:g}')
    return options


def _run(options: argparse.Namespace, interrupted: Event) -> None:
    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    source = options.camera or options.video or 'demo'
    with contextlib.ExitStack() as stack:
        video = stack.enter_context(VideoWriter(folder / 'annotated.mp4', VIDEO_RATE_HZ))
        listener = Listener(folder, video)
        stack.callback(listener.close)
        executor = SingleThreadedExecutor()
        executor.add_node(listener)
        emotion_node = NodeProcess(
            'emotion_node', folder / 'emotion_node.log', '-r', 'image:=image_raw'
        )
        stack.callback(emotion_node.stop)
        _spin_until(
            executor,
            lambda: interrupted.is_set()
            or not emotion_node.running()
            or listener.count_subscribers('image_raw'),
            'emotion_node did not start',
        )
        camera_node = NodeProcess(
            'camera_node', folder / 'camera_node.log',
            '-p', f'source:="{source}"',
            '-p', f'rate_hz:={0.0 if options.video else 30.0}',
            '-p', f'loop:={str(not options.video).lower()}',
        )  # fmt: skip
        stack.callback(camera_node.stop)
        _spin_until(
            executor,
            lambda: interrupted.is_set() or not camera_node.running() or listener.answers,
            'no image was answered',
        )
        # A video that has ended ends its node, and with it the demo.
        while (
            emotion_node.running() and camera_node.running() and listener.seconds < options.seconds
        ):
            executor.spin_once(timeout_sec=0.1)
        camera_node.stop()
        _take_last_answers(executor, listener)
        _summarise(listener, folder)


def _spin_until(
    executor: SingleThreadedExecutor, condition: Callable[[], object], otherwise: str
) -> None:
    """Spin until *condition* holds; SourceError if that takes too long."""
    end_s = time.monotonic() + START_TIMEOUT_S
    while not condition():
        if time.monotonic() > end_s:
            raise SourceError(
                f"{otherwise} within {START_TIMEOUT_S:g} s; the nodes' logs tell more"
            )
        executor.spin_once(timeout_sec=0.1)


def _take_last_answers(executor: SingleThreadedExecutor, listener: Listener) -> None:
    """Spin until no answer has come for a moment, or for a little while at most."""
    end_s, before = time.monotonic() + LAST_ANSWERS_S, -1
    while before != listener.answers and time.monotonic() < end_s:
        before = listener.answers
        executor.spin_once(timeout_sec=0.5)


def _summarise(listener: Listener, folder: Path) -> None:
    if listener.best_image is not None:
        picture = cv2.imencode('.png', listener.best_image)[1]
        (folder / 'annotated.png').write_bytes(picture.tobytes())
    rate_hz = listener.answers / max(listener.seconds, 1e-3)
    print(f'\n{listener.answers} images answered, {rate_hz:.1f} a second')
    for track_id, counts in sorted(listener.labels.items()):
        total = sum(counts.values())
        said = ', '.join(f'{label} {n / total:.0%}' for label, n in counts.most_common(3))
        print(f'person {track_id}: in {total} images; {said}')
    written = [str(folder / name) for name in RESULTS if (folder / name).exists()]
    print('written:', ', '.join(written))


def main() -> int:
    """Run the demo; returns its exit status."""
    options = _parse()
    prepare_middleware()
    # A demo is for this computer; who wants to see it from another sets the variable first.
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        # Not rclpy's handlers: what was seen until then is still to be written and summed up.
        check_environment()
        rclpy.init(args=ros_arguments([]), signal_handler_options=SignalHandlerOptions.NO)
        _run(options, interrupted)
    except (FerError, OSError) as error:
        print(f'fer_ros: {error}', file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    exit_now(main())
