# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Does an id stay with its person: crossings, meetings, cuts, absences, with looks and without.

usage: python benchmarks/identities.py [CLIP…]
Heads of the demo's two people, and of the first person of each clip, are put into a picture and
moved: every pair through every situation. Prints how many pairs came through each with no id that
passed from one person to the other, and with one id for each person. Then, for each clip as it is,
the share of frames with a face and the ids, followed in crops and searched always.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path

import cv2
import numpy as np

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import replace
from fer_ros.images.demo import demo_photos
from fer_ros.images.sources import VideoSource
from fer_ros.measuring.report import table
from fer_ros.types import UInt8Array

RATE_HZ = 15.0
HEAD_PX, SHAPE_HW = 170, (360, 640)
LEFT, MIDDLE, RIGHT = 120.0, 320.0, 520.0
APART = 75.0
"""People who pass one another are so many pixels apart in height: one is taller."""
Places = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Person:
    """Somebody's head over time, uint8 (HEAD_PX, HEAD_PX, 3) BGR each."""

    name: str
    heads: list[UInt8Array]


def cross(s: float) -> Places:
    """Walk past one another at an even pace."""
    x = LEFT + (RIGHT - LEFT) * s
    return {0: (x, 130.0), 1: (LEFT + RIGHT - x, 130.0 + APART)}


def turn_back(s: float) -> Places:
    """Meet until they overlap by half, and go back."""
    x = LEFT + (MIDDLE - LEFT - 25) * (1 - abs(2 * s - 1))
    return {0: (x, 150.0), 1: (LEFT + RIGHT - x, 150.0 + APART / 2)}


def cut(s: float) -> Places:
    """The view jumps from one to the other at the same place, and back."""
    return {int(0.4 < s < 0.6): (MIDDLE, 180.0)}


def replaced(s: float) -> Places:
    """One leaves; soon after the other stands there."""
    return {} if 0.4 < s < 0.6 else {int(s > 0.5): (MIDDLE, 180.0)}


def away(s: float) -> Places:
    """Both turn away for most of a second; they return somewhat elsewhere."""
    if 0.4 < s < 0.6:
        return {}
    return {0: (LEFT + 90 * (s > 0.5), 180.0), 1: (RIGHT - 90 * (s > 0.5), 180.0)}


SITUATIONS: dict[str, Callable[[float], Places]] = {
    'cross': cross,
    'meet and turn back': turn_back,
    'cut to another and back': cut,
    'replaced after 0.8 s': replaced,
    'both away for 0.8 s': away,
}
DURATION_S = 4.0


def people(clips: list[Path]) -> Iterator[Person]:
    """Yield the demo's people, swaying a little, and the first person of each clip."""
    for name, photo, (x, y, side) in zip(
        ('astronaut', 'hopper'), demo_photos(), ((224, 120, 190), (262, 200, 260))
    ):
        heads = []
        for n in range(round(DURATION_S * RATE_HZ)):
            scale = HEAD_PX / side * (1 + 0.04 * np.sin(n / 7))
            matrix = cv2.getRotationMatrix2D((x, y), 5 * np.sin(n / 9), scale)
            matrix[:, 2] += np.array([HEAD_PX / 2 - x, HEAD_PX / 2 - y])
            heads.append(cv2.warpAffine(photo, matrix, (HEAD_PX, HEAD_PX)))
        yield Person(name, heads)
    for clip in clips:
        source, heads, pipeline = VideoSource(clip), [], EmotionPipeline()
        every = max(1, round(source.rate_hz / RATE_HZ))
        for stamp_s, image in islice(source, 0, None, every):
            faces = pipeline.process(image, stamp_s).faces
            if faces and len(heads) < DURATION_S * RATE_HZ:
                box = faces[0].box_xyxy
                wide, centre = 1.6 * float(box[3] - box[1]), (box[:2] + box[2:]) / 2
                matrix = np.column_stack([np.eye(2), wide / 2 - centre]) * HEAD_PX / wide
                heads.append(cv2.warpAffine(image, matrix, (HEAD_PX, HEAD_PX)))
        yield Person(clip.stem, heads)


def picture(pair: tuple[Person, Person], places: Places, number: int) -> UInt8Array:
    """Return an image with heads of *pair* at their places; the second one in front."""
    image = np.full((*SHAPE_HW, 3), (96, 88, 80), np.uint8)
    mask = np.zeros((HEAD_PX, HEAD_PX), np.float32)
    axes = (round(0.36 * HEAD_PX), round(0.47 * HEAD_PX))
    cv2.ellipse(mask, (HEAD_PX // 2, HEAD_PX // 2), axes, 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 4)[..., None]
    for who, (x, y) in sorted(places.items()):
        left, top = round(x - HEAD_PX / 2), round(y - HEAD_PX / 2)
        window = image[top : top + HEAD_PX, left : left + HEAD_PX]
        head = pair[who].heads[number % len(pair[who].heads)]
        window[:] = window + mask * (head.astype(np.float32) - window)
    return image


def owners(
    pair: tuple[Person, Person], situation: Callable[[float], Places], appearance: bool
) -> dict[int, set[int]]:
    """Return for each id the people who had it."""
    changes = {'tracking.appearance': appearance}
    pipeline = EmotionPipeline(replace(PipelineConfig(), changes))
    found: dict[int, set[int]] = {}
    frames = round(DURATION_S * RATE_HZ)
    for number in range(frames):
        places = situation(number / frames)
        frame = pipeline.process(picture(pair, places, number), number / RATE_HZ)
        for face in frame.faces:
            centre = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
            near = [who for who, place in places.items() if np.hypot(*(centre - place)) < 40]
            # Where the two cover one another nobody can say whose face it is.
            if len(near) == 1:
                found.setdefault(face.track_id, set()).add(near[0])
    return found


def main() -> None:
    """Print both tables."""
    clips = [Path(name) for name in sys.argv[1:]]
    pairs = list(combinations(people(clips), 2))
    rows = []
    for name, situation in SITUATIONS.items():
        cells = []
        for appearance in (False, True):
            found = [owners(pair, situation, appearance) for pair in pairs]
            kept = sum(all(len(who) == 1 for who in ids.values()) for ids in found)
            cells += [f'{kept} of {len(pairs)}', f'{sum(len(ids) == 2 for ids in found)}']
        rows.append((name, *cells))
    print(table(('situation', 'no id passes', 'two ids', 'with looks', 'two ids'), rows))
    rows = []
    for clip in clips:
        for period_ms in (0.0, PipelineConfig().detection.search_period_ms):
            changes = {'detection.search_period_ms': period_ms}
            pipeline = EmotionPipeline(replace(PipelineConfig(), changes))
            frames = [pipeline.process(image, stamp_s) for stamp_s, image in VideoSource(clip)]
            share = np.mean([bool(frame.faces) for frame in frames])
            ids = {face.track_id for frame in frames for face in frame.faces}
            rows.append((clip.stem, f'{period_ms:g} ms', f'{share:.3f}', f'{len(ids)}'))
    print(table(('clip', 'search every', 'frames with a face', 'ids'), rows))


if __name__ == '__main__':
    main()
