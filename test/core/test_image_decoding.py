# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Untrusted images: what is read, and what would have taken gigabytes or minutes."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from fer_ros.errors import ImageError
from fer_ros.images.decoding import decode_image
from fer_ros.images.headers import header_size_wh

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
LARGE_WEBP = (
    b'RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0/' + struct.pack('<I', 13_999 | 13_999 << 14) + bytes(9)
)
HUGE = png(60_000, 60_000, png_part(b'IDAT', zlib.compress(bytes(99))), png_part(b'IEND', b''))


PROGRESSIVE = cv2.imencode('.jpg', PIXELS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b'\xff\xda') : -2]
SCANS = PROGRESSIVE.count(b'\xff\xda')
MANY_SCANS = PROGRESSIVE[:-2] + LAST_SCAN * (2000 - SCANS) + PROGRESSIVE[-2:]


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tiff', '.gif', '.ppm'])
def test_known_formats_are_read(suffix: str) -> None:
    content = encoded(suffix)
    assert header_size_wh(content) == (12, 10)
    image = decode_image(np.frombuffer(content, np.uint8))
    assert image.shape == PIXELS.shape
    # A GIF has few colours and mixes them.
    assert np.abs(image.astype(int) - PIXELS).max() <= (90 if suffix == '.gif' else 6)


@pytest.mark.parametrize('bits', [8, 10, 12, 16])
def test_flags_are_opencvs(bits: int) -> None:
    values = PIXELS if bits == 8 else PIXELS.astype(np.uint16) << (bits - 8)
    image = decode_image(cv2.imencode('.png', values)[1], cv2.IMREAD_GRAYSCALE)
    assert image.shape == (10, 12)
    assert 138 < image.mean() < 142


@pytest.mark.parametrize(
    'suffix, values',
    [
        pytest.param('.png', PIXELS.astype(np.uint16) << 8, id='16 bits'),
        pytest.param('.png', PIXELS.astype(np.uint16) << 4, id='12 bits'),
        pytest.param('.tiff', PIXELS.astype(np.uint16) << 2, id='10 bits'),
        pytest.param('.tiff', PIXELS.astype(np.float32) / 255, id='shares'),
    ],
)
def test_a_photo_of_more_than_8_bits_is_neither_dark_nor_refused(
    suffix: str, values: np.ndarray
) -> None:
    content = cv2.imencode(suffix, values)[1]
    assert np.abs(decode_image(content).astype(int) - PIXELS).max() <= 1


def test_opencv_says_nothing_beside_the_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImageError):
        decode_image(np.frombuffer(b'P2\n9 9\n255\n1 2', np.uint8))
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(b'', 'the file is empty', id='empty'),
        pytest.param(b'hello', 'not an image of a known format', id='text'),
        pytest.param(b'\xff\n12345', r'this is JPEG XL \(JPEG, PNG', id='jpeg xl'),
        pytest.param(b'\0\0\0\x0cjP  \r\n', 'this is JPEG 2000', id='jpeg 2000'),
        pytest.param(b'\0\0\0\x18ftypisom\0\0\0\0', 'this is a video', id='mp4'),
        pytest.param(b'\n<svg>', r'this is text \(SVG, HTML\)', id='svg'),
        pytest.param(b'RIFF\0\0\0\0WAVE' + bytes(20), 'this is a video or a sound', id='sound'),
        pytest.param(encoded('.jpg')[:30], 'states no size', id='cut jpeg header'),
        pytest.param(encoded('.png')[:-30], 'a part ends at byte', id='cut png'),
        pytest.param(GREEDY_PART, 'a part ends at byte 40265', id='png that asks for 4 GB'),
        pytest.param(HUGE, 'image of 60000x60000 pixels: more than', id='huge png'),
        pytest.param(LARGE_WEBP, 'image of 14000x14000 pixels: more than', id='webp of 34 bytes'),
        pytest.param(MANY_SCANS, 'JPEG of 2000 scans: at most 100', id='progressive jpeg'),
    ],
)
def test_the_rest_is_refused_in_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode_image(np.frombuffer(content, np.uint8))


