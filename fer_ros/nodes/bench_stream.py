# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes of their own, what they take, and what comes of the images sent to them.

What ``fer bench``, the soak, the overload and the comparison of several cameras share.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from fer_msgs.msg import EmotionArray
from fer_ros.errors import SourceError
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.processes import NodeProcess

TIMEOUT_S = 60.0
LAST_RESULTS_S = 10.0
COUNTS = ('received', 'processed', 'dropped', 'bad')
HEAVY_LIBRARIES = ('tensorflow', 'libtorch', 'jaxlib')


@dataclass(frozen=True)
class Usage:
    """What a process holds at a time: seconds, MB, open files, threads, processor seconds."""

    at_s: float
    rss_mb: float
    files: int
    threads: int
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Return what process *pid* holds now."""
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return cls(
                time.monotonic(),
                process.memory_info().rss / 1e6,
                process.num_fds(),
                process.num_threads(),
                times.user + times.system,
            )

    def cores_since(self, before: Usage) -> float:
        """Return how many processor cores it has used on average since *before*."""
        return (self.cpu_s - before.cpu_s) / (self.at_s - before.at_s)


@dataclass(frozen=True)
class Result:
    """One message of emotions: when it came, how old its image was, and who is in it."""

    at_s: float
    latency_ms: float
    track_ids: tuple[int, ...]


@dataclass
class Camera:
    """What became of one camera's images.

    Attributes:
        namespace: in which its node runs.
        sent: images published, by the count of camera_info.
        results: what came back.
        counts: COUNTS, as the node gives them in /diagnostics.
        reports: number of diagnostics messages.
    """

    namespace: str
    sent: int = 0
    results: list[Result] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    reports: int = 0

    @property
    def latencies_ms(self) -> list[float]:
        """From each image's stamp to the receipt of its result."""
        return [result.latency_ms for result in self.results]


class Observer:
    """Starts nodes and cameras, listens to them, and waits for what is expected."""

    def __init__(self, folder: Path, stack: ExitStack, cameras: int) -> None:
        """Listen; *stack* ends whatever is started, and logs go to *folder*."""
        self._folder, self._stack = folder, stack
        self.node = rclpy.create_node('observer', namespace=f'observed_{os.getpid()}')
        stack.callback(self.node.destroy_node)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        stack.callback(self._executor.shutdown)
        space = self.node.get_namespace()
        self.cameras = [Camera(f'{space}/camera_{number}') for number in range(cameras)]
        deep = QoSProfile(depth=500, reliability=ReliabilityPolicy.BEST_EFFORT)
        for camera in self.cameras:
            for kind, topic, callback, qos in (
                (EmotionArray, 'emotions', self._on_emotions, 500),
                (CameraInfo, 'camera_info', self._on_camera_info, deep),
            ):
                self.node.create_subscription(
                    kind, f'{camera.namespace}/{topic}', partial(callback, camera), qos
                )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    @staticmethod
    def _on_emotions(camera: Camera, message: EmotionArray) -> None:
        latency_ms = 1e3 * (time.time() - stamp_seconds(message.header))
        ids = tuple(emotion.track_id for emotion in message.emotions)
        camera.results.append(Result(time.monotonic(), latency_ms, ids))

    @staticmethod
    def _on_camera_info(camera: Camera, _: CameraInfo) -> None:
        camera.sent += 1

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        status = message.status[0]
        values = {value.key: value.value for value in status.values}
        for camera in self.cameras:
            if status.name.startswith(f'{camera.namespace}/emotion_node'):
                camera.reports += 1
                camera.counts = {name: int(values[f'{name} frames']) for name in COUNTS}

    def start(self, name: str, *arguments: str) -> NodeProcess:
        """Start a node of this package; its log is NAME.log."""
        process = NodeProcess(name, self._folder / f'{name}.log', *arguments)
        self._stack.callback(process.stop)
        return process

    def start_emotion_nodes(self) -> NodeProcess:
        """Start a node for each camera, all in one process, and wait for them."""
        names, remapping = [camera.namespace for camera in self.cameras], ('-r', 'image:=image_raw')
        if len(names) > 1:
            process = self.start('multi_emotion_node', *remapping, '--', *names)
        else:
            process = self.start('emotion_node', *remapping, '-r', f'__ns:={names[0]}')
        topics = [f'{name}/image_raw' for name in names]
        self.until(
            lambda: process.running() and all(map(self.node.count_subscribers, topics)),
            'the start of the nodes',
        )
        return process

    def send(self, images: Path, rate_hz: float, count: int = 0) -> Sender:
        """Send images to every camera's node at a rate; see fer_ros.nodes.bench_sender."""
        topics = [f'{camera.namespace}/image_raw' for camera in self.cameras]
        sender = Sender(images, rate_hz, count, topics)
        self._stack.callback(sender.stop)
        return sender

    def spin(self, seconds: float) -> None:
        """Take messages for at most so long."""
        self._executor.spin_once(timeout_sec=seconds)

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Take messages until *condition* holds; SourceError names *what* if it does not."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                raise SourceError(
                    f'{what} took longer than {timeout_s:g} s (see {self._folder}/*.log)'
                )
            self.spin(0.05)

    def wait(self, seconds: float) -> None:
        """Take messages for so long."""
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, 'waiting', seconds + TIMEOUT_S)

    def settle(self) -> None:
        """Wait until every image that a node received is processed or counted as not."""
        before = [camera.reports for camera in self.cameras]

        def settled() -> bool:
            return all(
                camera.reports > reports + 1
                and camera.counts['received'] == sum(camera.counts[n] for n in COUNTS[1:])
                and len(camera.results) >= camera.counts['processed']
                for camera, reports in zip(self.cameras, before)
            )

        self.until(settled, 'accounting for all images', LAST_RESULTS_S)


