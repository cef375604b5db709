# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of strangers: what is read, and what would have taken gigabytes."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from fer_ros.errors import ImageError
from fer_ros.images.decoding import MAX_IMAGE_PIXELS, decode_picture

PIXELS = np.full((10, 12, 3), (10, 120, 230), np.uint8)


def encoded(suffix: str) -> bytes:
    return cv2.imencode(suffix, PIXELS)[1].tobytes()


def png_part(name: bytes, content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    check_sum = zlib.crc32(name + content)
    return struct.pack('>I', size) + name + content + struct.pack('>I', check_sum)


def png(width: int, height: int, *parts: bytes) -> bytes:
    header = png_part(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    return b'\x89PNG\r\n\x1a\n' + header + b''.join(parts)


GREEDY_PART = png(12, 10, png_part(b'IDAT', bytes(20), length=0xF0000000))
HUGE = png(60_000, 60_000, png_part(b'IDAT', zlib.compress(bytes(99))), png_part(b'IEND', b''))


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tiff'])
def test_known_formats_are_read(suffix: str) -> None:
    image = decode_picture(np.frombuffer(encoded(suffix), np.uint8))
    assert image.shape == PIXELS.shape
    assert np.abs(image.astype(int) - PIXELS).max() <= 6


def test_flags_are_opencvs() -> None:
    image = decode_picture(np.frombuffer(encoded('.png'), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image.shape == (10, 12)


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(b'', 'not a picture of a known format', id='empty'),
        pytest.param(b'hello', 'not a picture of a known format', id='text'),
        pytest.param(encoded('.ppm'), 'not a picture of a known format', id='ppm'),
        pytest.param(encoded('.jpg')[:30], 'damaged', id='cut jpeg'),
        pytest.param(encoded('.png')[:-30], 'a part ends at byte', id='cut png'),
        pytest.param(GREEDY_PART, 'a part ends at byte 40265', id='png that asks for 4 GB'),
        pytest.param(HUGE, 'CV_IO_MAX_IMAGE_PIXELS', id='more pixels than any camera has'),
    ],
)
def test_the_rest_is_refused_in_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode_picture(np.frombuffer(content, np.uint8))


def test_whoever_imports_the_package_has_the_limit() -> None:
    """In a process of its own, whose memory nobody else has used."""
    code = (
        'import sys, resource, numpy as np\n'
        'import fer_ros\n'
        'from fer_ros.errors import ImageError\n'
        'from fer_ros.images.decoding import decode_picture\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'for content in sys.argv[1:]:\n'
        '    try: decode_picture(np.frombuffer(bytes.fromhex(content), np.uint8))\n'
        '    except ImageError: pass\n'
        '    else: sys.exit(3)\n'
        'sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 50_000)\n'
    )
    arguments = [sys.executable, '-c', code, GREEDY_PART.hex(), HUGE.hex()]
    assert subprocess.run(arguments, cwd='/').returncode == 0
    assert MAX_IMAGE_PIXELS >= 108_000_000, 'photos of phones'
