# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Video packets in recordings: ffmpeg_image_transport's, Foxglove's, and CompressedImage of H.264.

They are decoded by PyAV, where it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fer_ros.config import MAX_IMAGE_PIXELS
from fer_ros.errors import ImageError, shorten
from fer_ros.types import UInt8Array

VIDEO_TYPES = (
    'ffmpeg_image_transport_msgs/msg/FFMPEGPacket',
    'foxglove_msgs/msg/CompressedVideo',
)
MAX_DELAY = 17
"""Packets that may wait for their picture: an H.264 stream may put 16 pictures in another order."""

_CODECS = {
    'h264': re.compile('264|avc', re.IGNORECASE),
    'hevc': re.compile('265|hevc', re.IGNORECASE),
    'libdav1d': re.compile('av1', re.IGNORECASE),
    'vp9': re.compile('vp9', re.IGNORECASE),
    'vp8': re.compile('vp8', re.IGNORECASE),
}
"""FFmpeg's decoders, by how ROS's encoders and FFmpeg's (libx264, hevc_nvenc …) are called."""


def video_codec(message: Any) -> str:
    """Return the decoder that a message of a recording needs; '' for one that holds an image.

    Raises:
        ImageError: it is a video packet of a codec that is not read.
    """
    name = getattr(message, 'encoding' if hasattr(message, 'pts') else 'format', '')
    is_packet = message.__msgtype__ in VIDEO_TYPES
    if is_packet or message.__msgtype__ == 'sensor_msgs/msg/CompressedImage':
        for codec, pattern in _CODECS.items():
            if pattern.search(name) and 'avif' not in name:
                return codec
    if is_packet:
        known = 'H.264, H.265, AV1, VP9 and VP8 are read'
        raise ImageError(f'video of codec {shorten(name, 40)!r}: {known}')
    return ''


class VideoDecoder:
    """Turns packets, which need those before them, into images."""

    def __init__(self) -> None:
        """Begin with the first packet."""
        self._codec = ''
        self._context: Any = None

    def decode(
        self, number: int, data: UInt8Array, codec: str
    ) -> Iterator[tuple[int, UInt8Array | ImageError]]:
        """Yield (number of its packet, image) for each image that is ready now.

        Args:
            number: the packet's; they rise.
            data: uint8 (N,), the packet.
            codec: its decoder; see ``video_codec``.

        Raises:
            ImageError: PyAV is not installed, or the packet is damaged.
        """
        try:
            import av
        except ImportError as error:
            raise ImageError('video packets need PyAV: pip install av') from error
        if codec != self._codec:
            self._context = av.CodecContext.create(codec, 'r')
            self._context.options = {'max_pixels': str(MAX_IMAGE_PIXELS)}
            self._context.thread_count = 1  # more would hold packets back
            self._codec = codec
        packet = av.Packet(data.tobytes())
        packet.pts = number
        yield from self._images(packet)

    def rest(self) -> Iterator[tuple[int, UInt8Array | ImageError]]:
        """Yield what was held back, once the last packet was given."""
        if self._context:
            yield from self._images(None)

    def _images(self, packet: Any) -> Iterator[tuple[int, UInt8Array | ImageError]]:
        import av

        try:
            for frame in self._context.decode(packet):
                yield frame.pts, (
                    ImageError('the video is damaged here')
                    if frame.is_corrupt
                    else frame.to_ndarray(format='bgr24')
                )
        except av.FFmpegError as error:
            raise ImageError(f'video packet is damaged: {error.strerror}') from error
