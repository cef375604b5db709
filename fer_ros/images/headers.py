# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An image's size as its header states it, before anything is decoded.

Pillow and imagesize know this too; but Pillow's own pixel limit is a global of the process, and
imagesize falls back to an XML parser. Neither counts a JPEG's scans.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from fer_ros.errors import ImageError
from fer_ros.images.heif import is_heif

MAX_JPEG_SCANS = 100
"""A progressive JPEG has about ten; each costs a pass over the whole image."""

_PNM_HEADER_BYTES = 4096
_PNM_HEADER = re.compile(rb'P[1-6](?:\s|#[^\n]*\n)+(\d{1,10})(?:\s|#[^\n]*\n)+(\d{1,10})\s')
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_FORMATS = {3: 'H', 4: 'I'}


def header_size_wh(data: bytes) -> tuple[int, int]:
    """Return width and height of an image file in pixels.

    Raises:
        ImageError: it is of no known format, its header is damaged, or it is a JPEG of more than
            MAX_JPEG_SCANS scans.
    """
    for signature, read in _READERS.items():
        if data.startswith(signature) and not _VIDEO.match(data):
            try:
                return read(data)
            except (struct.error, LookupError, AttributeError) as error:
                raise ImageError('the image is damaged: its header states no size') from error
    name = next((name for name, start in _NOT_READ.items() if start.match(data)), '')
    raise ImageError(f'{name or "not an image of a known format"} ({", ".join(FORMATS)} are read)')


def is_photo(start: bytes) -> bool:
    """Return whether a file that begins so is an image of a known format."""
    is_known = start.startswith(tuple(_READERS)) and not _VIDEO.match(start)
    return is_known or is_heif(start)


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('>II', data, 16)
    return width, height


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('<HH', data, 6)
    return width, height


def _bmp(data: bytes) -> tuple[int, int]:
    if struct.unpack_from('<I', data, 14)[0] == 12:
        width, height = struct.unpack_from('<HH', data, 18)
    else:
        width, height = struct.unpack_from('<ii', data, 18)
    return abs(width), abs(height)


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b'VP8X':
        return (
            1 + int.from_bytes(data[24:27], 'little'),
            1 + int.from_bytes(data[27:30], 'little'),
        )
    if kind == b'VP8L':
        bits = struct.unpack_from('<I', data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from('<HH', data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff(data: bytes) -> tuple[int, int]:
    order = '<' if data.startswith(b'II') else '>'
    (at,) = struct.unpack_from(f'{order}I', data, 4)
    (count,) = struct.unpack_from(f'{order}H', data, at)
    sizes = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f'{order}HH', data, entry)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (sizes[tag],) = struct.unpack_from(f'{order}{_TIFF_FORMATS[kind]}', data, entry + 8)
    return sizes[_TIFF_WIDTH], sizes[_TIFF_HEIGHT]


def _pnm(data: bytes) -> tuple[int, int]:
    width, height = _PNM_HEADER.match(data[:_PNM_HEADER_BYTES]).groups()  # type: ignore[union-attr]
    return int(width), int(height)


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while (at := data.find(b'\xff', at)) >= 0:
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
        elif marker in _JPEG_FRAMES:
            scans = data.count(b'\xff\xda')
            if scans > MAX_JPEG_SCANS:
                raise ImageError(f'JPEG of {scans} scans: at most {MAX_JPEG_SCANS} are read')
            height, width = struct.unpack_from('>HH', data, at + 5)
            return width, height
        elif marker == 0 or marker in _JPEG_WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(2, struct.unpack_from('>H', data, at + 2)[0])
    raise IndexError


_READERS: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b'\xff\xd8\xff': _jpeg,
    b'\x89PNG\r\n\x1a\n': _png,
    b'BM': _bmp,
    b'RIFF': _webp,
    b'II*\0': _tiff,
    b'MM\0*': _tiff,
    b'GIF8': _gif,
    **{b'P%d' % kind: _pnm for kind in range(1, 7)},
}
_VIDEO = re.compile(rb'.{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}(?:AVI |WAVE)', re.DOTALL)
_NOT_READ = {
    'this is a video or a sound': _VIDEO,
    'this is JPEG XL': re.compile(rb'\xff\n|\0\0\0\x0cJXL '),
    'this is JPEG 2000': re.compile(rb'\0\0\0\x0cjP  |\xff\x4f\xff\x51'),
    'this is a BigTIFF': re.compile(rb'II\+\0|MM\0\+'),
    'this is OpenEXR': re.compile(rb'\x76\x2f\x31\x01'),
    'this is a Photoshop file': re.compile(rb'8BPS'),
    'this is a PDF file': re.compile(rb'%PDF'),
    'this is text (SVG, HTML)': re.compile(rb'\s*<'),
    'the file is empty': re.compile(rb'\Z'),
}
FORMATS = ('JPEG', 'PNG', 'BMP', 'WebP', 'TIFF', 'GIF', 'PNM', 'HEIC', 'AVIF')
"""What is read."""
