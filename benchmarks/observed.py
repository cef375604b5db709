# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in processes of their own, what they hold and what comes of them: soak and overload."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo

from fer_msgs.msg import EmotionArray
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.demo import NodeProcess
from fer_ros.nodes.middleware import prepare_middleware

START_TIMEOUT_S = 60.0
LAST_ANSWERS_S = 10.0


@dataclass(frozen=True)
class Holdings:
    """What a process holds at a time.

    Attributes:
        at_s: seconds since the observation began.
        rss_mb: resident memory.
        files: open file handles.
        threads: number of threads.
        cpu_s: processor time used so far.
    """

    at_s: float
    rss_mb: float
    files: int
    threads: int
    cpu_s: float


def holdings(pid: int, at_s: float) -> Holdings:
    """Return what process *pid* holds now."""
    folder = Path('/proc') / str(pid)
    fields = (folder / 'stat').read_text().rpartition(')')[2].split()
    return Holdings(
        at_s,
        int((folder / 'statm').read_text().split()[1]) * os.sysconf('SC_PAGESIZE') / 1e6,
        len(list((folder / 'fd').iterdir())),
        int(fields[17]),
        (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'),
    )


@dataclass(frozen=True)
class Answer:
    """One message of emotions.

    Attributes:
        at_s: time.monotonic() when it came.
        latency_ms: from the image's stamp to its coming here.
        track_ids: of the people in it.
    """

    at_s: float
    latency_ms: float
    track_ids: tuple[int, ...]


class Watch:
    """Starts nodes, listens to them, and waits for what is expected."""

    def __init__(self, folder: Path, stack: ExitStack, arguments: tuple[str, ...]) -> None:
        """Begin; nodes are ended by *stack* and write their logs to *folder*.

        Args:
            folder: for logs.
            stack: ends what was started.
            arguments: that every node gets, such as a namespace.
        """
        self._folder, self._stack, self._arguments = folder, stack, arguments
        self.node = rclpy.create_node('watch')
        stack.callback(self.node.destroy_node)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        stack.callback(self._executor.shutdown)
        self.answers: list[Answer] = []
        self.sent = 0
        self.diagnostics: dict[str, str] = {}
        reports = 0

        def on_diagnostics(message: DiagnosticArray) -> None:
            nonlocal reports
            reports += 1
            self.diagnostics = {v.key: v.value for v in message.status[0].values}
            self.diagnostics['reports'] = str(reports)

        deep = QoSProfile(depth=500, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.node.create_subscription(EmotionArray, 'emotions', self._on_emotions, 500)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', on_diagnostics, 10)
        self.node.create_subscription(CameraInfo, 'camera_info', self._on_camera_info, deep)

    def _on_emotions(self, message: EmotionArray) -> None:
        latency_ms = 1e3 * (time.time() - stamp_seconds(message.header))
        ids = tuple(emotion.track_id for emotion in message.emotions)
        self.answers.append(Answer(time.monotonic(), latency_ms, ids))

    def _on_camera_info(self, _: CameraInfo) -> None:
        self.sent += 1

    def start(self, name: str, *arguments: str) -> NodeProcess:
        """Start a node of this package."""
        process = NodeProcess(name, self._folder / f'{name}.log', *self._arguments, *arguments)
        self._stack.callback(process.stop)
        return process

    def run(self, command: list[str], name: str) -> subprocess.Popen[bytes]:
        """Start another program; its log is called *name*."""
        with (self._folder / f'{name}.log').open('wb') as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self._stack.callback(self.stop, process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Interrupt a program and wait for its end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def spin(self, seconds: float) -> None:
        """Take messages for some time, or until there are none for a moment."""
        self._executor.spin_once(timeout_sec=seconds)

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = 0.0) -> None:
        """Take messages until *condition* holds; TimeoutError names *what* if it does not."""
        end_s = time.monotonic() + (timeout_s or START_TIMEOUT_S)
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError(f'waited in vain for {what}; see the logs in {self._folder}')
            self.spin(0.05)

    def settle(self) -> dict[str, int]:
        """Wait until every image the node received is answered or counted; return the counts."""

        def counts() -> dict[str, int]:
            names = ('received', 'processed', 'dropped', 'bad')
            return {name: int(self.diagnostics.get(f'{name} frames', 0)) for name in names}

        def settled() -> bool:
            now = counts()
            return now['received'] == now['processed'] + now['dropped'] + now['bad']

        before = int(self.diagnostics.get('reports', 0))
        self.until(lambda: int(self.diagnostics.get('reports', 0)) > before + 1, 'diagnostics')
        self.until(settled, f'all images to be accounted for: {counts()}', LAST_ANSWERS_S)
        last = counts()
        self.until(lambda: len(self.answers) >= last['processed'], 'answers', LAST_ANSWERS_S)
        return last


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watch]:
    """Bring ROS up and watch; everything that was started is ended afterwards."""
    prepare_middleware()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    rclpy.init(args=[])
    try:
        with ExitStack() as stack:
            yield Watch(folder, stack, arguments)
    finally:
        rclpy.try_shutdown()


def slope_per_minute(times_s: list[float], values: list[float]) -> float:
    """Return the slope of the least-squares line, a minute; 0 for fewer than three values."""
    if len(times_s) < 3:
        return 0.0
    return float(np.polyfit(np.array(times_s) / 60, values, 1)[0])


def percentiles(values: list[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum."""
    if not values:
        return {}
    found = np.percentile(values, (50, 99, 100))
    return {name: round(float(v), 1) for name, v in zip(('median', 'p99', 'max'), found)}
