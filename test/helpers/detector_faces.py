# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Drawn faces for the detector's training, and photos made of them."""

from __future__ import annotations

import cv2
import numpy as np

from training.detector.faces import LabelledFaces, Photo, PhotoSets

LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


def faces(*boxes: tuple[float, ...], certain: bool = True) -> LabelledFaces:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    landmarks = table[:, None, :2] + LANDMARKS * (table[:, None, 2:] - table[:, None, :2])
    return LabelledFaces(table, landmarks, np.full(len(table), certain))


def drawn_photo(name: str = 'a.jpg', size: int = 96) -> Photo:
    image = np.full((size, size, 3), 180, np.uint8)
    one = faces((0.1 * size, 0.05 * size, 0.9 * size, 0.95 * size))
    for x, y in one.landmarks[0]:
        cv2.circle(image, (round(float(x)), round(float(y))), size // 16, (20, 20, 20), -1)
    return Photo(name, image, one, complete=False)


def photo_sets() -> PhotoSets:
    rng = np.random.default_rng(0)
    scenes = [
        Photo(
            f'{i}.jpg',
            cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (160, 120)),
            LabelledFaces.empty(),
            complete=True,
        )
        for i in range(20)
    ]
    people = [drawn_photo(f'street/{i}.jpg') for i in range(20)]
    return PhotoSets(people, [drawn_photo(f'{i}.jpg', 48) for i in range(20)], scenes)
