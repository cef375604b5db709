# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to BGR arrays and back.

Messages in may be of any class with the fields of sensor_msgs: rclpy's and rosbags' alike.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fer_ros.config import MAX_IMAGE_PIXELS
from fer_ros.errors import ImageError
from fer_ros.images.decoding import decode_image
from fer_ros.images.scaling import OnScaled, scale_to_8_bits
from fer_ros.messages.make import Make
from fer_ros.types import UInt8Array

MAX_SIDE_PX = 32_768
_VIDEO_FORMATS = re.compile(r'h\.?26[45]|hevc|avc|av1|vp[89]|theora|ffmpeg', re.IGNORECASE)
_CHANNEL_CODES = {1: cv2.COLOR_GRAY2BGR, 2: cv2.COLOR_GRAY2BGR, 3: None, 4: cv2.COLOR_BGRA2BGR}


@dataclass(frozen=True)
class Encoding:
    """How an encoding of sensor_msgs/image_encodings.hpp stores a pixel.

    Attributes:
        dtype: NumPy's name of a value, without byte order.
        channels: values per pixel of a row.
        to_bgr: OpenCV's conversion; None if it is BGR already.
        multiple_wh: what width and height must be divisible by.
        chroma: bytes of chroma per pixel, in a plane of its own below the image.
    """

    dtype: str
    channels: int
    to_bgr: int | None
    multiple_wh: tuple[int, int] = (1, 1)
    chroma: float = 0.0


