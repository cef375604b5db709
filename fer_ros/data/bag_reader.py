# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording as it lies on the disk: a folder or a lone file, whole or not, read as one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.rosbag2 import Reader as Rosbag2Reader
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from fer_ros.data.bag_recovery import Message, RecoveredFile
from fer_ros.data.bag_unpacking import PACKED_SUFFIXES, Unpacker, unpack_message
from fer_ros.data.message_types import register
from fer_ros.errors import SourceError
from fer_ros.images.sources import natural_order

BAG_SUFFIXES = ('.mcap', '.db3', '.bag')


class BagReader:
    """All files of a recording, merged by time; rosbag2, or one file of ROS 1.

    metadata.yaml is asked which files belong to it, and for nothing else: people edit it, and a
    recorder that is killed writes none. What is compressed, file or message, says so itself.

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
        with ExitStack() as stack:
            self._unpacker = Unpacker(stack, self.remarks.append)
            self._files = [self._open(file, stack) for file in self._find_files(path)]
            self._stack = stack.pop_all()
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
            if not is_recording(path):
                raise SourceError(f'{path} is not a rosbag2 ({", ".join(BAG_SUFFIXES)})')
            return [path]
        if not path.is_dir():
            raise SourceError(f'bag {path} does not exist')
        metadata = read_metadata(path)
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

    def _open(self, path: Path, stack: ExitStack) -> Any:
        source = self._unpacker.unpacked(path)
        try:
            kind = Rosbag1Reader if source.suffix.lower() == '.bag' else Rosbag2Reader
            reader: Any = kind(source)
            reader.open()
        except Exception as error:  # bytes of a file may be anything
            if source.suffix.lower() == '.bag':
                raise SourceError(f'bag {path} cannot be opened: {error}') from error
            try:
                reader = RecoveredFile(source)
            except (ValueError, OSError) as nothing:
                raise SourceError(f'bag {path} cannot be opened: {error}; {nothing}') from error
            if reader.damage:
                count = sum(topic.msgcount for topic in reader.connections)
                self.remarks.append(f'{path.name} is {reader.damage}: {count} messages are read')
        stack.callback(reader.close)
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
        chosen = {id(connection) for connection in connections}
        parts = [
            self._messages_of(file, own)
            for file in self._files
            if (own := [topic for topic in file.connections if id(topic) in chosen])
        ]
        yield from heapq.merge(*parts, key=lambda message: message[1])

    def _messages_of(self, file: Any, connections: list[Connection]) -> Iterator[Message]:
        last_ns, left, reason = -1, sum(topic.msgcount for topic in connections), ''
        try:
            for connection, log_ns, data in file.messages(connections):
                if isinstance(file, Rosbag1Reader):
                    data = bytes(self._store.ros1_to_cdr(data, connection.msgtype))
                if not isinstance(log_ns, int):
                    raise TypeError(f'time {log_ns!r}')
                last_ns, left = log_ns, left - 1
                yield connection, log_ns, unpack_message(data)
        except Exception as error:  # noqa: BLE001 - bytes of a file may be anything
            reason = f'{type(error).__name__}: {error}'[:200]
        if left > 0 and not reason:
            reason = f'{left} messages are missing'
        if reason:
            remark = f'{file.path.name} is damaged ({reason}): what can be read behind that is read'
            if remark not in self.remarks:
                self.remarks.append(remark)
            yield from _messages_after(file, connections, last_ns)

    def deserialize(self, data: bytes, kind: str) -> Any:
        """Return a message; SourceError if its type is neither in the bag nor installed."""
        register(self._store, kind)
        return self._store.deserialize_cdr(data, kind)

    def close(self) -> None:
        """Give the files back."""
        self._stack.close()


def _messages_after(file: Any, connections: list[Connection], last_ns: int) -> Iterator[Message]:
    """Yield what is left of a rosbag2's file that rosbags did not read to its end."""
    if not isinstance(file, Rosbag2Reader):
        return
    wanted = {(topic.topic, topic.msgtype): topic for topic in connections}
    try:
        recovered = RecoveredFile(Path(str(file.path)))
    except (ValueError, OSError):
        return
    for topic, log_ns, data in recovered.messages(recovered.connections):
        if log_ns > last_ns and (topic.topic, topic.msgtype) in wanted:
            yield wanted[topic.topic, topic.msgtype], log_ns, unpack_message(data)


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
        return found if fits else {}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


def recordings_in(folder: Path) -> list[Path]:
    """Return the files of recordings that lie in *folder* itself, in natural order."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if is_recording(path) and path.is_file() and not path.name.startswith('.')
        ),
        key=natural_order,
    )


def is_recording(path: Path) -> bool:
    """Return whether a file is named as a recording's are, compressed or not."""
    name = Path(path.stem) if path.suffix.lower() in PACKED_SUFFIXES else path
    return name.suffix.lower() in BAG_SUFFIXES


def bag_name(path: Path) -> str:
    """Return a recording's name: its folder's, or its file's without suffixes."""
    name = path.stem if path.suffix.lower() in PACKED_SUFFIXES else path.name
    return Path(name).stem if is_recording(path) else path.name


def are_splits(files: list[Path], name: str) -> bool:
    """Return whether files are named as rosbag2 names the parts of one recording."""
    stems = [bag_name(file) for file in files]
    return all(s.startswith(f'{name}_') and s[len(name) + 1 :].isdecimal() for s in stems)
