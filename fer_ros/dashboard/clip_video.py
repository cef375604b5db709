# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Annotated frames as an H.264 video, which browsers play: OpenCV's wheels have no such encoder."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np

from fer_ros.images.decoding import decode_image

TICKS_PER_S = 90_000


def to_mp4(pictures: Sequence[bytes], stamps_s: Sequence[float]) -> bytes:
    """Return pictures as an MP4 file at their own times.

    Args:
        pictures: JPEG files of one size, at least one.
        stamps_s: when each is shown, in seconds, increasing.
    """
    file = io.BytesIO()
    first = decode_image(np.frombuffer(pictures[0], np.uint8))
    with av.open(file, 'w', format='mp4') as container:
        stream = container.add_stream('libx264')
        # Its colours are stored for blocks of two by two pixels.
        stream.height, stream.width = (side - side % 2 for side in first.shape[:2])
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        for picture, stamp_s in zip(pictures, stamps_s):
            image = decode_image(np.frombuffer(picture, np.uint8))
            cropped = np.ascontiguousarray(image[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(cropped, format='bgr24')
            frame.pts = round((stamp_s - stamps_s[0]) * TICKS_PER_S)
            frame.time_base = Fraction(1, TICKS_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()
