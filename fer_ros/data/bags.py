# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The images of a recording, and when each was taken."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from fer_ros.data.bag_reader import BagReader
from fer_ros.data.bag_recovery import Message
from fer_ros.data.bag_video import MAX_DELAY, VIDEO_TYPES, VideoDecoder, video_codec
from fer_ros.data.message_types import FOXGLOVE_IMAGES, as_sensor_image
from fer_ros.errors import ImageError, SourceError
from fer_ros.messages.images import to_bgr
from fer_ros.types import UInt8Array

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
READ_TYPES = (*IMAGE_TYPES, *FOXGLOVE_IMAGES, *VIDEO_TYPES)
OTHER_VIDEO_TYPES = re.compile(r'Packet$|Video$')
_NO_CAMERA = re.compile(r'image_annotated|compressedDepth|/depth|/aligned_depth')
MAX_DEVIATION_S = 2.0
"""A stamp farther from where the others say it should be is not believed."""

MAX_JITTER_S = 0.5
MAX_LATE_SHARE = 0.1
"""Stamps of which more lie so far behind the latest before them do not tell the time."""


@dataclass(frozen=True)
class BagImage:
    """One image of a bag.

    Attributes:
        log_ns: when it was recorded, in nanoseconds.
        header: the message's own; None if the message cannot be read.
        image: uint8 (H, W, 3) BGR, or an ImageError if it cannot be read.
    """

    log_ns: int
    header: Any
    image: UInt8Array | ImageError


def image_topic(reader: BagReader, topic: str = '') -> str:
    """Return the image topic to read: *topic*, or the only camera there is.

    Where the topic is not named, annotated and depth images are passed over, and what holds
    another topic's images once more (image_raw/compressed beside image_raw) or none.

    Raises:
        SourceError: there is none, or several and none is named; the message names what is there.
    """
    kinds = {c.topic: c.msgtype for c in reader.connections}
    topics = sorted(name for name, kind in kinds.items() if kind in READ_TYPES)
    others = ', '.join(f'{name} ({kind})' for name, kind in sorted(kinds.items()))
    video = [name for name, kind in sorted(kinds.items())
             if name not in topics and OTHER_VIDEO_TYPES.search(kind)]  # fmt: skip
    hint = (
        f'; {", ".join(video)} holds video that is not read: make images of them first '
        '(ros2 run image_transport republish)'
        if video
        else ''
    )
    if topic:
        full = topic if topic.startswith('/') else f'/{topic}'
        if full not in topics:
            raise SourceError(
                f'the bag has no image topic {full}; it has: '
                f'{", ".join(topics) or others or "nothing"}{hint}'
            )
        return full
    filled = {c.topic for c in reader.connections if c.msgcount}
    own = [name for name in topics if name in filled and name.rpartition('/')[0] not in filled]
    cameras = [name for name in own if not _NO_CAMERA.search(name)] or own
    if not cameras:
        raise SourceError(f'the bag has no images; it has: {others or "nothing"}{hint}')
    if len(cameras) > 1:
        raise SourceError(
            f'the bag has {len(cameras)} image topics ({", ".join(cameras)}): name one'
        )
    return cameras[0]


def messages(reader: BagReader, topic: str) -> Iterator[Message]:
    """Yield (connection, time of recording in nanoseconds, bytes) of a topic."""
    yield from reader.messages([c for c in reader.connections if c.topic == topic])


NOT_YET = ImageError('no picture came of this video packet: damaged, or without its key frame')


def bag_images(reader: BagReader, topic: str) -> Iterator[BagImage]:
    """Yield every image of a topic, raw, compressed or of a video, in the order of its messages."""
    decoder = VideoDecoder()
    waiting: dict[int, BagImage] = {}
    for number, (connection, log_ns, data) in enumerate(messages(reader, topic)):
        waiting[number] = BagImage(log_ns, None, NOT_YET)
        try:
            message = reader.deserialize(data, connection.msgtype)
            waiting[number] = replace(waiting[number], header=_header(message))
            codec = video_codec(message)
            if codec:
                _fill(waiting, decoder.decode(number, message.data, codec))
            else:
                _fill(waiting, [(number, to_bgr(as_sensor_image(message)))])
        except ImageError as error:
            _fill(waiting, [(number, error)])
        except Exception as error:  # noqa: BLE001 - bytes of a file may be anything
            _fill(waiting, [(number, ImageError(f'message cannot be read: {error}'))])
        yield from _ready(waiting, MAX_DELAY)
    with suppress(ImageError):
        _fill(waiting, decoder.rest())
    yield from _ready(waiting, 0)


def _header(message: Any) -> Any:
    """Return a message's header; Foxglove's have its fields but not the header itself."""
    if hasattr(message, 'header'):
        return message.header
    return SimpleNamespace(stamp=message.timestamp, frame_id=message.frame_id)


