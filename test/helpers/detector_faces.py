# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Drawn faces for the detector's training, and photos made of them."""

from __future__ import annotations

import cv2
import numpy as np

from training.detector.collage import CutOut, LabelledFaces, make_pyramid
from training.detector.stock import Stock

LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


def faces(*boxes: tuple[float, ...], sure: bool = True) -> LabelledFaces:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    landmarks = table[:, None, :2] + LANDMARKS * (table[:, None, 2:] - table[:, None, :2])
    return LabelledFaces(table, landmarks, np.full(len(table), sure))


def drawn_face(size: int = 96) -> CutOut:
    image = np.full((size, size, 3), 180, np.uint8)
    one = faces((0.1 * size, 0.05 * size, 0.9 * size, 0.95 * size))
    for x, y in one.landmarks[0]:
        cv2.circle(image, (round(float(x)), round(float(y))), size // 16, (20, 20, 20), -1)
    return CutOut(make_pyramid(image), one.boxes_xyxy[0], one.landmarks[0])


def small_stock() -> Stock:
    rng = np.random.default_rng(0)
    scenes = [
        (cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (160, 120)), LabelledFaces.empty())
        for _ in range(4)
    ]
    peopled = [(scenes[0][0], faces((20, 20, 60, 60)))] * 4
    return Stock([drawn_face()] * 4, [drawn_face(48)] * 4, peopled, scenes)