class Sender:
    """The process of the cameras."""

    def __init__(self, images: Path, rate_hz: float, count: int, topics: Sequence[str]) -> None:
        """Start sending; see fer_ros.nodes.bench_sender for the arguments."""
        arguments = [str(images), str(rate_hz), str(count), *topics]
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'fer_ros.nodes.bench_sender', *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )

    def running(self) -> bool:
        """Return whether there is more to come."""
        return self._process.poll() is None

    def stop(self) -> int:
        """End it if need be; return how many images went, on all topics."""
        if self.running():
            self._process.send_signal(signal.SIGINT)
        output = self._process.communicate(timeout=10)[0].split()
        return int(output[-1]) if output else 0


@contextmanager
def observing(folder: Path, cameras: int = 1) -> Iterator[Observer]:
    """Bring ROS up on this computer only, and listen; whatever was started ends afterwards."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    prepare_middleware()
    rclpy.init(args=[])
    try:
        with ExitStack() as stack:
            yield Observer(folder, stack, cameras)
    finally:
        rclpy.try_shutdown()


def measure_stream(
    images: Path,
    rate_hz: float,
    seconds: float,
    folder: Path,
    cameras: int = 1,
) -> dict[str, Any]:
    """Send images at a steady rate to emotion nodes and take the results.

    Args:
        images: a scene; see fer_ros.measuring.scenes.
        rate_hz: of each camera.
        seconds: how long.
        folder: for logs.
        cameras: each has a node of its own, all in one process.

    Returns:
        ``latencies_ms`` (all cameras), ``frames`` and ``cameras`` (counts of all and of each),
        ``cpu_cores``, ``resident_mb`` (of all nodes) and ``heavy_libraries``.

    Raises:
        SourceError: a process does not start, fails, or does not end.
    """
    with observing(folder, cameras) as observer:
        process = observer.start_emotion_nodes()
        count = round(seconds * rate_hz)
        sender = observer.send(images, rate_hz, count)
        observer.until(lambda: any(c.results for c in observer.cameras), 'the first result')
        before = Usage.of(process.pid)
        observer.wait(seconds - 0.5)
        after = Usage.of(process.pid)
        observer.until(lambda: not sender.running(), 'the end of the stream')
        observer.settle()
        counts = [
            {
                'sent': count,
                'received': camera.counts['received'],
                'dropped': camera.counts['dropped'],
                'answered': len(camera.results),
                'processed': camera.counts['processed'],
            }
            for camera in observer.cameras
        ]
        return {
            'latencies_ms': [ms for camera in observer.cameras for ms in camera.latencies_ms],
            'frames': {name: sum(camera[name] for camera in counts) for name in counts[0]},
            'cameras': counts,
            'cpu_cores': round(after.cores_since(before), 3),
            'resident_mb': round(after.rss_mb, 1),
            'heavy_libraries': _heavy(process.pid),
        }


def _heavy(pid: int) -> list[str]:
    loaded = [region.path for region in psutil.Process(pid).memory_maps()]
    return [name for name in HEAVY_LIBRARIES if any(name in path for path in loaded)]


def measure_dds(images: Path, rate_hz: float, seconds: float, folder: Path) -> dict[str, Any]:
    """Send images to this process without anybody working on them: what DDS alone costs.

    Args and Raises: see measure_stream. Returns ``latencies_ms`` and ``sent``.
    """
    with observing(folder) as observer:
        latencies_ms: list[float] = []

        def on_image(message: Image) -> None:
            latencies_ms.append(1e3 * (time.time() - stamp_seconds(message.header)))

        topic = f'{observer.cameras[0].namespace}/image_raw'
        observer.node.create_subscription(Image, topic, on_image, qos_profile_sensor_data)
        sender = observer.send(images, rate_hz, round(seconds * rate_hz))
        observer.until(lambda: not sender.running(), 'the stream', seconds + TIMEOUT_S)
        return {'latencies_ms': latencies_ms, 'sent': sender.stop()}


def measure_start(images: Path, folder: Path) -> float:
    """Return the seconds from starting emotion_node's process to receiving its first result.

    A camera waits for it, sending at 30 Hz as soon as it listens.

    Args and Raises: see measure_stream.
    """
    with observing(folder) as observer:
        (camera,) = observer.cameras
        observer.send(images, 30.0)
        topic = f'{camera.namespace}/image_raw'
        observer.until(lambda: observer.node.count_publishers(topic), 'the start of the camera')
        start_s = time.monotonic()
        observer.start_emotion_nodes()
        observer.until(lambda: camera.results, 'the first result')
        return camera.results[0].at_s - start_s
