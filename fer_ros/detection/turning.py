# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces that are tilted, lie on their side or stand on their head."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fer_ros.geometry import non_maximum_suppression, pairwise_iou
from fer_ros.images.cropping import crop_square
from fer_ros.types import BoolArray, FaceDetections, Float32Array, UInt8Array

Detect = Callable[[UInt8Array], FaceDetections]
CERTAIN_SCORE = 0.85
"""Faces that lie or stand on their head are hardly ever scored so high."""
DOUBTED_SCORE, DOUBTED = 0.9, 2
"""Faces of a stream's image with lower scores are doubted, so many at once, the lowest first."""
SAME_LANDMARKS = 0.25
"""Mean distance of landmarks, in distances between the eyes, up to which two looks agree."""
MAX_IOU = 0.3
"""Boxes that overlap more than this are of one face."""
TURNS_DEG = tuple(range(45, 360, 45))
ROOMY = (4.0, 1.75)
"""Side of a crop as the detector gets it, and height of the face in it, both in heights of the
smallest face that it looks for: large enough to be found, with room to move about."""


def detect_any_way_up(detect: Detect, image: UInt8Array) -> FaceDetections:
    """Return the faces of *image*, and of the image turned by eighths where one fits better there.

    An image with a face scored at least CERTAIN_SCORE is upright. Otherwise the turn whose best
    face has the highest score counts too, and each face the way up that it scores higher.
    What odd eighths turn out of view is not searched: larger views would take twice as long.

    Args:
        detect: finds upright faces, best score first.
        image: uint8 (H, W, 3) BGR.

    Returns:
        faces in pixels of *image*, whichever way up they are, best score first.
    """
    upright = detect(image)
    if upright.scores.max(initial=0) >= CERTAIN_SCORE:
        return upright
    height, width = image.shape[:2]
    centre, turns = np.array([width / 2, height / 2], np.float32), []
    for degrees in TURNS_DEG:
        size_wh = (height, width) if degrees % 180 == 90 else (width, height)
        matrix = turn_around(centre, degrees, 1.0, size_wh)
        turns.append(turned_back(detect(cv2.warpAffine(image, matrix, size_wh)), matrix))
    best = max(turns, key=lambda one: float(one.scores.max(initial=0)))
    if best.scores.max(initial=0) <= upright.scores.max(initial=0):
        return upright
    both = FaceDetections.joined([best, upright])
    same = pairwise_iou(both.boxes_xyxy, both.boxes_xyxy) > MAX_IOU
    return both[non_maximum_suppression(same, both.scores)]


def misread(detect: Detect, image: UInt8Array, found: FaceDetections, least_px: int) -> BoolArray:
    """Return bool (N,): which of a few doubtful faces fit better turned, with other landmarks.

    An upright face's landmarks were put on them, so that whatever is read there is wrong.

    Args:
        detect: finds upright faces, best score first.
        image: uint8 (H, W, 3) BGR.
        found: its faces, best score first.
        least_px: height of the smallest face that *detect* finds.
    """
    wrong = np.zeros(len(found), bool)
    size_px, face_px = round(ROOMY[0] * least_px), ROOMY[1] * least_px
    for row in np.flatnonzero(found.scores < DOUBTED_SCORE)[-DOUBTED:]:
        box = found.boxes_xyxy[row]
        centre, scale = (box[:2] + box[2:]) / 2, face_px / max(float((box[2:] - box[:2]).max()), 1)
        turns = [turn_around(centre, angle, scale, (size_px, size_px)) for angle in TURNS_DEG]
        views = [crop_square(image, matrix, size_px) for matrix in turns]
        best = detect(np.concatenate(views, axis=1))[:1]
        if best.scores.max(initial=0) > found.scores[row]:
            turn = int(np.clip(best.landmarks[0, :, 0].mean() // size_px, 0, len(turns) - 1))
            matrix = turns[turn]
            matrix[0, 2] += turn * size_px
            points = turned_back(best, matrix).landmarks[0]
            away = np.linalg.norm(points - found.landmarks[row], axis=1).mean()
            wrong[row] = away > SAME_LANDMARKS * np.linalg.norm(points[0] - points[1])
    return wrong


def turn_around(
    centre: Float32Array, degrees: float, scale: float, size_wh: tuple[int, int]
) -> Float32Array:
    """Return a float32 (2, 3) turn to the left about *centre*, which comes to lie in the middle.

    Args:
        centre: float32 (2,) px of the image.
        degrees: of the turn.
        scale: pixels of the view per pixel of the image.
        size_wh: of the view.
    """
    x, y = map(float, centre)
    matrix = cv2.getRotationMatrix2D((x, y), degrees, scale)
    matrix[:, 2] += np.array(size_wh) / 2 - centre
    return matrix.astype(np.float32)


def turned_back(found: FaceDetections, matrix: Float32Array) -> FaceDetections:
    """Return faces found on a view in pixels of the image that it shows.

    A face is about an ellipse: its box becomes that of the turned ellipse.

    Args:
        found: in pixels of the view.
        matrix: float32 (2, 3), affine: pixels of the image to pixels of the view.
    """
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    linear, shift = inverse[:, :2], inverse[:, 2]
    corners = found.boxes_xyxy.reshape(-1, 2, 2)
    centres = corners.mean(axis=1) @ linear.T + shift
    halves = np.sqrt(((corners[:, 1] - corners[:, 0]) / 2) ** 2 @ (linear**2).T)
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    return FaceDetections(boxes, found.landmarks @ linear.T + shift, found.scores)
