# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn around and over faces that are set into an image: people, hats, glasses, covers."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.types import UInt8Array


def draw_person(
    canvas: UInt8Array,
    centre_xy: tuple[float, float],
    size_px: float,
    angle_deg: float,
    rng: np.random.Generator,
) -> None:
    """Draw shoulders, a neck and hair or a hat where a face will be set."""
    x, y = centre_xy

    def ellipse(dx: float, dy: float, wide: float, high: float, colour: np.ndarray) -> None:
        centre = round(x + dx * size_px), round(y + dy * size_px)
        axes = max(1, round(wide * size_px)), max(1, round(high * size_px))
        cv2.ellipse(
            canvas, centre, axes, angle_deg, 0, 360, [int(c) for c in colour], -1, cv2.LINE_AA
        )

    if rng.random() < 0.7:
        ellipse(0, 1.35, rng.uniform(0.9, 1.3), rng.uniform(0.65, 0.9), rng.integers(0, 256, 3))
        neck = rng.uniform(40, 190) * np.array([0.6, 0.75, 1.0])
        ellipse(0, 0.6, rng.uniform(0.22, 0.32), rng.uniform(0.3, 0.45), neck)
    if rng.random() < 0.75:
        if rng.random() < 0.7:
            hair = rng.uniform(5, 120) * np.array([0.6, 0.8, 1.0]) * rng.uniform(0.6, 1.2)
        else:
            hair = rng.integers(0, 256, 3)
        ellipse(
            0,
            rng.uniform(-0.25, 0.0),
            rng.uniform(0.5, 0.68),
            rng.uniform(0.58, 0.75),
            np.clip(hair, 0, 255),
        )


def draw_sunglasses(canvas: UInt8Array, landmarks: np.ndarray, rng: np.random.Generator) -> None:
    """Draw two dark glasses and a bridge over the eyes."""
    eyes = landmarks[:2]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    slope = float(np.rad2deg(np.arctan2(*(eyes[1] - eyes[0])[::-1])))
    axes = max(1, round(rng.uniform(0.38, 0.5) * apart)), max(1, round(0.33 * apart))
    dark = [int(c) for c in rng.integers(0, 50, 3)]
    ends = [(round(float(x)), round(float(y))) for x, y in eyes]
    cv2.line(canvas, ends[0], ends[1], dark, max(1, round(0.08 * apart)), cv2.LINE_AA)
    for end in ends:
        cv2.ellipse(canvas, end, axes, slope, 0, 360, dark, -1, cv2.LINE_AA)


def draw_hat(canvas: UInt8Array, box: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a cap or helmet over the upper quarter of a face."""
    left, top = box[:2]
    width, height = box[2:] - box[:2]
    centre = round(left + width / 2), round(top + rng.uniform(0.12, 0.3) * height)
    axes = round(rng.uniform(0.55, 0.75) * width), round(rng.uniform(0.3, 0.6) * height)
    colour = [int(c) for c in rng.integers(0, 256, 3)]
    cv2.ellipse(canvas, centre, axes, 0, 180, 360, colour, -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        brim = round(rng.uniform(0.6, 1.0) * width), max(1, round(0.06 * height))
        darker = [int(0.7 * c) for c in colour]
        cv2.ellipse(canvas, centre, brim, 0, 0, 360, darker, -1, cv2.LINE_AA)


def cover(canvas: UInt8Array, box: np.ndarray, rng: np.random.Generator) -> None:
    """Cover a part of a face: mouth, one side, eyes or anything."""
    left, top = box[:2]
    width, height = box[2:] - box[:2]
    kind = rng.integers(6)
    if kind >= 4:
        draw_hat(canvas, box, rng)
        return
    if kind == 0:  # mask, scarf, microphone
        area = (
            left - 0.1 * width,
            top + rng.uniform(0.55, 0.75) * height,
            1.2 * width,
            0.6 * height,
        )
    elif kind == 1:  # another head, a pillar
        share = rng.uniform(0.2, 0.45) * width
        area = (left if rng.random() < 0.5 else left + width - share, top, share, 1.1 * height)
    elif kind == 2:  # sunglasses
        area = (left + 0.1 * width, top + 0.3 * height, 0.8 * width, 0.18 * height)
    else:  # hat, fringe
        area = (
            left - 0.1 * width,
            top - 0.1 * height,
            1.2 * width,
            rng.uniform(0.2, 0.38) * height,
        )
    x0, y0 = np.maximum(np.round(area[:2]).astype(int), 0)
    x1, y1 = np.round(np.add(area[:2], area[2:])).astype(int)
    part = canvas[y0 : max(y1, 0), x0 : max(x1, 0)]
    if not part.size:
        return
    if kind == 2:
        part[:] = (part * rng.uniform(0.05, 0.4)).astype(np.uint8)
    elif rng.random() < 0.5:
        part[:] = rng.integers(0, 256, 3)
    else:
        y, x = (
            int(rng.integers(0, max(1, n - m + 1))) for n, m in zip(canvas.shape[:2], part.shape)
        )
        part[:] = canvas[y : y + part.shape[0], x : x + part.shape[1]].copy()
