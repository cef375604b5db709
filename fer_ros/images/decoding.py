# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Decodes pictures of strangers: known formats only, and none that takes all memory or time."""

from __future__ import annotations

import os

from fer_ros.errors import ImageError
from fer_ros.types import UInt8Array

MAX_IMAGE_PIXELS = 200_000_000
"""Three times the largest photo of a phone; decoded it takes 600 MB."""

# Read by OpenCV once, when it is loaded; its own limit lets a file of 30 bytes take 3 GB.
os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(MAX_IMAGE_PIXELS))

import cv2  # noqa: E402

_PNG = b'\x89PNG\r\n\x1a\n'
_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    'JPEG': (b'\xff\xd8\xff',),
    'PNG': (_PNG,),
    'BMP': (b'BM',),
    'WebP': (b'RIFF',),
    'TIFF': (b'II*\0', b'MM\0*'),
}
_PNG_CHUNK_BYTES = 12
"""Of a chunk's length, name and check sum."""


def decode_picture(data: UInt8Array, flags: int | None = None) -> UInt8Array:
    """Return a picture in memory as an image.

    Args:
        data: uint8 (N,), a file's content.
        flags: OpenCV's; IMREAD_COLOR if None.

    Returns:
        uint8 (H, W, 3) BGR, or what *flags* ask for.

    Raises:
        ImageError: it is of no known format, damaged, or larger than MAX_IMAGE_PIXELS.
    """
    start = data[:16].tobytes()
    if not start.startswith(tuple(s for known in _SIGNATURES.values() for s in known)):
        raise ImageError(f'not a picture of a known format ({", ".join(_SIGNATURES)})')
    if start.startswith(_PNG):
        _check_png_chunks(data)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR if flags is None else flags)
    except cv2.error as error:
        raise ImageError(f'picture cannot be decoded: {error.err}') from error
    if image is None:
        raise ImageError(f'picture of {data.size} bytes is damaged or of an unknown format')
    return image


def _check_png_chunks(data: UInt8Array) -> None:
    """Raise ImageError for a chunk that ends beyond the file: OpenCV would make room for it."""
    at = len(_PNG)
    while at + _PNG_CHUNK_BYTES <= data.size:
        at += _PNG_CHUNK_BYTES + int.from_bytes(data[at : at + 4].tobytes(), 'big')
    if at > data.size:
        raise ImageError(f'PNG picture is damaged: a part ends at byte {at} of {data.size}')
