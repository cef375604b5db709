# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What makes a face hard to read: reasons that reach the user, not silent mistakes."""

from __future__ import annotations

from itertools import compress

import cv2
import numpy as np

from fer_ros.config import QualityConfig
from fer_ros.types import AlignedFaces, FaceDetections

QUALITY_REASONS: tuple[str, ...] = (
    'too_small',
    'blurred',
    'dark',
    'overexposed',
    'turned_away',
    'cut_off',
)
"""All reasons; the n-th is bit n of fer_msgs/Emotion.quality."""

MAX_BEYOND = 0.15
"""Of a face's width or height, outside the image, from which it is cut off."""


def assess_quality(
    detections: FaceDetections,
    aligned: AlignedFaces,
    shape_hw: tuple[int, int],
    config: QualityConfig,
) -> list[tuple[str, ...]]:
    """Return the reasons, in the order of QUALITY_REASONS, for each aligned face.

    Args:
        detections: all faces of the image.
        aligned: the faces that were cut out.
        shape_hw: height and width of the image in pixels.
        config: the limits.
    """
    faces = detections[aligned.source_index]
    boxes = faces.boxes_xyxy
    height, width = shape_hw
    grey = [
        crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in aligned.crops
    ]
    brightness = np.array([cv2.mean(crop)[0] for crop in grey])
    edges = [cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))[1] for crop in grey]
    sharpness = np.array([deviation.item() ** 2 for deviation in edges])
    outside = boxes[:, 2:] - boxes[:, :2]
    margins = 0.05 * outside
    flags = np.stack(
        [
            outside[:, 1] < config.min_face_px,
            # A dark face has little contrast of any kind, so sharpness is asked of lit ones only.
            (sharpness < config.min_sharpness) & (brightness >= config.min_brightness),
            brightness < config.min_brightness,
            brightness > config.max_brightness,
            _nose_off_middle(faces) > config.max_yaw_ratio,
            _crop_leaves(aligned, shape_hw)
            | (boxes[:, :2] < -margins).any(axis=1)
            | (boxes[:, 2:] > np.array([width, height]) + margins).any(axis=1),
        ],
        axis=1,
    )
    return [tuple(compress(QUALITY_REASONS, row)) for row in flags.tolist()]


def _crop_leaves(aligned: AlignedFaces, shape_hw: tuple[int, int]) -> np.ndarray:
    """Return bool (M,): whether much of where a whole face would lie is outside the image.

    A detector that sees half a face may draw its box around that half; its landmarks still tell how
    large the whole one is.
    """
    if not len(aligned):
        return np.zeros(0, bool)
    turned = aligned.image_to_crop[:, :, :2]
    power = (turned[:, :1] ** 2).sum(axis=2, keepdims=True)
    # Without shear the transpose is the inverse but for the scale. A crop that maps to a single
    # point has none: no extent, then.
    inverse = turned.transpose(0, 2, 1) / np.where(power > 0, power, np.inf)
    corners = np.array([(x, y) for x in (0.1, 0.9) for y in (0.1, 0.9)]) * aligned.crops.shape[1]
    points = (corners - aligned.image_to_crop[:, None, :, 2]) @ inverse.transpose(0, 2, 1)
    low, high = points.min(axis=1), points.max(axis=1)
    beyond = np.maximum(-low, high - np.array(shape_hw[::-1]))
    return (beyond > MAX_BEYOND * (high - low)).any(axis=1) & (high > low).all(axis=1)


def _nose_off_middle(faces: FaceDetections) -> np.ndarray:
    """Return float (N,): how far the nose lies off the middle, as a share of the eyes' distance.

    Measured along the line between the eyes; NaN, which compares false, without landmarks.
    """
    right, left, nose = (faces.landmarks[:, i] for i in range(3))
    between = left - right
    length_squared = (between**2).sum(axis=1)
    along = ((nose - (left + right) / 2) * between).sum(axis=1)
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.abs(along / length_squared)
