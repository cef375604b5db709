# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Square crops of an image, turned and scaled."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array


def crop_around(
    image: UInt8Array,
    centre: Float32Array,
    scale: float,
    size_px: int,
    border: int = cv2.BORDER_REPLICATE,
) -> UInt8Array:
    """Return an upright crop, uint8 (S, S, 3), with a point of *image* in its middle.

    Args:
        image: uint8 (H, W, 3) BGR.
        centre: float32 (2,) px.
        scale: crop pixels per pixel of the image.
        size_px: S.
        border: what lies beyond the image, one of OpenCV's border types.
    """
    shift = np.float32(size_px / 2) - scale * centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    return crop_square(image, matrix, size_px, border)


def crop_square(
    image: UInt8Array, matrix: Float32Array, size_px: int, border: int = cv2.BORDER_REPLICATE
) -> UInt8Array:
    """Return the crop, uint8 (S, S, 3), that *matrix* describes.

    What is much larger than the crop is first shrunk by area averaging: sampling it directly would
    keep one pixel in many and turn skin and hair into noise.

    Args:
        image: uint8 (H, W, 3) BGR.
        matrix: float32 (2, 3), affine without shear: image pixels to crop pixels.
        size_px: S.
        border: what lies beyond the image, one of OpenCV's border types.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if 0 < scale < 0.5:
        inverse = cv2.invertAffineTransform(matrix)
        corners = np.array([[0, 0, 1], [size_px, 0, 1], [0, size_px, 1], [size_px, size_px, 1]])
        reach = corners @ inverse.T
        left, top = np.floor(reach.min(axis=0) - 2).astype(int)
        right, bottom = np.ceil(reach.max(axis=0) + 2).astype(int)
        left, top = max(left, 0), max(top, 0)
        patch = image[top : max(bottom, 0), left : max(right, 0)]
        if patch.size:
            height, width = (max(1, round(n * scale)) for n in patch.shape[:2])
            steps = patch.shape[1] / width, patch.shape[0] / height
            image = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
            # Pixel centres: u = (x + 0.5) / step - 0.5, solved for x and put into the matrix.
            back = np.array(
                [
                    [steps[0], 0, left + 0.5 * steps[0] - 0.5],
                    [0, steps[1], top + 0.5 * steps[1] - 0.5],
                    [0, 0, 1],
                ]
            )
            matrix = (matrix.astype(np.float64) @ back).astype(np.float32)
    return cv2.warpAffine(
        image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=border
    )
