# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces to upright crops of one size, by the template that training used."""

from __future__ import annotations

import numpy as np

from fer_ros.geometry import similarity_transform
from fer_ros.images.cropping import crop_square
from fer_ros.recognition.preprocessing import to_grey
from fer_ros.types import AlignedFaces, FaceDetections, Float32Array, UInt8Array

LANDMARKS_IN_BOX: tuple[tuple[float, float], ...] = (
    (0.28, 0.38),
    (0.72, 0.38),
    (0.50, 0.65),
    (0.32, 0.85),
    (0.68, 0.85),
)
"""Where landmarks lie in the box of the Haar cascade, the one detector that gives none itself, as
shares of its width and height: the mean of 444 portraits, by YuNet's landmarks."""


def _with_guessed_landmarks(detections: FaceDetections) -> Float32Array:
    """Return float32 (N, 5, 2) landmarks; those a detector did not give are guessed from the box.

    A face with at least both eyes keeps what it has: two points fix rotation, scale and shift, but
    for a stable scale the others are placed by the box.
    """
    corners = detections.boxes_xyxy[:, None, :2]
    sizes = detections.boxes_xyxy[:, None, 2:] - corners
    guessed = corners + np.array(LANDMARKS_IN_BOX, np.float32) * sizes
    return np.where(np.isfinite(detections.landmarks), detections.landmarks, guessed)


def align_faces(
    image: UInt8Array,
    detections: FaceDetections,
    template_px: tuple[tuple[float, float], ...],
    size_px: int,
    channels: int = 1,
) -> AlignedFaces:
    """Cut every face out so that its landmarks lie on the template as well as they can.

    Args:
        image: uint8 (H, W, 3) BGR.
        detections: faces in pixels of *image*.
        template_px: five (x, y) in crop pixels.
        size_px: height and width of the crops.
        channels: 1 for grey crops, 3 for BGR.

    Returns:
        one crop per face, in the detections' order; faces without area are left out.
    """
    template = np.array(template_px, np.float32)
    sizes = detections.boxes_xyxy[:, 2:] - detections.boxes_xyxy[:, :2]
    usable = np.flatnonzero((sizes > 0).all(axis=1) & np.isfinite(sizes).all(axis=1))
    chosen = detections[usable]
    matrices = similarity_transform(_with_guessed_landmarks(chosen), template)
    crops = np.empty((len(chosen), size_px, size_px, 3), np.uint8)
    for crop, matrix in zip(crops, matrices):
        crop[:] = crop_square(image, matrix, size_px)
    if channels == 1:
        return AlignedFaces(to_grey(crops), matrices, usable.astype(np.int64))
    return AlignedFaces(crops, matrices, usable.astype(np.int64))
