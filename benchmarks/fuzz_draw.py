# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes values, and damaged files, of the bytes that a fuzzer gives."""

from __future__ import annotations

import functools
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

ODD = (
    b'\0\0\0\0',
    b'\xff\xff\xff\xff',
    b'\x7f\xff\xff\xff',
    b'\0\0\0\x80',
    b'-1',
    b'nan',
    b'9' * 9,
)
Option = TypeVar('Option')


class Draw:
    """Takes values from bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data, self._at = data, 0

    def raw(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken.ljust(count, b'\0')

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        span = high - low + 1
        return low + int.from_bytes(self.raw((span.bit_length() + 7) // 8), 'little') % span

    def pick(self, options: Sequence[Option]) -> Option:
        """Return one of *options*."""
        return options[self.integer(0, len(options) - 1)]

    def number(self) -> float:
        """Return any float, the odd ones often."""
        odd = (0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1.0, 0.5, 1e-320)
        choice = self.integer(0, 2 * len(odd))
        return odd[choice] if choice < len(odd) else float(np.frombuffer(self.raw(4), '<f4')[0])

    def rest(self) -> bytes:
        """Return what is left."""
        return self._data[self._at :]


def corrupted(draw: Draw, files: Sequence[bytes]) -> bytes:
    """Return one of *files* with up to four places changed, or what is left as it is."""
    choice = draw.integer(0, len(files))
    if choice == len(files):
        return draw.rest()
    content = bytearray(files[choice])
    for _ in range(draw.integer(0, 4)):
        kind, at = draw.integer(0, 7), draw.integer(0, len(content))
        piece = draw.pick(ODD) if kind & 1 else draw.raw(draw.integer(1, 8))
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


def odd_value(draw: Draw) -> Any:
    """Return a value as JSON, YAML or a ROS parameter may hold it."""
    kind = draw.integer(0, 9)
    if kind < 3:
        return draw.number()
    if kind < 5:
        return draw.integer(-(2**63), 2**63 - 1) >> draw.integer(0, 63)
    words = ('', 'litert', 'haar', 'default', 'emotion', '../x', 'happy', '\x00', 'é' * 9, '1')
    simple: tuple[Any, ...] = (None, True, False, [], {}, [1.5] * 5, [[1, 2]] * 5, ['happy', 'sad'])
    return draw.pick(words) if kind < 8 else draw.pick(simple)
