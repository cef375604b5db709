# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""HEIC and AVIF photos, as phones save them, by way of Pillow; OpenCV's wheels read neither."""

from __future__ import annotations

import io
from importlib.util import find_spec

import numpy as np

from fer_ros.errors import ImageError
from fer_ros.types import UInt8Array

HEIC_BRANDS = (b'heic', b'heix', b'heim', b'heis', b'hevc', b'mif1', b'msf1')
AVIF_BRANDS = (b'avif', b'avis')
HEIC_SUFFIXES = ('.heic', '.heif')
CAN_READ_HEIC = find_spec('pillow_heif') is not None
HOW = (
    'HEIC and AVIF photos need pillow-heif: pip install pillow-heif, or have the phone save JPEG '
    '(iPhone: Settings, Camera, Formats, Most Compatible)'
)


def is_heif(content: bytes) -> bool:
    """Return whether a file that begins so is a HEIC or AVIF photo."""
    return content[4:8] == b'ftyp' and content[8:12] in HEIC_BRANDS + AVIF_BRANDS


def decode_heif(content: bytes, max_pixels: int) -> UInt8Array:
    """Return a HEIC or AVIF photo as uint8 (H, W, 3) BGR, upright.

    Raises:
        ImageError: what reads it is not installed, or it is damaged or larger than *max_pixels*.
    """
    try:
        from PIL import Image, ImageOps

        if content[8:12] in HEIC_BRANDS:
            from pillow_heif import register_heif_opener

            register_heif_opener()
    except ImportError as error:
        raise ImageError(HOW) from error
    try:
        with Image.open(io.BytesIO(content)) as photo:
            width, height = photo.size
            if width * height <= max_pixels:
                rgb = np.asarray(ImageOps.exif_transpose(photo).convert('RGB'))
                return np.ascontiguousarray(rgb[..., ::-1])
    except Exception as error:  # bytes of a file may be anything
        raise ImageError(f'HEIC or AVIF photo cannot be decoded: {error}') from error
    raise ImageError(f'image of {width}x{height} pixels: more than max_image_pixels ({max_pixels})')
