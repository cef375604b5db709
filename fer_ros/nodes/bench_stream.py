# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras in one process -> DDS -> emotion nodes in another -> DDS -> this process, measured."""

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

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_msgs.msg import EmotionArray
from fer_ros.errors import SourceError
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.demo import NodeProcess
from fer_ros.nodes.middleware import prepare_middleware

TIMEOUT_S = 60.0
LAST_ANSWERS_S = 2.0
COUNTS = ('received', 'processed', 'dropped', 'bad')
HEAVY_LIBRARIES = ('tensorflow', 'libtorch', 'jaxlib')


@dataclass
class Camera:
    """What one camera's images became.

    Attributes:
        sent: images that went.
        latencies_ms: from the stamp to the receipt of the answer, one for each that came.
        counts: what the node says of itself in /diagnostics: COUNTS.
    """

    sent: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Stream:
    """What a stream's images became, and what the node needed for them.

    Attributes:
        cameras: one or several.
        faces: mean number of faces in the answers.
        cpu_cores: processor time of the node's process over the time the images came.
        resident_mb: its memory at the end, shared memory included.
        heavy_libraries: those of HEAVY_LIBRARIES that it has loaded.
    """

    cameras: list[Camera]
    faces: float
    cpu_cores: float
    resident_mb: float
    heavy_libraries: list[str]


@contextmanager
def listening() -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """Set ROS up for this process, on this computer only, and give a node and its executor."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    prepare_middleware()
    rclpy.init(args=[])
    node = rclpy.create_node('bench', namespace=f'bench_{os.getpid()}')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


class _Sender:
    """The process with the cameras."""

    def __init__(self, images: Path, rate_hz: float, count: int, topics: Sequence[str]) -> None:
        arguments = [str(images), str(rate_hz), str(count), *topics]
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'fer_ros.nodes.bench_sender', *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Return how many images went, on all topics."""
        if self.running():
            self._process.send_signal(signal.SIGINT)
        output = self._process.communicate(timeout=10)[0].split()
        return int(output[-1]) if output else 0


def _spin_while(
    executor: SingleThreadedExecutor, condition: Callable[[], bool], seconds: float, what: str
) -> None:
    end_s = time.monotonic() + seconds
    while condition():
        if time.monotonic() > end_s:
            raise SourceError(f'{what} took longer than {seconds:g} s')
        executor.spin_once(timeout_sec=0.05)


def _start_nodes(namespaces: Sequence[str], log: Path) -> NodeProcess:
    image = ('-r', 'image:=image_raw')
    if len(namespaces) == 1:
        return NodeProcess('emotion_node', log, '-r', f'__ns:={namespaces[0]}', *image)
    return NodeProcess('multi_emotion_node', log, *image, '--', *namespaces)


def measure_stream(
    images: Path, rate_hz: float, seconds: float, cameras: int, folder: Path
) -> Stream:
    """Send images at a steady rate and take the answers.

    Args:
        images: a scene; see fer_ros.measuring.scenes.
        rate_hz: of each camera.
        seconds: how long.
        cameras: each has a node of its own, all in one process.
        folder: for logs.

    Raises:
        SourceError: a process does not start, fails, or does not end.
    """
    with listening() as (node, executor), ExitStack() as stack:
        namespaces = [f'{node.get_namespace()}/camera_{number}' for number in range(cameras)]
        found = {name: Camera() for name in namespaces}
        faces: list[int] = []

        def on_emotions(camera: Camera, message: EmotionArray) -> None:
            camera.latencies_ms.append(1e3 * (time.time() - stamp_seconds(message.header)))
            faces.append(len(message.emotions))

        def on_diagnostics(message: DiagnosticArray) -> None:
            status = message.status[0]
            namespace = status.name.split('/emotion_node')[0]
            if namespace in found:
                values = {value.key: value.value for value in status.values}
                found[namespace].counts = {n: int(values[f'{n} frames']) for n in COUNTS}

        for name, camera in found.items():
            node.create_subscription(
                EmotionArray, f'{name}/emotions', partial(on_emotions, camera), 100
            )
        node.create_subscription(DiagnosticArray, '/diagnostics', on_diagnostics, 10)
        emotion_nodes = _start_nodes(namespaces, folder / 'nodes.log')
        stack.callback(emotion_nodes.stop)
        topics = [f'{name}/image_raw' for name in namespaces]
        _spin_while(
            executor,
            lambda: emotion_nodes.running() and not all(map(node.count_subscribers, topics)),
            TIMEOUT_S,
            'starting the nodes',
        )
        count = round(seconds * rate_hz)
        sender = _Sender(images, rate_hz, count, topics)
        stack.callback(sender.stop)
        _spin_while(executor, lambda: sender.running() and not faces, TIMEOUT_S, 'the first answer')
        usage = _Usage(emotion_nodes.pid)
        end_s = time.monotonic() + seconds - 0.5
        _spin_while(
            executor,
            lambda: emotion_nodes.running() and time.monotonic() < end_s,
            seconds + TIMEOUT_S,
            'the stream',
        )
        cpu_cores, resident_mb = usage.cores(), usage.resident_mb()
        _spin_while(executor, sender.running, TIMEOUT_S, 'the end of the stream')
        settled_s = time.monotonic() + LAST_ANSWERS_S
        _spin_while(executor, lambda: time.monotonic() < settled_s, TIMEOUT_S, 'settling')
        for camera in found.values():
            camera.sent = sender.stop() // cameras if camera is found[namespaces[0]] else count
        return Stream(
            cameras=list(found.values()),
            faces=sum(faces) / max(1, len(faces)),
            cpu_cores=cpu_cores,
            resident_mb=resident_mb,
            heavy_libraries=usage.heavy_libraries(),
        )