def _known_encodings() -> dict[str, Encoding]:
    known = {
        'nv12': Encoding('u1', 1, cv2.COLOR_YUV2BGR_NV12, (2, 2), 0.5),
        'nv21': Encoding('u1', 1, cv2.COLOR_YUV2BGR_NV21, (2, 2), 0.5),
        # OpenCV has no conversion for full chroma; every second value of it is enough.
        'nv24': Encoding('u1', 1, cv2.COLOR_YUV2BGR_NV12, (2, 2), 2.0),
    }
    for name in ('yuv422', 'uyvy'):
        known[name] = Encoding('u1', 2, cv2.COLOR_YUV2BGR_UYVY, (2, 1))
    for name in ('yuv422_yuy2', 'yuyv'):
        known[name] = Encoding('u1', 2, cv2.COLOR_YUV2BGR_YUY2, (2, 1))
    colours = {
        'mono': (1, cv2.COLOR_GRAY2BGR), 'bgr': (3, None), 'rgb': (3, cv2.COLOR_RGB2BGR),
        'bgra': (4, cv2.COLOR_BGRA2BGR), 'rgba': (4, cv2.COLOR_RGBA2BGR),
        'bayer_rggb': (1, cv2.COLOR_BayerRGGB2BGR), 'bayer_bggr': (1, cv2.COLOR_BayerBGGR2BGR),
        'bayer_gbrg': (1, cv2.COLOR_BayerGBRG2BGR), 'bayer_grbg': (1, cv2.COLOR_BayerGRBG2BGR),
    }  # fmt: skip
    for name, (channels, code) in colours.items():
        known[f'{name}8'] = Encoding('u1', channels, code)
        known[f'{name}16'] = Encoding('u2', channels, code)
    for kind in ('8u', '8s', '16u', '16s', '32s', '32f', '64f'):
        dtype = {'u': 'u', 's': 'i', 'f': 'f'}[kind[-1]] + str(int(kind[:-1]) // 8)
        for channels, code in _CHANNEL_CODES.items():
            known[f'{kind}c{channels}'] = Encoding(dtype, channels, code)
    return known


ENCODINGS = _known_encodings()
"""By name in lower case; of two channels (16UC2) the first is taken as brightness."""


def find_encoding(name: str) -> Encoding:
    """Return an encoding by its name, whatever its case; ImageError if it is not known."""
    try:
        return ENCODINGS[name.lower()]
    except KeyError:
        known = ', '.join(ENCODINGS)
        raise ImageError(f'encoding {name[:40]!r} is not known; known are: {known}') from None


def image_values(message: Any, max_pixels: int = MAX_IMAGE_PIXELS) -> np.ndarray:
    """Return a message's values without padding, as a view of its data where that is possible.

    Returns:
        (H, W) or (H, W, C) of the encoding's dtype, in this computer's byte order; for NV12, NV21
        and NV24 uint8 (1.5 H, W) with the chroma below.

    Raises:
        ImageError: encoding, size, step and length of the data do not fit together, or the image
            has more than *max_pixels*.
    """
    encoding = find_encoding(message.encoding)
    width, height = message.width, message.height
    _check_size(message, encoding, max_pixels)
    dtype = np.dtype(('>' if message.is_bigendian else '<') + encoding.dtype)
    pixel_bytes = encoding.channels * dtype.itemsize
    row_bytes = width * pixel_bytes
    step = message.step or row_bytes
    if step < row_bytes:
        raise ImageError(
            f'step is {step} bytes, but {width} pixels of {message.encoding} need {row_bytes}'
        )
    data = np.frombuffer(message.data, np.uint8)
    needed = step * (height - 1) + row_bytes + round(step * height * encoding.chroma)
    if data.size < needed:
        raise ImageError(
            f'data holds {data.size} bytes, but {width}x{height} pixels of {message.encoding} '
            f'need {needed}'
        )
    if encoding.chroma == 2.0:
        return _full_chroma_halved(data, width, height, step)
    shape = (height + round(height * encoding.chroma), width, encoding.channels)
    values = np.ndarray(shape, dtype, data, strides=(step, pixel_bytes, dtype.itemsize))
    values = values.astype(dtype.newbyteorder('='), copy=False)
    return values[..., 0] if encoding.channels == 1 else values


def _check_size(message: Any, encoding: Encoding, max_pixels: int) -> None:
    width, height = message.width, message.height
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ImageError(f'image of {width}x{height} pixels: expected 1 to {MAX_SIDE_PX} per side')
    if width * height > max_pixels:
        raise ImageError(
            f'image of {width}x{height} pixels: more than max_image_pixels ({max_pixels})'
        )
    if width % encoding.multiple_wh[0] or height % encoding.multiple_wh[1]:
        raise ImageError(f'{message.encoding} needs an even size, got {width}x{height}')


def _full_chroma_halved(data: UInt8Array, width: int, height: int, step: int) -> UInt8Array:
    """Return NV24, whose chroma rows are twice as long as its brightness rows, as NV12."""
    brightness = np.ndarray((height, width), np.uint8, data, strides=(step, 1))
    chroma = np.ndarray(
        (height, width, 2), np.uint8, data, offset=step * height, strides=(2 * step, 2, 1)
    )
    return np.concatenate([brightness, chroma[::2, ::2].reshape(height // 2, width)])


def image_to_bgr(
    message: Any, max_pixels: int = MAX_IMAGE_PIXELS, on_scaled: OnScaled | None = None
) -> UInt8Array:
    """Return a sensor_msgs/Image as uint8 (H, W, 3) BGR; for bgr8 a view of the message's data.

    Args:
        message: the image.
        max_pixels: larger ones are refused.
        on_scaled: called with how more than 8 bits were scaled, where they were.

    Raises:
        ImageError: the encoding is not known, or size and data do not fit together.
    """
    values = image_values(message, max_pixels)
    code = find_encoding(message.encoding).to_bgr
    if code == cv2.COLOR_GRAY2BGR and values.ndim == 3:
        values = values[..., 0]
    pixels = scale_to_8_bits(values, on_scaled)
    if code is None:
        return pixels
    try:
        bgr: UInt8Array = cv2.cvtColor(np.ascontiguousarray(pixels), code)
        return bgr
    except cv2.error as error:
        raise ImageError(f'{message.encoding} image cannot be converted: {error.err}') from error


def compressed_to_bgr(
    message: Any, max_pixels: int = MAX_IMAGE_PIXELS, on_scaled: OnScaled | None = None
) -> UInt8Array:
    """Return a sensor_msgs/CompressedImage as uint8 (H, W, 3) BGR; arguments as in image_to_bgr.

    Raises:
        ImageError: it cannot be decoded, or is a frame of a video, which needs those before it.
    """
    data = np.frombuffer(message.data, np.uint8)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return decode_image(data, flags, max_pixels, on_scaled)
    except ImageError as error:
        name = message.format[:60]
        hint = ''
        if _VIDEO_FORMATS.search(name):
            hint = '; video packets are not read: decode them with image_transport republish first'
        elif 'compressedDepth' in name:
            hint = '; a depth image shows no face'
        raise ImageError(
            f'compressed image of {data.size} bytes (format {name!r}) cannot be decoded: '
            f'{error}{hint}'
        ) from error


def to_bgr(
    message: Any, max_pixels: int = MAX_IMAGE_PIXELS, on_scaled: OnScaled | None = None
) -> UInt8Array:
    """Return an image message, raw or compressed, as uint8 (H, W, 3) BGR; see image_to_bgr."""
    read = compressed_to_bgr if hasattr(message, 'format') else image_to_bgr
    return read(message, max_pixels, on_scaled)


def image_message(make: Make, image: UInt8Array, header: Any) -> Any:
    """Return uint8 (H, W, 3) BGR as a sensor_msgs/Image; the data is copied once."""
    height, width = image.shape[:2]
    return make(
        'sensor_msgs/msg/Image',
        header=header,
        height=height,
        width=width,
        encoding='bgr8',
        is_bigendian=int(sys.byteorder == 'big'),
        step=3 * width,
        data=image.reshape(-1),
    )


def jpeg_message(make: Make, image: UInt8Array, header: Any) -> Any:
    """Return uint8 (H, W, 3) BGR as a sensor_msgs/CompressedImage."""
    return make(
        'sensor_msgs/msg/CompressedImage',
        header=header,
        format='bgr8; jpeg compressed bgr8',
        data=cv2.imencode('.jpg', image)[1].reshape(-1),
    )
