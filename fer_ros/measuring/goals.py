# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What was wanted, what was found, and whether that is enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

MAX_SHARE_SPREAD = 0.1
"""Cameras are thinned evenly if the shares of their images that are answered differ by less."""


@dataclass(frozen=True)
class Goal:
    """One line of the list.

    Attributes:
        goal: what is measured.
        wanted: in words, with the limit.
        found: the figure, in words.
        reached: whether it is within the limit.
    """

    goal: str
    wanted: str
    found: str
    reached: bool


def _least(goal: str, value: float, limit: float, unit: str = 'x') -> Goal:
    return Goal(goal, f'>= {limit:g}{unit}', f'{value:.1f}{unit}', value >= limit)


def _most(goal: str, value: float, limit: float, unit: str, digits: int = 1) -> Goal:
    return Goal(goal, f'<= {limit:.{digits}f}{unit}', f'{value:.{digits}f}{unit}', value <= limit)


def cost_of_a_face_ms(milliseconds: dict[str, float]) -> float:
    """Return what one more face costs: the slope of a line through {faces: milliseconds}."""
    counts = [int(faces) for faces in milliseconds]
    return float(np.polyfit(counts, list(milliseconds.values()), 1)[0])


def check_goals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the goals that a run's figures speak of; see fer_ros.commands.bench for the keys."""
    goals = [
        _least(f'frames a second against {name}', result['ratios'][name], limit)
        for name, limit in (
            ('fer Haar, 1 face', 10),
            ('fer MTCNN, 1 face', 30),
            ('seed recipe, 1 face', 10),
            ('fer Haar, 8 faces', 15),
        )
        if name in result['ratios']
    ]
    milliseconds = {
        system: {faces: 1e3 / fps for faces, fps in by_faces.items()}
        for system, by_faces in result['frames_per_second'].items()
    }
    kernels = result['ratios']['library over its kernels, 1 face']
    goals.append(_most('library call against detector and classifier alone', kernels, 1.25, 'x', 2))
    if len(milliseconds['fer_ros']) > 1:
        further = cost_of_a_face_ms(milliseconds['fer_ros'])
        alone = cost_of_a_face_ms(milliseconds['classifier alone'])
        goals.append(
            _most("a further face against the classifier's own", further / alone, 1.2, 'x', 2)
        )
    if 'latency_ms' in result:
        goals += _stream_goals(result, milliseconds['fer_ros']['1'])
    cameras = result.get('cameras', {}).get('4')
    if cameras:
        goals.append(_four_cameras(cameras))
    return [asdict(goal) for goal in goals]


def _stream_goals(result: dict[str, Any], library_ms: float) -> list[Goal]:
    latency, frames = result['latency_ms'], result['frames']
    lost = frames['sent'] - frames['answered']
    return [
        _most('latency over DDS at 30 Hz, median', latency['median'], library_ms + 8, ' ms'),
        _most('latency over DDS at 30 Hz, 99th percentile', latency['p99'], 33, ' ms'),
        Goal('frames lost or dropped at 30 Hz', '0', f'{lost} of {frames["sent"]}', lost == 0),
        _most('processor of the node at 30 Hz, one face', result['cpu_cores'], 0.5, ' cores', 2),
        _most('process start to first answer', result['start_s'], 2, ' s', 2),
        _most('resident memory of the node', result['resident_mb'], 300, ' MB', 0),
        Goal(
            'TensorFlow is not loaded by the node',
            'none',
            ', '.join(result['heavy_libraries']) or 'none',
            not result['heavy_libraries'],
        ),
    ]


def _four_cameras(cameras: list[dict[str, int]]) -> Goal:
    shares = [camera['answered'] / camera['sent'] for camera in cameras]
    honest = all(
        camera['sent'] == camera['received'] == camera['answered'] + camera['dropped']
        for camera in cameras
    )
    found = f'{min(shares):.0%} to {max(shares):.0%} of each answered, counts ' + (
        'add up' if honest else 'do not add up'
    )
    even = max(shares) - min(shares) <= MAX_SHARE_SPREAD
    return Goal('four cameras at 15 Hz', 'all or evenly, honest counts', found, even and honest)