def measure_dds(images: Path, rate_hz: float, seconds: float) -> Camera:
    """Send images to this process without anybody working on them: what DDS alone costs.

    Args and Raises: see measure_stream.
    """
    with listening() as (node, executor), ExitStack() as stack:
        camera, topic = Camera(), f'{node.get_namespace()}/image_raw'

        def on_image(message: Image) -> None:
            camera.latencies_ms.append(1e3 * (time.time() - stamp_seconds(message.header)))

        node.create_subscription(Image, topic, on_image, qos_profile_sensor_data)
        sender = _Sender(images, rate_hz, round(seconds * rate_hz), [topic])
        stack.callback(sender.stop)
        _spin_while(executor, sender.running, seconds + TIMEOUT_S, 'the stream')
        camera.sent = sender.stop()
        return camera


def measure_start(images: Path, folder: Path) -> float:
    """Return the seconds from starting emotion_node's process to receiving its first answer.

    A camera waits for it, sending at 30 Hz as soon as it listens.

    Args and Raises: see measure_stream.
    """
    with listening() as (node, executor), ExitStack() as stack:
        namespace = f'{node.get_namespace()}/camera_0'
        topic, answers_s = f'{namespace}/image_raw', []
        node.create_subscription(
            EmotionArray,
            f'{namespace}/emotions',
            lambda message: answers_s.append(time.monotonic()),
            10,
        )
        sender = _Sender(images, 30.0, 0, [topic])
        stack.callback(sender.stop)
        _spin_while(
            executor, lambda: not node.count_publishers(topic), TIMEOUT_S, 'starting the camera'
        )
        start_s = time.monotonic()
        emotion_node = _start_nodes([namespace], folder / 'start.log')
        stack.callback(emotion_node.stop)
        _spin_while(
            executor,
            lambda: emotion_node.running() and not answers_s,
            TIMEOUT_S,
            'starting the node',
        )
        return float(answers_s[0] - start_s)


class _Usage:
    """What a process takes, from /proc."""

    def __init__(self, pid: int) -> None:
        self._folder = Path('/proc') / str(pid)
        self._start = self._ticks_and_time()

    def _ticks_and_time(self) -> tuple[int, float]:
        fields = (self._folder / 'stat').read_text().rpartition(')')[2].split()
        return int(fields[11]) + int(fields[12]), time.monotonic()

    def cores(self) -> float:
        """Return the processor time since this was made over the time that has passed."""
        ticks, now_s = self._ticks_and_time()
        return (ticks - self._start[0]) / os.sysconf('SC_CLK_TCK') / (now_s - self._start[1])

    def resident_mb(self) -> float:
        status = (self._folder / 'status').read_text()
        kilobytes = status.split('VmRSS:')[1].split()[0]
        return int(kilobytes) / 1024

    def heavy_libraries(self) -> list[str]:
        maps = (self._folder / 'maps').read_text()
        return [name for name in HEAVY_LIBRARIES if name in maps]


def summarise(stream: Stream) -> dict[str, Any]:
    """Return a stream's counts of all cameras together and of each."""
    cameras = [
        {
            'sent': camera.sent,
            'received': camera.counts.get('received', 0),
            'dropped': camera.counts.get('dropped', 0),
            'answered': len(camera.latencies_ms),
        }
        for camera in stream.cameras
    ]
    return {
        'frames': {name: sum(camera[name] for camera in cameras) for name in cameras[0]},
        'cameras': cameras,
    }
