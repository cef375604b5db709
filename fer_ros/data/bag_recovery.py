# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of a rosbag2 that rosbags refuses: cut off by a kill, damaged, or with an odd header.

They are read from front to back, without an index, as far as they go.
"""

from __future__ import annotations

import io
import os
import re
import sqlite3
import struct
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
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
MAX_LOST_ROWS = 1 << 20
"""A database that holds nothing readable for so long is taken to end."""

_MCAP_MAGIC = b'\x89MCAP0\r\n'
_HEAD = struct.Struct('<BQ')
_LIKELY_HEAD = re.compile(rb'(?=[\x05\x06].{4}\0{4})', re.DOTALL)
_WINDOW_BYTES = 1 << 20
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 3, 4, 5, 6, 15
_FORMATS = {
    'ros2msg': MessageDefinitionFormat.MSG,
    'ros2idl': MessageDefinitionFormat.IDL,
    'omgidl': MessageDefinitionFormat.IDL,
}


class RecoveredFile:
    """What can be read of a file, with the interface of rosbags' readers.

    Attributes:
        path: of the file.
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
        self.path = path
        with path.open('rb') as stream:
            magic = stream.read(len(_MCAP_MAGIC))
        self._scan = _SCANS.get(magic) or _SCANS[path.suffix.lower().encode()]
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
        chosen = {topic.id: topic for topic in connections}
        for item in self._scan(self.path, self._note):
            if not isinstance(item, Connection) and item[0] in chosen:
                yield chosen[item[0]], item[1], item[2]

    def close(self) -> None:
        """Nothing is held open."""


def _topic(key: int, name: str, kind: str, definition: MessageDefinition) -> Connection:
    return Connection(key, name, kind, definition, '', 0, ConnectionExtRosbag2('cdr', []), None)


def _scan_sqlite(path: Path, note: Callable[[str], None]) -> Iterator[Item]:
    address = f'file:{quote(os.fsencode(path))}?mode=ro&immutable=1'
    nothing = MessageDefinition(MessageDefinitionFormat.NONE, '')
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.execute('PRAGMA writable_schema=ON')  # else a file that was cut is refused
            for key, name, kind in database.execute('SELECT id, name, type FROM topics'):
                yield _topic(key, name, kind, nothing)
            yield from _sqlite_rows(database, note)
    except sqlite3.Error as error:
        note(f'damaged ({error})')


def _sqlite_rows(
    database: sqlite3.Connection, note: Callable[[str], None]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield all messages that can be read; those on damaged pages are jumped over."""
    query = 'SELECT rowid, topic_id, timestamp, data FROM messages WHERE rowid >= ? ORDER BY rowid'
    first, step = 0, 1
    while step < MAX_LOST_ROWS:
        try:
            for row, key, log_ns, data in database.execute(query, (first,)):
                first, step = row + 1, 1
                if isinstance(log_ns, int) and isinstance(data, bytes):
                    yield key, log_ns, data
                else:
                    note('damaged (rows that are no messages)')
            return
        except sqlite3.Error as error:
            note(f'damaged ({error})')
            first += step
            step += 1 + step // 16


def _scan_mcap(path: Path, note: Callable[[str], None]) -> Iterator[Item]:
    schemas: dict[int, tuple[str, MessageDefinition]] = {}
    with path.open('rb') as stream:
        if stream.read(len(_MCAP_MAGIC)) != _MCAP_MAGIC:
            note('damaged (it does not begin as an MCAP file does)')
        for code, content in _records(stream, len(_MCAP_MAGIC), path.stat().st_size, note):
            if code == _DATA_END:
                return
            try:
                if code == _CHUNK:
                    data = _chunk_data(content)
                    for inner, record in _records(io.BytesIO(data), 0, len(data), note):
                        yield from _mcap_item(inner, record, schemas)
                else:
                    yield from _mcap_item(code, content, schemas)
            except (*_ZSTD_ERRORS, ValueError, LookupError, RuntimeError, struct.error) as error:
                note(f'damaged ({str(error)[:80]})')
    note('cut off')


def _records(
    stream: BinaryIO, at: int, size: int, note: Callable[[str], None]
) -> Iterator[tuple[int, bytes]]:
    """Yield (code, content) of the records that lie whole in a stream, and of a chunk cut off."""
    while at + _HEAD.size <= size:
        code, length = _head(stream, at)
        if not _is_record(stream, at, size) and code != _CHUNK:
            note('damaged, or cut off in the middle of a record')
            at = _find_record(stream, at + 1, size)
            continue
        stream.seek(at + _HEAD.size)
        yield code, stream.read(min(length, size - at, MAX_RECORD_BYTES))
        at += _HEAD.size + length


def _head(stream: BinaryIO, at: int) -> tuple[int, int]:
    """Return a record's code and length."""
    stream.seek(at)
    code, length = _HEAD.unpack(stream.read(_HEAD.size))
    return code, length


def _is_record(stream: BinaryIO, at: int, size: int) -> bool:
    """Return whether a record begins here: it ends in the file, and the next one begins there."""
    code, length = _head(stream, at)
    end = at + _HEAD.size + length
    if not 0 < code <= _DATA_END or end > size:
        return False
    return end + _HEAD.size > size or 0 < _head(stream, end)[0] <= _DATA_END


def _find_record(stream: BinaryIO, at: int, size: int) -> int:
    """Return where behind damage the next chunk or message begins; *size* if none does."""
    for start in range(at, size, _WINDOW_BYTES):
        stream.seek(start)
        for match in _LIKELY_HEAD.finditer(stream.read(_WINDOW_BYTES + _HEAD.size - 1)):
            if _is_record(stream, start + match.start(), size):
                return start + match.start()
    return size


_ZSTD_ERRORS = (zstd.ZstdError, EOFError)


def _chunk_data(content: bytes) -> bytes:
    """Return the records in a chunk, which may be cut off."""
    compression, at = _text(content, 28)
    data = content[at + 8 :]
    if compression == 'zstd':
        return zstd.ZstdDecompressor().decompress(data, MAX_RECORD_BYTES)
    if compression == 'lz4':
        return bytes(LZ4FrameDecompressor().decompress(data, max_length=MAX_RECORD_BYTES))
    if compression:
        raise ValueError(f'chunk compression {compression[:20]!r}')
    return data


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


_SCANS: dict[bytes, Callable[[Path, Callable[[str], None]], Iterator[Any]]] = {
    _MCAP_MAGIC: _scan_mcap,
    b'SQLite f': _scan_sqlite,
    b'.mcap': _scan_mcap,
    b'.db3': _scan_sqlite,
}
"""By the first bytes of a file, else by its suffix."""
