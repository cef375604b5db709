# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that are cut off, damaged, compressed or not yet in place: what can be read is."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fer_ros.data import bag_unpacking
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import bag_images, image_topic
from fer_ros.errors import ImageError, SourceError
from fer_ros.messages.images import image_message

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COUNT = 30
ALL = list(range(COUNT))


def write(path: Path, storage: str) -> Path:
    """Write a bag of grey images, number n of brightness n; return its file, without metadata."""
    with BagWriter(path, storage) as writer:
        for number in ALL:
            header = writer.header(number * 10**8, 'camera')
            image = np.full((40, 50, 3), number, np.uint8)
            writer.write('/cam', number * 10**8, image_message(writer.make, image, header))
    (path / 'metadata.yaml').unlink()
    (file,) = path.iterdir()
    return file


@pytest.fixture(params=['mcap', 'sqlite3'])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / 'bag', request.param)


def read(path: Path) -> tuple[list[int], list[str]]:
    """Return the brightness of all images, -1 for one that is damaged, and the remarks."""
    with open_bag(path) as reader:
        found = [item.image for item in bag_images(reader, image_topic(reader))]
        return [-1 if isinstance(i, ImageError) else int(i[0, 0, 0]) for i in found], reader.remarks


def compress_messages(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute('SELECT id, data FROM messages').fetchall()
        database.executemany(
            'UPDATE messages SET data = ? WHERE id = ?',
            [(zstd.compress(data), key) for key, data in rows],
        )
        database.commit()


@pytest.mark.parametrize('share', [0.35, 0.6, 0.97])
def test_a_file_that_a_kill_cut_off_is_read_up_to_the_cut(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: round(share * len(content))])
    brightness, remarks = read(file)
    assert brightness == ALL[: len(brightness)]
    assert len(brightness) >= share * COUNT - 4
    assert [f'{len(brightness)} messages are read' in remark for remark in remarks] == [True]


@pytest.mark.parametrize('at', [0.3, 0.6, 0.9])
def test_what_lies_behind_damage_is_read_too(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    start = round(at * len(content)) // 4096 * 4096
    content[start : start + 4096] = b'\x55' * 4096
    file.write_bytes(content)
    brightness, remarks = read(file)
    assert len(set(brightness) & set(ALL)) >= COUNT - 3
    assert brightness[-1] == ALL[-1]
    assert remarks or len(brightness) == COUNT


@pytest.mark.parametrize('name', ['bag_0.mcap', 'bag_0.db3', 'BAG.MCAP', 'bag_0.DB3'])
def test_a_file_is_what_it_holds_whatever_it_is_called(file: Path, name: str) -> None:
    assert read(file.rename(file.with_name(name)))[0] == ALL


def test_an_mcap_file_that_begins_with_zeros_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / 'bag', 'mcap')
    path.write_bytes(bytes(8) + path.read_bytes()[8:])
    brightness, (remark,) = read(path)
    assert brightness == ALL
    assert 'does not begin as an MCAP file does' in remark


@pytest.mark.parametrize('as_folder', [True, False])
def test_a_compressed_file_is_read(file: Path, as_folder: bool) -> None:
    packed = file.with_name(f'{file.name}.zstd')
    packed.write_bytes(zstd.compress(file.read_bytes()))
    file.unlink()
    assert read(packed.parent if as_folder else packed) == (ALL, [])


def test_a_compressed_file_that_was_cut_off_is_read_up_to_the_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / 'bag', 'mcap')
    content = path.read_bytes()
    packed = path.with_name('bag.mcap.zst')
    # Frames of their own, as of a recorder that flushes: what is before the cut can be unpacked.
    frames = [zstd.compress(content[at : at + 9000]) for at in range(0, len(content), 9000)]
    packed.write_bytes(b''.join(frames)[:-9])
    path.unlink()
    brightness, remarks = read(packed)
    assert brightness == ALL[: len(brightness)]
    assert len(brightness) > COUNT // 2
    assert 'bag.mcap.zst cannot be unpacked to its end' in remarks[0]
    monkeypatch.setattr(bag_unpacking, 'RESERVE_BYTES', 1 << 62)
    with pytest.raises(SourceError, match=r'cannot be unpacked: .* has no room for the copy'):
        read(packed)


def test_compressed_messages_are_read_and_one_that_is_damaged_costs_no_other(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / 'bag', 'sqlite3')
    compress_messages(path)
    assert read(path) == (ALL, [])
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE messages SET data = x'28b52ffd00' WHERE id = 4")
        database.execute("UPDATE messages SET data = 'text' WHERE id = 6")
        database.execute("UPDATE messages SET timestamp = 'soon' WHERE id = 8")
        database.commit()
    brightness, remarks = read(path)
    assert [n for n in brightness if n >= 0] == [n for n in ALL if n + 1 not in (4, 6, 8)]
    assert "time 'soon'" in remarks[0]


def test_messages_that_a_killed_recorder_left_in_the_journal_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / 'whole', 'sqlite3')
    killed = tmp_path / 'killed'
    killed.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute('PRAGMA journal_mode=WAL').fetchall()
        database.execute('PRAGMA wal_autocheckpoint=0').fetchall()
        rows = database.execute('SELECT topic_id, timestamp, data FROM messages').fetchall()
        later = [(key, time_ns + 10**10, data) for key, time_ns, data in rows]
        insert = 'INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)'
        database.executemany(insert, later)
        database.commit()
        for name in (path.name, f'{path.name}-wal'):
            shutil.copy(path.with_name(name), killed)
    before = {item.name: item.read_bytes() for item in killed.iterdir()}
    assert read(killed) == ([*ALL, *ALL], [])
    assert {item.name: item.read_bytes() for item in killed.iterdir()} == before
    (killed / f'{path.name}-wal').write_bytes(b'corrupt')
    assert read(killed) == (ALL, [])
