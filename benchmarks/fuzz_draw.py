# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws values, and damaged files, for the fuzz targets."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

ODD = (
    b'\0\0\0\0',
    b'\xff\xff\xff\xff',
    b'\x7f\xff\xff\xff',
    b'\0\0\0\x80',
    b'-1',
    b'nan',
    b'9' * 9,
)
ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        ('', 'litert', 'haar', 'default', 'emotion', '../x', 'happy', '\x00', 'é' * 9, '1')
    ),
    st.sampled_from((None, True, False, [], {}, [1.5] * 5, [[1, 2]] * 5, ['happy', 'sad'])),
)
"""What JSON, YAML or a ROS parameter may hold."""

Option = TypeVar('Option')


class Draw:
    """Hypothesis's draws, in the words that the targets use."""

    def __init__(self, data: st.DataObject) -> None:
        """Draw from *data*."""
        self.of = data.draw

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return self.of(st.integers(low, high))

    def pick(self, options: Sequence[Option]) -> Option:
        """Return one of *options*."""
        return self.of(st.sampled_from(options))

    def float32(self) -> float:
        """Return any float of four bytes."""
        return self.of(st.floats(width=32))

    def raw(self, low: int, high: int) -> bytes:
        """Return *low* to *high* bytes."""
        return self.of(st.binary(min_size=low, max_size=high))


def corrupted(draw: Draw, files: Sequence[bytes]) -> bytes:
    """Return one of *files* with up to four places changed, or what is left as it is."""
    choice = draw.integer(0, len(files))
    if choice == len(files):
        return draw.raw(0, 100)
    content = bytearray(files[choice])
    for _ in range(draw.integer(0, 4)):
        kind, at = draw.integer(0, 7), draw.integer(0, len(content))
        piece = draw.pick(ODD) if kind & 1 else draw.raw(1, 8)
        if kind < 5:
            content[at : at + len(piece)] = piece
        elif kind == 5:
            content[at:at] = piece
        else:
            del content[at : at + len(piece) ** (kind - 5)]
    return bytes(content)


@functools.cache
def scratch() -> Path:
    """Return a folder in memory where there is one; the process's own."""
    memory = Path('/dev/shm')
    return Path(tempfile.mkdtemp(prefix='fer_fuzz_', dir=memory if memory.is_dir() else None))


def clean_up() -> None:
    """Remove the files that targets have written."""
    shutil.rmtree(scratch(), ignore_errors=True)


def scratch_file(name: str, content: bytes) -> Path:
    """Write a file; returns its path, the same for the same name."""
    path = scratch() / name
    path.write_bytes(content)
    return path
