# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Annotated frames as an H.264 video, which browsers play: OpenCV's wheels have no such encoder."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np

from fer_ros.dashboard.camera_view import shrink
from fer_ros.types import UInt8Array

TICKS_PER_S = 90_000
ENCODER = {'preset': 'veryfast'}
"""Half as fast as the clip is read, the usual preset would be waited for."""


class ClipVideo:
    """An MP4 file in memory whose frames are shown at their own times."""

    def __init__(self) -> None:
        """Begin without a frame."""
        self._file = io.BytesIO()
        self._container = av.open(self._file, 'w', format='mp4')
        self._stream: Any = None
        self._start_s = 0.0

    def write(self, image: UInt8Array, stamp_s: float) -> None:
        """Append a frame, uint8 (H, W, 3) BGR, shrunk if it is wide; stamps increase."""
        image = shrink(image)
        if self._stream is None:
            self._start_s = stamp_s
            self._stream = self._container.add_stream('libx264', options=ENCODER)
            # Its colours are stored for blocks of two by two pixels.
            height, width = image.shape[:2]
            self._stream.height, self._stream.width = height - height % 2, width - width % 2
            self._stream.pix_fmt = 'yuv420p'
            self._stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        cropped = np.ascontiguousarray(image[: self._stream.height, : self._stream.width])
        frame = av.VideoFrame.from_ndarray(cropped, format='bgr24')
        frame.pts = round((stamp_s - self._start_s) * TICKS_PER_S)
        frame.time_base = Fraction(1, TICKS_PER_S)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        """Return the file; it must have a frame."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._file.getvalue()
