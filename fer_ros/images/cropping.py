# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Square crops of an image, turned and scaled."""

from __future__ import annotations

import math

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
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    if 0 < scale < 0.5:
        image, matrix = _shrunk(image, matrix, size_px, int(-math.log2(scale)))
    return cv2.warpAffine(
        image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=border
    )


def _shrunk(
    image: UInt8Array, matrix: Float32Array, size_px: int, halvings: int
) -> tuple[UInt8Array, Float32Array]:
    """Return the part of *image* that a crop shows, halved, and the matrix from it to the crop."""
    factor = 2**halvings
    (a, b, x), (c, d, y) = cv2.invertAffineTransform(matrix).tolist()
    xs, ys = ([n, n + i * size_px, n + j * size_px, n + (i + j) * size_px]
              for n, i, j in ((x, a, b), (y, c, d)))  # fmt: skip
    left, top = (max(math.floor(min(corners)) - factor, 0) for corners in (xs, ys))
    right, bottom = (max(math.ceil(max(corners)) + factor, 0) for corners in (xs, ys))
    patch = image[top:bottom, left:right]
    if min(patch.shape[:2]) < factor:
        return image, matrix
    # Pixel centres: u = (x + 0.5) / factor - 0.5, solved for x and put into the matrix.
    moved = matrix.astype(np.float64)
    moved[:, 2] += moved[:, :2] @ (np.array([left, top]) + (factor - 1) / 2)
    moved[:, :2] *= factor
    return _halved(patch, halvings), moved.astype(np.float32)


def _halved(image: UInt8Array, times: int) -> UInt8Array:
    """Return *image* shrunk by averaging, of which OpenCV does this kind many times as fast.

    Up to 2**times - 1 px at the right and the bottom are left out.
    """
    for _ in range(times):
        height, width = image.shape[0] // 2, image.shape[1] // 2
        image = cv2.resize(
            image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA
        )
    return image


def paste_square(
    image: UInt8Array, centre: tuple[float, float], side_px: int, target: UInt8Array
) -> tuple[int, int]:
    """Write a square of *image*, scaled, into *target*; zeros where it lies beyond the image.

    Much faster than ``crop_around``, for squares of whole pixels.

    Args:
        image: uint8 (H, W, 3) BGR.
        centre: of the square, about, x and y in px.
        side_px: of the square.
        target: uint8 (S, S, 3).

    Returns:
        where the square's left top corner lies, x and y in px.
    """
    left, top = (round(middle - side_px / 2) for middle in centre)
    square = image[max(top, 0) : max(top + side_px, 0), max(left, 0) : max(left + side_px, 0)]
    if square.shape[:2] != (side_px, side_px):
        inside, square = square, np.zeros((side_px, side_px, 3), np.uint8)
        height, width = inside.shape[:2]
        y, x = max(-top, 0), max(-left, 0)
        square[y : y + height, x : x + width] = inside
    square = _halved(square, int(math.log2(max(side_px / len(target), 1))))
    cv2.resize(square, target.shape[1::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    return left, top
