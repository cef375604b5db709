# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics says of a running node."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

WINDOW = 300
"""Latencies and rates are those of the last so many frames."""


@dataclass
class FrameStatistics:
    """Counts since activation, and the latest latencies.

    The working thread and the middleware's thread each write their own fields.
    """

    received: int = 0
    dropped: int = 0
    bad: int = 0
    processed: int = 0
    faces: int = 0
    last_problem: str = ''
    arrivals_s: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    answers_s: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    timings_ms: dict[str, float] = field(default_factory=dict)

    def arrived(self) -> None:
        """Count an image that came in."""
        self.received += 1
        self.arrivals_s.append(time.monotonic())

    def answered(self, latency_ms: float, faces: int, timings_ms: dict[str, float]) -> None:
        """Count an image that was answered."""
        self.processed += 1
        self.faces = faces
        self.timings_ms = timings_ms
        self.answers_s.append(time.monotonic())
        self.latencies_ms.append(latency_ms)

    def failed(self, problem: str) -> None:
        """Count an image that could not be read."""
        self.bad += 1
        self.last_problem = problem


def rate_hz(times_s: deque[float]) -> float:
    """Return events a second over the last seconds of a series that may have stopped."""
    now = time.monotonic()
    recent = [t for t in list(times_s) if now - t < 5.0]
    return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


def to_status(
    name: str, state: str, statistics: FrameStatistics, warning: str, extra: dict[str, str]
) -> DiagnosticStatus:
    """Return a node's state as a message.

    Args:
        name: of the node, with its namespace.
        state: lifecycle state.
        statistics: counts and latencies.
        warning: what is wrong, or empty.
        extra: further keys and values.
    """
    values = {
        'state': state,
        'input rate (Hz)': f'{rate_hz(statistics.arrivals_s):.1f}',
        'processed rate (Hz)': f'{rate_hz(statistics.answers_s):.1f}',
        'received frames': str(statistics.received),
        'processed frames': str(statistics.processed),
        'dropped frames': str(statistics.dropped),
        'bad frames': str(statistics.bad),
        'faces': str(statistics.faces),
    }
    if statistics.last_problem:
        values['last bad frame'] = statistics.last_problem
    latencies = list(statistics.latencies_ms)
    if latencies:
        for quantile, label in ((50, 'median'), (95, '95th'), (99, '99th')):
            values[f'latency {label} (ms)'] = f'{np.percentile(latencies, quantile):.1f}'
    for stage, milliseconds in statistics.timings_ms.items():
        values[f'{stage} (ms)'] = f'{milliseconds:.1f}'
    values.update(extra)
    return DiagnosticStatus(
        level=DiagnosticStatus.WARN if warning else DiagnosticStatus.OK,
        name=f'{name}: emotions',
        message=warning or state,
        hardware_id='',
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
