# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics says of a running node: numbers, and what keeps it from its work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.topic_endpoint_info import TopicEndpointInfo

from fer_ros.errors import shorten
from fer_ros.nodes.middleware import LOST_LISTENER, has_stale_shm
from fer_ros.types import UInt8Array

WINDOW = 300
"""Latencies are those of the last so many frames."""

RECENT_S = 5.0
"""Rates and warnings are of the last so many seconds."""

SILENCE_S = 2.0
STALE_S = 1.0
AHEAD_S = 0.1
"""A stamp may lie this far in the future before two clocks are said to disagree."""

BEHIND_SHARE = 0.8
BRIGHTNESS_STEP_PX = 16
MAX_MESSAGE = 1000


def _window() -> deque[float]:
    return deque(maxlen=WINDOW)


@dataclass
class FrameStatistics:
    """Counts since activation, and the latest latencies.

    The working thread and the middleware's thread each write their own fields. Times are those of
    time.monotonic().
    """

    since_s: float = field(default_factory=time.monotonic)
    received: int = 0
    dropped: int = 0
    bad: int = 0
    processed: int = 0
    unstamped: int = 0
    faces: int = 0
    brightness: float = 255.0
    scaling: str = ''
    last_problem: str = ''
    last_problem_s: float = -np.inf
    arrivals_s: deque[float] = field(default_factory=_window)
    results_s: deque[float] = field(default_factory=_window)
    latencies_ms: deque[float] = field(default_factory=_window)
    timings_ms: dict[str, deque[float]] = field(default_factory=dict)

    def arrived(self) -> None:
        """Count an image that came in."""
        self.received += 1
        self.arrivals_s.append(time.monotonic())

    def published(self, latency_ms: float | None, faces: int, timings_ms: dict[str, float]) -> None:
        """Count an image whose result was published; without a stamp it has no latency."""
        self.processed += 1
        self.faces = faces
        for stage, milliseconds in timings_ms.items():
            self.timings_ms.setdefault(stage, _window()).append(milliseconds)
        self.results_s.append(time.monotonic())
        if latency_ms is None:
            self.unstamped += 1
        else:
            self.latencies_ms.append(latency_ms)

    def was_scaled(self, how: str) -> None:
        """Note how values of more than 8 bits became 8."""
        self.scaling = how

    def failed(self, problem: str) -> None:
        """Count an image that could not be read."""
        self.bad += 1
        self.last_problem, self.last_problem_s = shorten(problem), time.monotonic()

    def warnings(self, min_brightness: float) -> list[str]:
        """Return what is wrong with the images and results at the moment.

        Args:
            min_brightness: mean grey level (0 to 255) below which a picture is dark.
        """
        found = []
        if time.monotonic() - self.last_problem_s < RECENT_S:
            found.append(f'bad images: {self.last_problem}')
        if self.unstamped:
            found.append('images without a stamp: their time of arrival is used')
        latency_s = median(list(self.latencies_ms)[-30:] or [0.0]) / 1e3
        if latency_s > STALE_S:
            found.append(f'images are {latency_s:.1f} s old (a queue before us, or two clocks?)')
        elif latency_s < -AHEAD_S:
            found.append(f'stamps lie {-latency_s:.1f} s in the future (do two clocks disagree?)')
        incoming, outgoing = rate_hz(self.arrivals_s), rate_hz(self.results_s)
        if self.results_s and outgoing < BEHIND_SHARE * incoming:
            found.append(
                f'falling behind: {outgoing:.1f} of {incoming:.1f} frames per second are '
                'processed, the others dropped'
            )
        if self.processed and self.brightness < min_brightness:
            found.append(f'it is dark: mean brightness {self.brightness:.0f} of 255')
        return found

    def values(self) -> dict[str, str]:
        """Return counts, rates and latencies under the names that /diagnostics gives them."""
        values = {
            'input rate (Hz)': f'{rate_hz(self.arrivals_s):.1f}',
            'processed rate (Hz)': f'{rate_hz(self.results_s):.1f}',
            'received frames': str(self.received),
            'processed frames': str(self.processed),
            'dropped frames': str(self.dropped),
            'bad frames': str(self.bad),
            'faces': str(self.faces),
            'brightness': f'{self.brightness:.0f}',
        }
        if self.scaling:
            values['scaling'] = self.scaling
        if self.last_problem:
            values['last bad frame'] = self.last_problem
        latencies = list(self.latencies_ms)
        if latencies:
            for quantile, label in ((50, 'median'), (95, '95th'), (99, '99th')):
                values[f'latency {label} (ms)'] = f'{np.percentile(latencies, quantile):.1f}'
        for stage, milliseconds in list(self.timings_ms.items()):
            values[f'{stage} (ms)'] = f'{median(list(milliseconds)):.1f}'
        return values

    def silent_s(self) -> float:
        """Return for how many seconds no image has come."""
        last_s = self.arrivals_s[-1] if self.arrivals_s else self.since_s
        return time.monotonic() - last_s


