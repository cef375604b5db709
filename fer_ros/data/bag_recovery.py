# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of a rosbag2 that rosbags refuses: cut off by a kill, damaged, or with an odd header.

They are read from front to back, without an index, as far as they go.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lz4.frame import LZ4FrameDecompressor
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Message = tuple[Connection, int, bytes]
Item = Connection | tuple[int, int, bytes]
"""A topic, or a message: (its topic's id, time of recording in nanoseconds, content)."""

MAX_RECORD_BYTES = 1 << 30
_MCAP_MAGIC = b'\x89MCAP0\r\n'
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 3, 4, 5, 6, 15
_FORMATS = {
    'ros2msg': MessageDefinitionFormat.MSG,
    'ros2idl': MessageDefinitionFormat.IDL,
    'omgidl': MessageDefinitionFormat.IDL,
}


class RecoveredFile:
    """What can be read of a file, with the interface of rosbags' readers.

    Attributes:
        connections: its topics.
        start_time: of its first message, in nanoseconds.
        end_time: after its last message.
        damage: what is wrong with it, in a few words.
    """

    def __init__(self, path: Path) -> None:
        """Read the file once to learn what is in it.

        Raises:
            ValueError: nothing can be read.
        """
        self._path = path
        self._scan = _SCANS[path.suffix]
        self.damage = ''
        topics: dict[int, Connection] = {}
        counts: Counter[int] = Counter()
        times_ns: list[int] = []
        for item in self._scan(path, self._note):
            if isinstance(item, Connection):
                topics.setdefault(item.id, item)
            else:
                counts[item[0]] += 1
                times_ns.append(item[1])
        if not times_ns:
            raise ValueError(self.damage or 'it holds no message')
        self.connections = [
            topic._replace(msgcount=counts[key], owner=self) for key, topic in topics.items()
        ]
        self.start_time, self.end_time = min(times_ns), max(times_ns) + 1

    def _note(self, damage: str) -> None:
        self.damage = self.damage or damage

    def messages(self, connections: Collection[Connection] = ()) -> Iterator[Message]:
        """Yield the messages of *connections* in the order of the file."""
        wanted = {topic.id: topic for topic in connections}
        for item in self._scan(self._path, self._note):
            if not isinstance(item, Connection) and item[0] in wanted:
                yield wanted[item[0]], item[1], item[2]

    def close(self) -> None:
        """Nothing is held open."""


def _topic(key: int, name: str, kind: str, definition: MessageDefinition) -> Connection:
    return Connection(key, name, kind, definition, '', 0, ConnectionExtRosbag2('cdr', []), None)


def _scan_sqlite(path: Path, note: Callable[[str], None]) -> Iterator[Item]:
    address = f'file:{quote(os.fsencode(path))}?mode=ro&immutable=1'
    nothing = MessageDefinition(MessageDefinitionFormat.NONE, '')
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            for key, name, kind in database.execute('SELECT id, name, type FROM topics'):
                yield _topic(key, name, kind, nothing)
            rows = database.execute('SELECT topic_id, timestamp, data FROM messages')
            for key, log_ns, data in rows:
                yield key, log_ns, bytes(data)
    except (sqlite3.Error, TypeError) as error:
        note(f'damaged ({error}; SQLite\'s own ".recover" may save more)')


def _scan_mcap(path: Path, note: Callable[[str], None]) -> Iterator[Item]:
    schemas: dict[int, tuple[str, MessageDefinition]] = {}
    with path.open('rb') as stream:
        if stream.read(len(_MCAP_MAGIC)) != _MCAP_MAGIC:
            note('not an MCAP file')
            return
        left = path.stat().st_size - len(_MCAP_MAGIC)
        while left >= 9:
            code, length = struct.unpack('<BQ', stream.read(9))
            if code == _DATA_END:
                return
            left -= 9
            if length > min(left, MAX_RECORD_BYTES):
                note('cut off in the middle of a record')
            content = stream.read(min(length, left, MAX_RECORD_BYTES))
            left -= length
            try:
                if code == _CHUNK:
                    for inner, record in _chunk_records(content):
                        yield from _mcap_item(inner, record, schemas)
                elif left >= 0:
                    yield from _mcap_item(code, content, schemas)
            except (*_ZSTD_ERRORS, ValueError, LookupError, RuntimeError, struct.error) as error:
                note(f'damaged ({str(error)[:80]})')
    note('cut off')


_ZSTD_ERRORS = (zstd.ZstdError, EOFError)


def _chunk_records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (code, content) of the records in a chunk, which may be cut off."""
    compression, at = _text(content, 28)
    data = content[at + 8 :]
    if compression == 'zstd':
        data = zstd.ZstdDecompressor().decompress(data, MAX_RECORD_BYTES)
    elif compression == 'lz4':
        data = LZ4FrameDecompressor().decompress(data, max_length=MAX_RECORD_BYTES)
    elif compression:
        raise ValueError(f'chunk compression {compression[:20]!r}')
    at = 0
    while at + 9 <= len(data):
        code, length = struct.unpack_from('<BQ', data, at)
        at += 9 + length
        if at <= len(data):
            yield code, data[at - length : at]


def _mcap_item(
    code: int, content: bytes, schemas: dict[int, tuple[str, MessageDefinition]]
) -> Iterator[Item]:
    """Yield the topic or message that a record holds; remember its schema."""
    if code == _MESSAGE:
        key, _, log_ns = struct.unpack_from('<HIQ', content)
        yield key, log_ns, content[22:]
    elif code == _SCHEMA:
        (key,) = struct.unpack_from('<H', content)
        name, at = _text(content, 2)
        encoding, at = _text(content, at)
        text, _ = _text(content, at)
        kind = _FORMATS.get(encoding, MessageDefinitionFormat.NONE)
        schemas[key] = name, MessageDefinition(kind, text)
    elif code == _CHANNEL:
        key, schema = struct.unpack_from('<HH', content)
        yield _topic(key, _text(content, 4)[0], *schemas[schema])


def _text(content: bytes, at: int) -> tuple[str, int]:
    """Return a string that is preceded by its length, and where it ends."""
    (length,) = struct.unpack_from('<I', content, at)
    end = at + 4 + length
    if end > len(content):
        raise ValueError('a text ends beyond its record')
    return content[at + 4 : end].decode('utf-8', 'replace'), end


_SCANS: dict[str, Callable[[Path, Callable[[str], None]], Iterator[Any]]] = {
    '.mcap': _scan_mcap,
    '.db3': _scan_sqlite,
}
