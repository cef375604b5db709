# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes rosbag2 files without ROS."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from fer_ros.data.message_types import make_typestore, register
from fer_ros.errors import SourceError

STORAGES: dict[str, StoragePlugin] = {
    'mcap': StoragePlugin.MCAP,
    'sqlite3': StoragePlugin.SQLITE3,
}
RESERVE_BYTES = 64 << 20
"""Writing stops while the disk has so much left, so that a bag can be finished and others live."""


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
        except (WriterError, OSError, sqlite3.Error) as error:
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
            if self._writer.storage:
                with suppress(OSError, sqlite3.Error):  # It closes the file all the same.
                    self._writer.storage.abort()
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