def brightness(image: UInt8Array) -> float:
    """Return the mean grey level of a picture, 0 to 255, from a grid of its pixels."""
    return float(image[::BRIGHTNESS_STEP_PX, ::BRIGHTNESS_STEP_PX].mean())


def rate_hz(times_s: Iterable[float]) -> float:
    """Return events per second over the last seconds of a series that may have stopped."""
    now = time.monotonic()
    recent = [t for t in list(times_s) if now - t < RECENT_S]
    return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


def explain_silence(node: Node, topic: str, kind: str, seconds: float) -> str:
    """Return why no image may come: who publishes, with which type and QoS.

    Args:
        node: asks the graph.
        topic: full name of the topic subscribed to.
        kind: its type, such as sensor_msgs/msg/Image.
        seconds: for how long nothing has come.
    """
    publishers = node.get_publishers_info_by_topic(topic)
    if publishers:
        found = '; '.join(
            f'{_name(info)} sends {info.topic_type} '
            f'({info.qos_profile.reliability.name.lower()}, '
            f'{info.qos_profile.durability.name.lower()})'
            for info in publishers
        )
        wrong = {info.topic_type for info in publishers} - {kind}
        advice = f'; {kind} is expected (see image_transport)' if wrong else ''
        return f'no images on {topic} for {seconds:.0f} s, though {found}{advice}'
    elsewhere = [name for name, kinds in node.get_topic_names_and_types() if kind in kinds]
    others = [name for name in elsewhere if name != topic and not name.endswith('image_annotated')]
    advice = f'; there are images on {", ".join(others)}' if others else ''
    return f'no images: nobody publishes {topic} (remap it: -r image:=/camera/image_raw){advice}'


def duplicate_name_warning(node: Node) -> str:
    """Return a warning if another node has *node*'s name, an empty string if none has."""
    name = (node.get_name(), node.get_namespace())
    if node.get_node_names_and_namespaces().count(name) < 2:
        return ''
    return (
        f'another node is called {node.get_fully_qualified_name()}: each processes every image and '
        'services ask either (rename one: -r __node:=NAME; one that was killed is forgotten soon)'
    )


def lost_listener_warning() -> str:
    """Return a warning if this process still sends to one that was killed, else ''."""
    return LOST_LISTENER if has_stale_shm() else ''


def _name(publisher: TopicEndpointInfo) -> str:
    """Return who publishes; its name becomes known somewhat later than its topics."""
    if publisher.node_name.startswith('_NODE_NAME_UNKNOWN'):
        return 'a node'
    return f'{publisher.node_namespace.rstrip("/")}/{publisher.node_name}'


def to_status(
    name: str, state: str, warnings: list[str], values: dict[str, str]
) -> DiagnosticStatus:
    """Return a node's state as a message.

    Args:
        name: of the node, and what the entry is about.
        state: in a word.
        warnings: what is wrong; empty if nothing is.
        values: by their keys.
    """
    return DiagnosticStatus(
        level=DiagnosticStatus.WARN if warnings else DiagnosticStatus.OK,
        name=name,
        message=shorten('; '.join(warnings), MAX_MESSAGE) or state,
        hardware_id='',
        values=[KeyValue(key=key, value=shorten(value)) for key, value in values.items()],
    )
