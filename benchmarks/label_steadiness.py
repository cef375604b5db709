# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady labels are, and how soon a new one is taken.

usage: python benchmarks/label_steadiness.py [CLIP…]
For each clip: changes of label, how long the shortest lasts, and the labels of each person. Then
synthetic steps from one class to another, at several frame rates and moments: how long it takes
until the new label is published.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import numpy as np

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.images.sources import VideoSource
from fer_ros.people.smoothing import EmotionSmoother

LABELS = ('neutral', 'happy', 'sad', 'angry', 'surprise', 'fear', 'disgust', 'contempt')
THRESHOLD = 0.5
STEP_AT_S = (0.4, 0.5, 1.0, 2.0)
RATES_HZ = (10, 15, 30, 60)
STRENGTHS = (0.7, 0.8, 0.9, 1.0)


def lasting(labels: list[tuple[float, str]]) -> list[tuple[str, float]]:
    """Return (label, seconds until the next one) of one person's (stamp, label) sequence."""
    starts = [next(group) for _, group in groupby(labels, key=lambda item: item[1])]
    ends = [stamp_s for stamp_s, _ in starts[1:]] + [labels[-1][0]]
    return [(label, end_s - start_s) for (start_s, label), end_s in zip(starts, ends)]


def of_clip(path: Path) -> dict[int, list[tuple[float, str]]]:
    """Return for each person of a video the (stamp, label) of every frame they are in."""
    pipeline = EmotionPipeline()
    found: dict[int, list[tuple[float, str]]] = {}
    for stamp_s, image in VideoSource(path):
        for face in pipeline.process(image, stamp_s).faces:
            found.setdefault(face.track_id, []).append((stamp_s, face.label))
    return found


def reaction_s(rate_hz: float, step_at_s: float, strength: float) -> float:
    """Return the seconds from a step between two classes until the new label is published."""
    smoother, frames = EmotionSmoother(PipelineConfig().smoothing), round(step_at_s * rate_hz)
    rest = (1 - strength) / (len(LABELS) - 1)
    for number in range(frames + round(5 * rate_hz)):
        raw = np.full(len(LABELS), rest, np.float32)
        raw[int(number >= frames)] = strength
        smoothed = smoother.update(1, number / rate_hz, raw)
        label = smoother.label(1, number / rate_hz, smoothed, LABELS, THRESHOLD)
        if number >= frames and label == LABELS[1]:
            return (number - frames) / rate_hz
    return float('inf')


def main() -> None:
    """Print both."""
    for path in map(Path, sys.argv[1:]):
        for track_id, labels in of_clip(path).items():
            parts = lasting(labels)
            # The last one is cut short by the end of the clip.
            shortest_s = min((seconds for _, seconds in parts[:-1]), default=parts[-1][1])
            print(f'{path.name}, person {track_id}: {len(parts) - 1} changes in', end=' ')
            print(f'{sum(seconds for _, seconds in parts):.1f} s, shortest {shortest_s:.2f} s')
            print('  ' + ', '.join(f'{label} {seconds:.2f}' for label, seconds in parts))
    print(f'reaction to a step, longest of {len(STEP_AT_S)} moments (s)')
    print('| frames per second | ' + ' | '.join(f'to p = {p}' for p in STRENGTHS) + ' |')
    print('| --- ' * (1 + len(STRENGTHS)) + '|')
    for rate_hz in RATES_HZ:
        worst = [max(reaction_s(rate_hz, at, p) for at in STEP_AT_S) for p in STRENGTHS]
        print(f'| {rate_hz} | ' + ' | '.join(f'{seconds:.2f}' for seconds in worst) + ' |')


if __name__ == '__main__':
    main()
