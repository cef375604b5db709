# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces on photos that lie on their side or stand on their head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fer_ros.types import FaceDetections, UInt8Array


def detect_any_way_up(
    detect: Callable[[UInt8Array], FaceDetections], image: UInt8Array
) -> FaceDetections:
    """Return the faces of *image*; if there is none, those of the image turned by quarters.

    Of the three turns the one counts whose faces have the highest scores together.

    Args:
        detect: finds upright faces.
        image: uint8 (H, W, 3) BGR.

    Returns:
        faces in pixels of *image*, whichever way up they are.
    """
    upright = detect(image)
    if len(upright):
        return upright
    turns = [detect(np.ascontiguousarray(np.rot90(image, quarters))) for quarters in (1, 2, 3)]
    best = int(np.argmax([found.scores.sum() for found in turns]))
    return turned_back(turns[best], 1 + best, image.shape[:2])


def turned_back(found: FaceDetections, quarters: int, shape_hw: tuple[int, int]) -> FaceDetections:
    """Return faces found on ``np.rot90(image, quarters)`` in pixels of the image.

    Args:
        found: in pixels of the turned image.
        quarters: how many quarter turns to the left it was turned by, 0 to 3.
        shape_hw: height and width of the image itself.
    """
    height, width = shape_hw
    corners = found.boxes_xyxy.reshape(-1, 2, 2)
    points = np.concatenate([corners, found.landmarks], axis=1)
    for sides in ([height, width] * 2)[4 - quarters :]:
        # A turn to the left takes (x, y) to (y, width - x); this undoes it.
        points = np.stack([sides - points[..., 1], points[..., 0]], axis=-1)
    corners = np.sort(points[:, :2], axis=1)
    return FaceDetections(
        corners.reshape(-1, 4).astype(np.float32), points[:, 2:].astype(np.float32), found.scores
    )