def _fill(
    waiting: dict[int, BagImage], images: Iterable[tuple[int, UInt8Array | ImageError]]
) -> None:
    for number, image in images:
        if number in waiting:
            waiting[number] = replace(waiting[number], image=image)


def _ready(waiting: dict[int, BagImage], most: int) -> Iterator[BagImage]:
    """Take out, in their order, those that have an image or are more than *most* behind."""
    while waiting:
        number = next(iter(waiting))
        if waiting[number].image is NOT_YET and len(waiting) <= most:
            return
        yield waiting.pop(number)


class BagClock:
    """When each image of a topic was taken, by its stamp where that can be believed.

    Stamps and times of recording may run at different rates (a replay at half speed that was
    recorded anew); a robust line through both tells which stamps are of another world: zero, years
    off, or minutes. Those get the time that their neighbours imply. Where half of the stamps are
    not to be believed, stand still, run backwards or start anew (a simulation that was reset), the
    times of recording count.

    Attributes:
        times_s: float64 (N,); seconds since the first image, never running backwards.
        corrected: how many stamps were not believed.
        start_ns: the first image's time in nanoseconds, for labels in absolute time.
    """

    def __init__(self, reader: BagReader, topic: str) -> None:
        """Read the headers of a topic; SourceError if it holds no message."""
        rows = [(log, _stamp_ns(data)) for _, log, data in messages(reader, topic)]
        if not rows:
            raise SourceError(f'the bag holds no image on {topic}')
        log_ns = np.array([log for log, _ in rows], np.int64)
        stamps_ns = np.array([stamp for _, stamp in rows], np.int64)
        self._log_origin_ns = int(log_ns.min())
        log_s = (log_ns - self._log_origin_ns) / 1e9
        origin_ns = int(np.median(stamps_ns[stamps_ns > 0])) if (stamps_ns > 0).any() else 0
        # Stamps of another world are cut to ten years, lest they overflow in what follows.
        stamps_s = np.clip((stamps_ns - origin_ns) / 1e9, -3e8, 3e8)
        good = (stamps_ns > 0) & (np.abs(stamps_s - _line(log_s, stamps_s, stamps_ns > 0))
                                  <= MAX_DEVIATION_S)  # fmt: skip
        if 2 * good.sum() < len(rows) or not _tell_the_time(log_s[good], stamps_s[good]):
            good, stamps_s, origin_ns = np.ones(len(rows), bool), log_s, self._log_origin_ns
            self.corrected = len(rows)
        else:
            self.corrected = int((~good).sum())
        order = np.argsort(log_s[good], kind='stable')
        self._log_s, self._stamps_s = log_s[good][order], stamps_s[good][order]
        times_s = np.where(good, stamps_s, self._to_stamp(log_s))
        self._first_s = float(times_s[0])
        self.times_s = np.maximum.accumulate(times_s - self._first_s)
        self.start_ns = origin_ns + round(self._first_s * 1e9)

    def _to_stamp(self, log_s: np.ndarray) -> np.ndarray:
        inside = np.interp(log_s, self._log_s, self._stamps_s)
        before = np.minimum(0.0, log_s - self._log_s[0])
        after = np.maximum(0.0, log_s - self._log_s[-1])
        return np.asarray(inside + before + after)

    def at(self, log_ns: int) -> float:
        """Return what a time of recording is in seconds since the first image."""
        log_s = (log_ns - self._log_origin_ns) / 1e9
        return float(self._to_stamp(np.array([log_s]))[0]) - self._first_s


def _stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialized message that begins with a header; 0 if it is too short."""
    if len(data) < 12:
        return 0
    order = '<' if data[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds * 10**9 + nanoseconds)


def _tell_the_time(log_s: np.ndarray, stamps_s: np.ndarray) -> bool:
    """Return whether stamps go on as the times of recording do: they may stand still or restart."""
    in_order = stamps_s[np.argsort(log_s, kind='stable')]
    latest_s = np.maximum.accumulate(in_order)
    is_late = latest_s - in_order > MAX_JITTER_S
    return bool(is_late.mean() <= MAX_LATE_SHARE and np.ptp(latest_s) >= np.ptp(log_s) / 50)


def _line(x: np.ndarray, y: np.ndarray, use: np.ndarray) -> np.ndarray:
    """Return the heights, at *x*, of a line through most of the points that *use* selects."""
    if use.sum() < 2:
        return y
    ordered = np.flatnonzero(use)[np.argsort(x[use], kind='stable')]
    half = len(ordered) // 2
    first, second = ordered[:half], ordered[-half:]
    apart = x[second] - x[first]
    slopes = (y[second] - y[first])[apart > 0] / apart[apart > 0]
    slope = float(np.median(slopes)) if len(slopes) else 1.0
    return np.asarray(slope * x + np.median(y[use] - slope * x[use]))
