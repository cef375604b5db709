# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``scripts/demo``: the main job from end to end, camera and emotion node as processes over DDS."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from threading import Event

import cv2

from fer_ros.commands.reading import Changes
from fer_ros.errors import FerError
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.json_lines import frame_to_dict, to_json
from fer_ros.nodes.listener import Listener
from fer_ros.nodes.processes import NodeProcess
from fer_ros.nodes.runner import exit_now
from fer_ros.types import FrameEmotions, UInt8Array

VIDEO_RATE_HZ = 30.0
START_TIMEOUT_S = 60.0
LAST_RESULTS_S = 3.0
RESULTS = ('emotions.jsonl', 'annotated.mp4', 'annotated.png')


class Recording:
    """Writes and prints what the emotion node publishes."""

    def __init__(self, folder: Path, video: VideoWriter) -> None:
        """Write lines to *folder* and images to *video*."""
        self._lines = (folder / 'emotions.jsonl').open('w', encoding='utf-8')
        self._video = video
        self._start_s: float | None = None
        self._written = 0
        self._changes = Changes()
        self._best: tuple[int, float] = (-1, 0.0)
        self._crowd: dict[float, tuple[int, float]] = {}
        self.frames = 0
        self.best_image: UInt8Array | None = None
        self.labels: dict[int, Counter[str]] = defaultdict(Counter)

    @property
    def seconds(self) -> float:
        """Seconds of wall time since the first result, 0 before it."""
        return time.monotonic() - self._start_s if self._start_s is not None else 0.0

    def take_frame(self, frame: FrameEmotions) -> None:
        """Write and print one result."""
        if self._start_s is None:
            self._start_s = time.monotonic()
        self._lines.write(to_json(frame_to_dict(frame, self.frames)) + '\n')
        self.frames += 1
        for face in frame.faces:
            self.labels[face.track_id][face.label] += 1
        crowd = (len(frame.faces), sum(face.confidence for face in frame.faces))
        self._crowd = {frame.stamp_s: crowd}
        # Shown by seconds since the start: stamps of a live camera are the wall clock's.
        self._changes.print_changes(frame, self.seconds)

    def take_image(self, image: UInt8Array, stamp_s: float) -> None:
        """Write one annotated image, and keep it if it shows the most people so far."""
        crowd = self._crowd.get(stamp_s, (-1, 0.0))
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
        recording = Recording(folder, video)
        stack.callback(recording.close)
        listener = Listener(recording.take_frame, recording.take_image)
        stack.callback(listener.close)
        emotion_node = NodeProcess(
            'emotion_node', folder / 'emotion_node.log', '-r', 'image:=image_raw'
        )
        stack.callback(emotion_node.stop)
        listener.spin_until(
            lambda: interrupted.is_set()
            or not emotion_node.running()
            or listener.has_subscriber('image_raw'),
            START_TIMEOUT_S,
            'emotion_node did not start',
        )
        camera_node = NodeProcess(
            'camera_node', folder / 'camera_node.log',
            '-p', f'source:="{source}"',
            '-p', f'rate_hz:={0.0 if options.video else 30.0}',
            '-p', f'loop:={str(not options.video).lower()}',
        )  # fmt: skip
        stack.callback(camera_node.stop)
        listener.spin_until(
            lambda: interrupted.is_set() or not camera_node.running() or recording.frames,
            START_TIMEOUT_S,
            'no image was processed',
        )
        # A video that has ended ends its node, and with it the demo.
        while (
            emotion_node.running() and camera_node.running() and recording.seconds < options.seconds
        ) and not interrupted.is_set():
            listener.spin_once()
        camera_node.stop()
        _take_last_results(listener, recording)
        _summarise(recording, folder)


def _take_last_results(listener: Listener, recording: Recording) -> None:
    """Spin until no result has come for a moment, or for a little while at most."""
    end_s, before = time.monotonic() + LAST_RESULTS_S, -1
    while before != recording.frames and time.monotonic() < end_s:
        before = recording.frames
        listener.spin_once(0.5)


def _summarise(recording: Recording, folder: Path) -> None:
    if recording.best_image is not None:
        picture = cv2.imencode('.png', recording.best_image)[1]
        (folder / 'annotated.png').write_bytes(picture.tobytes())
    rate_hz = recording.frames / max(recording.seconds, 1e-3)
    print(f'\n{recording.frames} images processed, {rate_hz:.1f} fps')
    for track_id, counts in sorted(recording.labels.items()):
        total = sum(counts.values())
        shares = ', '.join(f'{label} {n / total:.0%}' for label, n in counts.most_common(3))
        print(f'person {track_id}: in {total} images; {shares}')
    written = [str(folder / name) for name in RESULTS if (folder / name).exists()]
    print('written:', ', '.join(written))


def main() -> int:
    """Run the demo; returns its exit status."""
    options = _parse()
    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        _run(options, interrupted)
    except (FerError, OSError) as error:
        print(f'fer_ros: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    exit_now(main())
