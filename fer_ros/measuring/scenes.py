# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The images that everything is timed on: so many faces from the free demo photos, or a clip."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from fer_ros.images.demo import demo_photos, sample_photo
from fer_ros.images.sources import VideoSource
from fer_ros.types import UInt8Array

FACES_XYWH = ((174, 66, 104, 128), (190, 110, 150, 180))
"""Where the face is in each of the demo photos."""

GRIDS = {0: (1, 1), 1: (1, 1), 2: (2, 1), 4: (2, 2), 8: (4, 2), 10: (5, 2), 16: (4, 4)}
"""Number of faces to columns and rows of a scene."""

IMAGES_A_SCENE = 8
NOISE = 4.0
"""Standard deviation of a camera's noise in grey levels."""
MOVE_PX = 3
"""Faces move by up to so many pixels from image to image."""
LEAST_FACE_PX = 56
"""The fer package looks for faces from 50 pixels."""


def make_scene(faces: int, size_wh: tuple[int, int] = (640, 480)) -> UInt8Array:
    """Return a few noisy images of the same people in a real room, who move a little.

    A face is a sixth of the image high. The room is scikit-image's garage with a motorcycle
    (Middlebury stereo set): before a bare wall a cascade has next to nothing to do.

    Args:
        faces: one of GRIDS.
        size_wh: width and height in pixels.

    Returns:
        uint8 (N, H, W, 3) BGR.
    """
    rng = np.random.default_rng(faces)
    width, height = size_wh
    room = _room(size_wh)
    columns, rows = GRIDS[faces]
    tile_wh = min(width // columns, height // 3), min(height // rows, height // 4)
    face_px = max(LEAST_FACE_PX, height / 6)
    photos = demo_photos()
    images = []
    for _ in range(IMAGES_A_SCENE):
        image = room.copy()
        for number in range(faces):
            kind = number % 2
            x, y, face_width, face_height = FACES_XYWH[kind]
            scale = face_px / face_height
            shift = np.array(tile_wh) / 2 - scale * np.array(
                [x + face_width / 2, y + face_height / 2]
            )
            matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
            tile = cv2.warpAffine(
                photos[kind], matrix, tile_wh, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
            )
            column, row = number % columns, number // columns
            left, top = (
                int(np.clip((cell + 0.5) * side / cells - part / 2 + move, 0, side - part))
                for cell, cells, side, part, move in zip(
                    (column, row), (columns, rows), size_wh, tile_wh,
                    rng.integers(-MOVE_PX, MOVE_PX + 1, 2),
                )
            )  # fmt: skip
            image[top : top + tile_wh[1], left : left + tile_wh[0]] = tile
        noise = rng.normal(0.0, NOISE, image.shape)
        images.append(np.clip(image + noise, 0, 255).astype(np.uint8))
    return np.stack(images)


def _room(size_wh: tuple[int, int]) -> UInt8Array:
    """Return a photo of a room without people, cut to fill *size_wh*."""
    photo = sample_photo('motorcycle_left.png')
    width, height = size_wh
    scale = max(width / photo.shape[1], height / photo.shape[0])
    matrix = np.array([[scale, 0, 0], [0, scale, 0]])
    return cv2.warpAffine(photo, matrix, size_wh, flags=cv2.INTER_LINEAR)


def read_clip(path: Path) -> UInt8Array:
    """Return a few images spread evenly over a video, uint8 (N, H, W, 3) BGR.

    Raises:
        SourceError: it is missing or cannot be read.
    """
    with closing(VideoSource(path)) as source:
        step = max(1, source.frame_count // IMAGES_A_SCENE)
        images = [image for number, (_, image) in enumerate(source) if number % step == 0]
    return np.stack(images[:IMAGES_A_SCENE])


def write_scene(folder: Path, name: str, images: UInt8Array) -> None:
    """Store a scene where the workers look for it."""
    np.save(folder / f'{name}.npy', images)
