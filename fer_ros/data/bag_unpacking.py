# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that are compressed, or whose last messages still lie in SQLite's journal."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from fer_ros.data.bag_recovery import MAX_RECORD_BYTES
from fer_ros.data.bag_writer import RESERVE_BYTES
from fer_ros.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED_SUFFIXES = ('.zstd', '.zst')
_ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
_BLOCK_BYTES = 1 << 20


class Unpacker:
    """Makes, in a temporary folder, files of a recording that can be read as they are."""

    def __init__(self, stack: ExitStack, remark: Callable[[str], None]) -> None:
        """Remember who removes the folder and who is told what could not be unpacked."""
        self._stack, self._remark = stack, remark

    def unpacked(self, path: Path) -> Path:
        """Return *path*, or a copy of it that is unpacked or holds what its journal holds.

        Raises:
            SourceError: it cannot be read, or the disk has no room for the copy.
        """
        journal = Path(f'{path}-wal')
        is_packed = path.suffix.lower() in PACKED_SUFFIXES
        if not is_packed and not (journal.is_file() and journal.stat().st_size):
            return path
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix='fer-')))
        target = folder / (path.stem if is_packed else path.name)
        try:
            if is_packed:
                self._unzip(path, target)
            else:
                self._add_journal(path, journal, target)
        except OSError as error:
            raise SourceError(f'bag {path} cannot be unpacked: {error}') from error
        return target

    def _unzip(self, path: Path, target: Path) -> None:
        with path.open('rb') as packed, target.open('wb') as file:
            stream = zstd.ZstdFile(packed)
            try:
                while block := stream.read1(_BLOCK_BYTES):
                    _check_room(target, len(block))
                    file.write(block)
            except (zstd.ZstdError, EOFError) as error:
                self._remark(f'{path.name} cannot be unpacked to its end: {error}')

    def _add_journal(self, path: Path, journal: Path, target: Path) -> None:
        _check_room(target, path.stat().st_size + journal.stat().st_size)
        shutil.copyfile(path, target)
        shutil.copyfile(journal, f'{target}-wal')
        try:
            with closing(sqlite3.connect(target)) as database:
                database.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()
        except sqlite3.Error as error:
            self._remark(f'{journal.name} cannot be read: {error}')


def _check_room(target: Path, count: int) -> None:
    if shutil.disk_usage(target.parent).free < count + RESERVE_BYTES:
        raise OSError(f'{target.parent} has no room for the copy (TMPDIR names another folder)')


def unpack_message(data: bytes) -> bytes:
    """Return a message's bytes, unpacked if they are; as they are if they cannot be."""
    if data[:4] != _ZSTD_MAGIC:
        return data
    try:
        return zstd.ZstdDecompressor().decompress(data, MAX_RECORD_BYTES)
    except (zstd.ZstdError, MemoryError):
        return data
