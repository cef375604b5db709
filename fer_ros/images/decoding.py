# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Decodes untrusted images: known formats only, and none that takes all memory or time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fer_ros.config import MAX_IMAGE_PIXELS
from fer_ros.errors import ImageError
from fer_ros.images.headers import header_size_wh
from fer_ros.images.heif import decode_heif, is_heif
from fer_ros.images.scaling import OnScaled, scale_to_8_bits
from fer_ros.types import UInt8Array

_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_CHUNK_BYTES = 12
"""Of a chunk's length, name and checksum."""


def decode_image(
    data: UInt8Array,
    flags: int | None = None,
    max_pixels: int = MAX_IMAGE_PIXELS,
    on_scaled: OnScaled | None = None,
) -> UInt8Array:
    """Return an image file in memory as an image.

    Args:
        data: uint8 (N,), a file's content.
        flags: OpenCV's; IMREAD_COLOR if None.
        max_pixels: an image of more pixels is refused before it is decoded.
        on_scaled: called with how more than 8 bits were scaled, where they were.

    Returns:
        uint8 (H, W, 3) BGR, or what *flags* ask for.

    Raises:
        ImageError: it is of no known format, damaged, or larger than *max_pixels*.
    """
    content = data.tobytes()
    if is_heif(content):
        bgr = decode_heif(content, max_pixels)
        is_grey = flags == cv2.IMREAD_GRAYSCALE
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY) if is_grey else bgr, np.uint8)
    width, height = header_size_wh(content)
    if width * height > max_pixels:
        raise ImageError(
            f'image of {width}x{height} pixels: more than max_image_pixels ({max_pixels})'
        )
    if content.startswith(_PNG):
        _check_png_chunks(content)
    try:
        color = cv2.IMREAD_COLOR if flags is None else flags
        image = cv2.imdecode(data, color | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise ImageError(f'image cannot be decoded: {error.err}') from error
    if image is None:
        raise ImageError(f'image of {data.size} bytes is damaged or of an unknown format')
    return scale_to_8_bits(image, on_scaled)


def read_image(path: Path, max_pixels: int = MAX_IMAGE_PIXELS) -> UInt8Array:
    """Return a photo as uint8 (H, W, 3) BGR, turned as its EXIF data says.

    Raises:
        ImageError: it is missing, has more than *max_pixels*, or cannot be read.
    """
    if path.is_dir():
        raise ImageError(f'{path} is a folder, not an image')
    if not path.is_file():
        raise ImageError(f'{path} does not exist')
    try:
        return decode_image(np.fromfile(path, np.uint8), max_pixels=max_pixels)
    except (ImageError, OSError) as error:
        raise ImageError(f'{path} is not an image that can be read: {error}') from error


def _check_png_chunks(content: bytes) -> None:
    """Raise ImageError for a chunk that ends beyond the file: OpenCV would make room for it."""
    at = len(_PNG)
    while at + _PNG_CHUNK_BYTES <= len(content):
        at += _PNG_CHUNK_BYTES + int.from_bytes(content[at : at + 4], 'big')
    if at > len(content):
        raise ImageError(f'PNG image is damaged: a part ends at byte {at} of {len(content)}')
