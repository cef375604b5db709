# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces that lie on their side or stand on their head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fer_ros.images.cropping import crop_around
from fer_ros.types import BoolArray, FaceDetections, UInt8Array

CERTAIN_SCORE = 0.85
"""Faces that lie or stand on their head are hardly ever scored so high."""
DOUBTED = 2
"""So many faces of a stream's image are doubted at once, those with the lowest scores."""
ROOMY = (4.0, 1.75)
"""Side of a crop as the detector gets it, and height of the face in it, both in heights of the
smallest face that it looks for: large enough to be found, with room to move about."""


def detect_any_way_up(
    detect: Callable[[UInt8Array], FaceDetections], image: UInt8Array
) -> FaceDetections:
    """Return the faces of *image*, or of the image turned by quarters where one fits better there.

    An image with a face scored at least CERTAIN_SCORE is upright. Otherwise the turn counts whose
    best face has the highest score.

    Args:
        detect: finds upright faces.
        image: uint8 (H, W, 3) BGR.

    Returns:
        faces in pixels of *image*, whichever way up they are.
    """
    upright = detect(image)
    if upright.scores.max(initial=0) >= CERTAIN_SCORE:
        return upright
    turns = [detect(np.ascontiguousarray(np.rot90(image, quarters))) for quarters in (1, 2, 3)]
    found = [upright, *turns]
    quarters = int(np.argmax([one.scores.max(initial=0) for one in found]))
    return turned_back(found[quarters], quarters, image.shape[:2])


def lying(
    detect: Callable[[UInt8Array], FaceDetections],
    image: UInt8Array,
    found: FaceDetections,
    least_px: int,
) -> BoolArray:
    """Return bool (N,): which of a few doubtful faces fit better turned by quarters.

    An upright face's landmarks were put on them, so that whatever is read there is wrong.

    Args:
        detect: finds upright faces.
        image: uint8 (H, W, 3) BGR.
        found: its faces, best score first.
        least_px: height of the smallest face that *detect* finds.
    """
    lies = np.zeros(len(found), bool)
    size_px, face_px = round(ROOMY[0] * least_px), ROOMY[1] * least_px
    for row in np.flatnonzero(found.scores < CERTAIN_SCORE)[-DOUBTED:]:
        box = found.boxes_xyxy[row]
        scale = face_px / max(float((box[2:] - box[:2]).max()), 1.0)
        view = crop_around(image, (box[:2] + box[2:]) / 2, scale, size_px)
        turns = np.concatenate([np.rot90(view, quarters) for quarters in (1, 2, 3)], axis=1)
        lies[row] = detect(turns).scores.max(initial=0) > found.scores[row]
    return lies


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
