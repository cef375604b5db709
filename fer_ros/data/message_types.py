# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Message types that recordings are read and written with, without ROS."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fer_ros.errors import SourceError

FOXGLOVE_IMAGES = ('foxglove_msgs/msg/CompressedImage', 'foxglove_msgs/msg/RawImage')
_KNOWN_DEFINITIONS = {
    'ffmpeg_image_transport_msgs/msg/FFMPEGPacket': 'std_msgs/Header header\nint32 width\n'
    'int32 height\nstring encoding\nuint64 pts\nuint8 flags\nbool is_bigendian\nuint8[] data\n',
    'foxglove_msgs/msg/CompressedVideo': 'builtin_interfaces/Time timestamp\nstring frame_id\n'
    'uint8[] data\nstring format\n',
    'foxglove_msgs/msg/CompressedImage': 'builtin_interfaces/Time timestamp\nstring frame_id\n'
    'uint8[] data\nstring format\n',
    'foxglove_msgs/msg/RawImage': 'builtin_interfaces/Time timestamp\nstring frame_id\n'
    'uint32 width\nuint32 height\nstring encoding\nuint32 step\nuint8[] data\n',
}


def make_typestore() -> Typestore:
    """Return the types of ROS 2 Jazzy and of fer_msgs.

    Raises:
        SourceError: fer_msgs is not installed.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    register(store, 'fer_msgs/msg/EmotionArray')
    return store


def register(store: Typestore, kind: str) -> None:
    """Add a message type, and the others of its package, from the .msg files installed with it.

    Types of video packets and Foxglove's images are known without.

    Raises:
        SourceError: there is no such type.
    """
    if kind in store.types:
        return
    if kind in _KNOWN_DEFINITIONS:
        store.register(get_types_from_msg(_KNOWN_DEFINITIONS[kind], kind))
        return
    package, _, name = kind.partition('/msg/')
    for prefix in _prefixes():
        folder = prefix / package / 'msg'
        if (folder / f'{name}.msg').is_file():
            types: dict[str, Any] = {}
            for path in sorted(folder.glob('*.msg')):
                types.update(get_types_from_msg(path.read_text(), f'{package}/msg/{path.stem}'))
            store.register({key: value for key, value in types.items() if key not in store.types})
            return
    raise SourceError(f'message type {kind} is not installed')


def as_sensor_image(message: Any) -> Any:
    """Return an image message with sensor_msgs' fields; Foxglove's are little endian."""
    if message.__msgtype__ != 'foxglove_msgs/msg/RawImage':
        return message
    return SimpleNamespace(**vars(message), is_bigendian=0)


@functools.cache
def _prefixes() -> tuple[Path, ...]:
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    shares = [Path(prefix) / 'share' for prefix in prefixes if prefix]
    return (*shares, Path(__file__).parents[2])