def test_whoever_imports_the_package_has_the_limit() -> None:
    """In a process of its own, whose memory nobody else has used."""
    code = (
        'import sys, resource, numpy as np\n'
        'import fer_ros\n'
        'from fer_ros.errors import ImageError\n'
        'from fer_ros.images.decoding import decode_image\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'for content in sys.argv[1:]:\n'
        '    try: decode_image(np.frombuffer(bytes.fromhex(content), np.uint8))\n'
        '    except ImageError: pass\n'
        '    else: sys.exit(3)\n'
        'sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 50_000)\n'
    )
    arguments = [sys.executable, '-c', code, GREEDY_PART.hex(), HUGE.hex(), LARGE_WEBP.hex()]
    assert subprocess.run(arguments, cwd='/').returncode == 0


@pytest.mark.parametrize('size', ['vp8 ', 'vp8l', 'vp8x', 'bmp core', 'tiff big', 'jpeg fill'])
def test_a_size_is_found_wherever_a_format_keeps_it(size: str) -> None:
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101]
    tiff_entries = [struct.pack('>HHIHH', tag, 3, 1, n, 0) for tag, n in ((256, 12), (257, 10))]
    content = {
        'vp8 ': cv2.imencode('.webp', PIXELS, [cv2.IMWRITE_WEBP_QUALITY, 50])[1].tobytes(),
        'vp8l': cv2.imencode('.webp', PIXELS, lossless)[1].tobytes(),
        'vp8x': b'RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0b\0\0\x09\0\0',
        'bmp core': b'BM' + bytes(12) + struct.pack('<IHHHH', 12, 12, 10, 1, 24),
        'tiff big': b'MM\0*' + struct.pack('>IH', 8, 2) + b''.join(tiff_entries),
        'jpeg fill': encoded('.jpg').replace(b'\xff\xc0', b'\xff\xff\xff\xc0'),
    }[size]
    assert header_size_wh(content) == (12, 10)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tiff', '.gif', '.ppm'])
def test_a_header_that_is_cut_off_anywhere_is_an_error_or_right(suffix: str) -> None:
    content = encoded(suffix)
    for length in range(len(content)):
        with contextlib.suppress(ImageError):
            assert header_size_wh(content[:length]) == (12, 10)
    assert header_size_wh(content) == (12, 10)


def test_the_limit_can_be_set() -> None:
    content = np.frombuffer(encoded('.jpg'), np.uint8)
    assert decode_image(content, max_pixels=120).shape == (10, 12, 3)
    with pytest.raises(ImageError, match=r'12x10 pixels: more than max_image_pixels \(119\)'):
        decode_image(content, max_pixels=119)


def heif(kind: str, orientation: int = 1) -> bytes:
    image, pillow = pytest.importorskip('PIL.Image'), pytest.importorskip('pillow_heif')
    pillow.register_heif_opener()
    exif, stream = image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    image.fromarray(HALVES[..., ::-1]).save(stream, kind, quality=100, exif=exif.tobytes())
    return stream.getvalue()


ORIENTATION, STANDS_ON_ITS_RIGHT = 0x0112, 6
HALVES = np.repeat(np.array([[[250, 250, 250]], [[5, 5, 5]]], np.uint8), 64, axis=1).repeat(32, 0)


@pytest.mark.parametrize('kind', ['HEIF', 'AVIF'])
def test_photos_of_phones_are_read_upright(kind: str) -> None:
    upright = decode_image(np.frombuffer(heif(kind), np.uint8))
    assert np.abs(upright.astype(int) - HALVES).max() < 30
    turned = decode_image(np.frombuffer(heif(kind, STANDS_ON_ITS_RIGHT), np.uint8))
    assert np.abs(turned.astype(int) - np.rot90(HALVES, -1)).max() < 30


def test_a_photo_of_a_phone_may_be_too_large_or_damaged() -> None:
    content = heif('HEIF')
    with pytest.raises(ImageError, match='image of 64x64 pixels: more than max_image_pixels'):
        decode_image(np.frombuffer(content, np.uint8), max_pixels=1000)
    with pytest.raises(ImageError, match='HEIC or AVIF photo cannot be decoded'):
        decode_image(np.frombuffer(content[:200], np.uint8))


def test_without_pillow_heif_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pillow_heif', None)
    with pytest.raises(ImageError, match='pip install pillow-heif, or have the phone save JPEG'):
        decode_image(np.frombuffer(b'\0\0\0\x1cftypheic' + bytes(99), np.uint8))
