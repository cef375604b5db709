# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 files without ROS: images out of them, images and emotions into them."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fer_ros.errors import ImageError, SourceError
from fer_ros.messages.images import to_bgr
from fer_ros.types import UInt8Array

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
STORAGES: dict[str, StoragePlugin] = {
    'mcap': StoragePlugin.MCAP,
    'sqlite3': StoragePlugin.SQLITE3,
}
RESERVE_BYTES = 64 << 20
"""Writing stops while the disk has so much left, so that a bag can be finished and others live."""


@dataclass(frozen=True)
class BagImage:
    """One image of a bag.

    Attributes:
        log_ns: when it was recorded, in nanoseconds.
        header: the message's own.
        image: uint8 (H, W, 3) BGR, or an ImageError if it cannot be read.
    """

    log_ns: int
    header: Any
    image: UInt8Array | ImageError


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

    Raises:
        SourceError: there is no such type.
    """
    if kind in store.types:
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


@functools.cache
def _prefixes() -> tuple[Path, ...]:
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    shares = [Path(prefix) / 'share' for prefix in prefixes if prefix]
    return (*shares, Path(__file__).parents[2])


@contextmanager
def open_bag(path: Path) -> Iterator[AnyReader]:
    """Open a bag: its folder, or the .mcap or .db3 file in it.

    Raises:
        SourceError: it is missing, damaged or of an unknown format.
    """
    folder = path.parent if path.suffix in ('.mcap', '.db3') and path.is_file() else path
    if not (folder / 'metadata.yaml').is_file():
        raise SourceError(f'{path} is no bag: {folder / "metadata.yaml"} does not exist')
    try:
        reader = AnyReader([folder], default_typestore=make_typestore())
        reader.open()
    except Exception as error:  # bytes of a file may be anything
        raise SourceError(f'bag {path} cannot be opened: {error}') from error
    try:
        yield reader
    finally:
        reader.close()


def image_topic(reader: AnyReader, topic: str = '') -> str:
    """Return the image topic to read: *topic*, or the only one there is.

    Annotated images are passed over when the topic is not named.

    Raises:
        SourceError: there is none, or several and none is named.
    """
    topics = sorted({c.topic for c in reader.connections if c.msgtype in IMAGE_TYPES})
    if topic:
        full = topic if topic.startswith('/') else f'/{topic}'
        if full not in topics:
            raise SourceError(
                f'the bag has no image topic {full}; it has: {", ".join(topics) or "none"}'
            )
        return full
    cameras = [name for name in topics if not name.endswith('image_annotated')]
    if len(cameras) != 1:
        raise SourceError(
            f'the bag has {len(cameras)} image topics ({", ".join(cameras)}): name one'
            if cameras
            else 'the bag has no images'
        )
    return cameras[0]


def messages(reader: AnyReader, topic: str) -> Iterator[tuple[Connection, int, bytes]]:
    """Yield (connection, time of recording in nanoseconds, bytes) of a topic.

    Raises:
        SourceError: the file is damaged.
    """
    connections = [c for c in reader.connections if c.topic == topic]
    try:
        yield from reader.messages(connections)
    except Exception as error:  # bytes of a file may be anything
        raise SourceError(f'the bag is damaged: {type(error).__name__}: {error}') from error


def bag_images(reader: AnyReader, topic: str) -> Iterator[BagImage]:
    """Yield every image of a topic, raw or compressed; SourceError if the file is damaged."""
    for connection, log_ns, data in messages(reader, topic):
        try:
            message: Any = reader.deserialize(data, connection.msgtype)
        except Exception as error:  # noqa: BLE001 - bytes of a file may be anything
            yield BagImage(log_ns, None, ImageError(f'message cannot be read: {error}'))
            continue
        try:
            image: UInt8Array | ImageError = to_bgr(message)
        except ImageError as error:
            image = error
        yield BagImage(log_ns, message.header, image)


class BagWriter:
    """Writes a bag; a context manager."""

    def __init__(self, path: Path, storage: str = 'mcap') -> None:
        """Begin a bag.

        Args:
            path: folder that must not exist yet.
            storage: one of STORAGES.

        Raises:
            SourceError: it exists, or cannot be written.
        """
        self.store = make_typestore()
        self._path = path
        self._connections: dict[str, Connection] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = Writer(path, version=9, storage_plugin=STORAGES[storage])
            self._writer.open()
        except (WriterError, OSError) as error:
            raise SourceError(f'bag {path} cannot be written: {error}') from error

    def __enter__(self) -> BagWriter:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the bag."""
        self.close()

    def close(self) -> None:
        """Finish the bag.

        Raises:
            SourceError: the disk does not take its end.
        """
        try:
            self._writer.close()
        except (OSError, sqlite3.Error) as error:
            raise SourceError(f'bag {self._path} cannot be finished: {error}') from error

    def make(self, kind: str, **fields: Any) -> Any:
        """Return a message of type *kind*; fer_ros.messages.make.Make says of what.

        Raises:
            SourceError: there is no such type.
        """
        register(self.store, kind)
        return self.store.types[kind](**fields)

    def write(self, topic: str, log_ns: int, message: Any) -> None:
        """Write a message made by make()."""
        kind = message.__msgtype__
        self.write_bytes(topic, kind, log_ns, self.store.serialize_cdr(message, kind))

    def add_topic(self, topic: str, kind: str) -> None:
        """Announce a topic, which writing to it does otherwise.

        Raises:
            SourceError: its type is not installed.
        """
        if topic not in self._connections:
            register(self.store, kind)
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self.store
            )

    def write_bytes(self, topic: str, kind: str, log_ns: int, data: bytes | memoryview) -> None:
        """Write a message that is serialized already.

        Raises:
            SourceError: its type is not installed, or the disk is full but for what the end of the
                bag needs: close it, and all that was written can be read.
        """
        self.add_topic(topic, kind)
        if shutil.disk_usage(self._path).free < len(data) + RESERVE_BYTES:
            raise SourceError(
                f'bag {self._path} ends here: its disk has less than {RESERVE_BYTES >> 20} MB left'
            )
        try:
            self._writer.write(self._connections[topic], log_ns, data)
        except (OSError, sqlite3.Error) as error:
            raise SourceError(f'bag {self._path} cannot be written: {error}') from error

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """Return a std_msgs/Header."""
        stamp = self.make(
            'builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        return self.make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)
