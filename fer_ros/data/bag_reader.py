# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording as it lies on the disk: a folder or a lone file, whole or not, read as one."""

from __future__ import annotations

import functools
import heapq
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.rosbag2 import Reader as Rosbag2Reader
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fer_ros.data.bag_recovery import Message, RecoveredFile
from fer_ros.errors import SourceError
from fer_ros.images.sources import natural_order

BAG_SUFFIXES = ('.mcap', '.db3', '.bag')


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


class BagReader:
    """All files of a recording, merged by time; rosbag2, or one file of ROS 1.

    metadata.yaml is asked which files belong to it and how they are compressed, and for nothing
    else: people edit it, and a recorder that is killed writes none.

    Attributes:
        connections: topics with type, number of messages and QoS; one per file.
        start_time: of the first message, in nanoseconds.
        end_time: after the last message.
        remarks: what is wrong with the recording and was borne, in a sentence each.
    """

    def __init__(self, path: Path) -> None:
        """Open a recording.

        Raises:
            SourceError: it is missing, of an unknown format, or nothing in it can be read.
        """
        self.remarks: list[str] = []
        self._files = [self._open(file) for file in self._find_files(path)]
        self.connections = [topic for file in self._files for topic in file.connections]
        filled = [file for file in self._files if any(c.msgcount for c in file.connections)]
        self.start_time = min((file.start_time for file in filled), default=0)
        self.end_time = max((file.end_time for file in filled), default=0)
        self._store = get_typestore(Stores.ROS2_JAZZY)
        self._add_types()

    @property
    def duration(self) -> int:
        """Nanoseconds from the first message to the last."""
        return int(self.end_time - self.start_time)

    def _find_files(self, path: Path) -> list[Path]:
        if path.is_file():
            if path.suffix not in BAG_SUFFIXES:
                raise SourceError(f'{path} is not a rosbag2 ({", ".join(BAG_SUFFIXES)})')
            return [path]
        if not path.is_dir():
            raise SourceError(f'bag {path} does not exist')
        metadata = read_metadata(path)
        if metadata.get('compression_mode', '').lower() in ('file', 'message'):
            return [path]  # rosbags knows how to unpack it
        listed = [path / Path(name).name for name in metadata.get('relative_file_paths') or ()]
        for missing in (file for file in listed if not file.is_file()):
            self.remarks.append(f'{missing.name}, which metadata.yaml lists, is missing')
        found = [file for file in listed if file.is_file()] or recordings_in(path)
        if not found:
            raise SourceError(f'{path} is not a rosbag2: it holds no {" or ".join(BAG_SUFFIXES)}')
        if not listed and len(found) > 1 and not are_splits(found, path.name):
            names = ', '.join(file.name for file in found)
            raise SourceError(f'{path} holds several recordings ({names}): name one')
        return found

    def _open(self, path: Path) -> Any:
        reader = None
        try:
            reader = Rosbag1Reader(path) if path.suffix == '.bag' else Rosbag2Reader(path)
            reader.open()
        except Exception as error:  # bytes of a file may be anything
            if path.suffix not in ('.mcap', '.db3'):
                raise SourceError(f'bag {path} cannot be opened: {error}') from error
            try:
                recovered = RecoveredFile(path)
            except (ValueError, OSError) as nothing:
                raise SourceError(f'bag {path} cannot be opened: {error}; {nothing}') from error
            if recovered.damage:
                count = sum(topic.msgcount for topic in recovered.connections)
                self.remarks.append(
                    f'{path.name} is {recovered.damage}: {count} messages before that are read'
                )
            return recovered
        journal = Path(f'{path}-wal')
        if journal.is_file() and journal.stat().st_size:
            self.remarks.append(f'{journal.name} is not read: the recorder was killed before')
        return reader

    def _add_types(self) -> None:
        """Learn what is not part of ROS from the bag; a type that makes no sense is left out."""
        for connection in self.connections:
            definition = connection.msgdef
            if connection.msgtype in self._store.types or not definition.data:
                continue
            text = definition.data.replace('\r\n', '\n')
            try:
                types = (
                    get_types_from_idl(text)
                    if definition.format == MessageDefinitionFormat.IDL
                    else get_types_from_msg(text, connection.msgtype)
                )
                self._store.register({k: v for k, v in types.items() if k not in self._store.types})
            except Exception as error:  # noqa: BLE001 - a definition in a file may be anything
                reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
                self.remarks.append(f'type {connection.msgtype} is not understood: {reason}')

    def messages(self, connections: list[Connection]) -> Iterator[Message]:
        """Yield (connection, time of recording in nanoseconds, bytes) in order of time.

        Where a file is damaged they end, and the remarks say so. Bytes are CDR, as in ROS 2.
        """
        wanted = {id(connection) for connection in connections}
        parts = [
            self._messages_of(file, own)
            for file in self._files
            if (own := [topic for topic in file.connections if id(topic) in wanted])
        ]
        yield from heapq.merge(*parts, key=lambda message: message[1])

    def _messages_of(self, file: Any, connections: list[Connection]) -> Iterator[Message]:
        try:
            for connection, log_ns, data in file.messages(connections):
                if isinstance(file, Rosbag1Reader):
                    data = bytes(self._store.ros1_to_cdr(data, connection.msgtype))
                yield connection, log_ns, data
        except Exception as error:  # noqa: BLE001 - bytes of a file may be anything
            reason = f'{type(error).__name__}: {error}'[:200]
            remark = f'the bag ends early, it is damaged ({reason})'
            if remark not in self.remarks:
                self.remarks.append(remark)

    def deserialize(self, data: bytes, kind: str) -> Any:
        """Return a message; SourceError if its type is neither in the bag nor installed."""
        register(self._store, kind)
        return self._store.deserialize_cdr(data, kind)

    def close(self) -> None:
        """Give the files back."""
        for file in self._files:
            file.close()


@contextmanager
def open_bag(path: Path) -> Iterator[BagReader]:
    """Open a recording: a rosbag2's folder, or a .mcap, .db3 or .bag file.

    Raises:
        SourceError: it is missing, of an unknown format, or nothing in it can be read.
    """
    reader = BagReader(path)
    try:
        yield reader
    finally:
        reader.close()


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return what metadata.yaml says, or nothing where it is missing or makes no sense."""
    try:
        content = yaml.safe_load((folder / 'metadata.yaml').read_text('utf-8', 'replace'))
        found = content['rosbag2_bagfile_information']
        names = found.get('relative_file_paths') or []
        fits = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return found if fits and isinstance(found.get('compression_mode', ''), str) else {}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


def recordings_in(folder: Path) -> list[Path]:
    """Return the files of recordings that lie in *folder* itself, in natural order."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix in BAG_SUFFIXES and path.is_file() and not path.name.startswith('.')
        ),
        key=natural_order,
    )


def are_splits(files: list[Path], name: str) -> bool:
    """Return whether files are named as rosbag2 names the parts of one recording."""
    return all(
        file.stem.startswith(f'{name}_') and file.stem[len(name) + 1 :].isdecimal()
        for file in files
    )
