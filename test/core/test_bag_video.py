# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of video packets are read as those of images are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bag_video import video_codec
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import BagClock, bag_images, image_topic
from fer_ros.data.message_types import make_typestore, register
from fer_ros.errors import ImageError

av = pytest.importorskip('av')

COUNT, STEP_NS = 24, 10**8
FFMPEG = 'ffmpeg_image_transport_msgs/msg/FFMPEGPacket'
FOXGLOVE = 'foxglove_msgs/msg/CompressedVideo'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'


def encode(encoder: str, options: dict[str, str]) -> list[tuple[int, bytes]]:
    """Return (number of the picture, packet); picture n is grey, of brightness 8 n + 20."""
    context = av.CodecContext.create(encoder, 'w')
    context.options = options
    context.width, context.height, context.pix_fmt, context.framerate = 64, 48, 'yuv420p', 10
    context.gop_size = 8
    packets = []
    for number in [*range(COUNT), None]:
        frame = None
        if number is not None:
            image = np.full((48, 64, 3), 8 * number + 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format='bgr24')
            frame.pts = number
        packets += [(packet.pts, bytes(packet)) for packet in context.encode(frame)]
    return packets


def write(path: Path, kind: str, name: str, packets: list[tuple[int, bytes]], storage: str) -> Path:
    with BagWriter(path, storage) as writer:
        for sent, (number, content) in enumerate(packets):
            header = writer.header(number * STEP_NS, 'camera')
            data = np.frombuffer(content, np.uint8)
            fields = {
                FFMPEG: {'header': header, 'width': 64, 'height': 48, 'encoding': name,
                         'pts': number, 'flags': 0, 'is_bigendian': False, 'data': data},
                FOXGLOVE: {'timestamp': header.stamp, 'frame_id': 'camera', 'data': data,
                           'format': name},
                COMPRESSED: {'header': header, 'format': name, 'data': data},
            }[kind]  # fmt: skip
            writer.write('/cam', sent * STEP_NS, writer.make(kind, **fields))
    return path


def read(path: Path) -> list[int | str]:
    """Return the number of each picture by its brightness, or what was wrong with it."""
    with open_bag(path) as reader:
        return [
            str(item.image)
            if isinstance(item.image, ImageError)
            else round((float(item.image.mean()) - 20) / 8)
            for item in bag_images(reader, image_topic(reader))
        ]


LIVE = {'tune': 'zerolatency', 'preset': 'ultrafast'}


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize(
    'kind, encoder, options, name',
    [
        pytest.param(FFMPEG, 'libx264', LIVE, 'libx264', id='ffmpeg_image_transport'),
        pytest.param(FFMPEG, 'libx264', LIVE, 'h264/yuv420p;bgr8;bgr8', id='its later name'),
        pytest.param(FFMPEG, 'libx265', LIVE | {'x265-params': 'log-level=none'}, 'hevc_nvenc',
                     id='H.265'),
        pytest.param(FOXGLOVE, 'libx264', LIVE, 'h264', id='foxglove'),
        pytest.param(FOXGLOVE, 'libvpx-vp9', {'deadline': 'realtime', 'lag-in-frames': '0'}, 'vp9',
                     id='foxglove VP9'),
        pytest.param(COMPRESSED, 'libx264', LIVE, 'h264', id='CompressedImage'),
    ],
)  # fmt: skip
def test_video_packets_are_read(
    tmp_path: Path, kind: str, encoder: str, options: dict[str, str], name: str, storage: str
) -> None:
    bag = write(tmp_path / 'bag', kind, name, encode(encoder, options), storage)
    assert read(bag) == list(range(COUNT))
    with open_bag(bag) as reader:
        times_s = BagClock(reader, '/cam').times_s
        stamps = [item.header.stamp.nanosec for item in bag_images(reader, '/cam')]
    np.testing.assert_allclose(times_s, np.arange(COUNT) / 10)
    assert stamps[:3] == [0, 10**8, 2 * 10**8]


def test_pictures_in_another_order_find_their_packets(tmp_path: Path) -> None:
    packets = encode('libx264', {'bf': '3', 'preset': 'medium'})
    order = [number for number, _ in packets]
    assert order != sorted(order)
    assert read(write(tmp_path / 'bag', FFMPEG, 'libx264', packets, 'mcap')) == order


def test_lost_and_damaged_packets_cost_those_up_to_the_next_key_frame(tmp_path: Path) -> None:
    packets = encode('libx264', LIVE)
    packets[10] = (10, b'\0\0\0\1\x65' + bytes(40))
    found = read(write(tmp_path / 'bag', FOXGLOVE, 'h264', packets[2:], 'mcap'))
    assert len(found) == COUNT - 2
    assert found[14:] == list(range(16, 24)), 'from the third key frame on'
    assert all(isinstance(item, str) or 0 <= item < 16 for item in found[:14])
    assert isinstance(found[0], str)


def test_what_is_no_video_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_typestore()
    for kind in (FFMPEG, FOXGLOVE):
        register(store, kind)
    stamp = store.types['builtin_interfaces/msg/Time'](0, 0)
    theora = store.types[FOXGLOVE](stamp, '', np.zeros(1, np.uint8), 'theora')
    with pytest.raises(ImageError, match=r"codec 'theora': H\.264, H\.265, AV1"):
        video_codec(theora)
    header = store.types['std_msgs/msg/Header'](stamp, '')
    avif = store.types[COMPRESSED](header, 'bgr8; avif compressed', np.zeros(1, np.uint8))
    assert video_codec(avif) == ''
    monkeypatch.setitem(sys.modules, 'av', None)
    found = read(write(tmp_path / 'bag', FOXGLOVE, 'h264', [(0, b'x'), (1, b'y')], 'mcap'))
    assert found == ['video packets need PyAV: pip install av'] * 2
