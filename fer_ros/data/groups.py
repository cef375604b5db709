# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which faces belong together, so that no copy or neighbour of a training face is tested on.

Faces of one group lie on one side of every split. A group is made of copies (however they are
called, resized or compressed), of frames that follow one another in a video, and of whatever lies
in a folder of its own below the class folder, such as one person's photos.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from fer_ros.types import Int64Array, UInt8Array

HASH_SIDE = 16
COPY_BITS = 20
"""Copies differ in no more of the 256 bits: see test_groups.py."""
NEIGHBOUR_BITS = 60
"""Faces of consecutive frames differ in no more."""
MAX_STEP = 3
"""Largest difference of the numbers of consecutive frames, some of which may hold no face."""
CHUNK = 512

NUMBERED = re.compile(r'(.*?)(\d+)')


def difference_hashes(images: UInt8Array) -> np.ndarray:
    """Return uint64 (N, 4): whether each cell of a 16x16 grid is darker than the one to its right.

    Args:
        images: uint8 (N, S, S) grey.
    """
    small = np.empty((len(images), HASH_SIDE, HASH_SIDE + 1), np.uint8)
    for row, image in enumerate(images):
        small[row] = cv2.resize(image, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA)
    bits = small[:, :, :-1] < small[:, :, 1:]
    return np.packbits(bits.reshape(len(images), -1), axis=1).view(np.uint64)


def group_faces(images: UInt8Array, files: Sequence[str] = ()) -> Int64Array:
    """Return int64 (N,): the number of each face's group, from 0.

    Args:
        images: uint8 (N, S, S) grey.
        files: path of each face below its data set, ``class/file`` or ``class/person/file``; empty
            where only copies are to be found.
    """
    parents = list(range(len(images)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    hashes = difference_hashes(images)
    for first, second in (*_copies(hashes), *_neighbours(files, hashes), *_together(files)):
        parents[root(first)] = root(second)
    _, groups = np.unique([root(row) for row in range(len(images))], return_inverse=True)
    return groups.astype(np.int64)


def _copies(hashes: np.ndarray) -> Iterator[tuple[int, int]]:
    for start in range(0, len(hashes), CHUNK):
        some = hashes[start : start + CHUNK]
        for first, second in np.argwhere(_distances(some[:, None], hashes[None]) <= COPY_BITS):
            if start + first < second:
                yield int(start + first), int(second)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the number of bits in which hashes (…, 4) differ."""
    different = np.ascontiguousarray(first ^ second).view(np.uint8)
    return np.unpackbits(different, axis=-1).sum(axis=-1, dtype=np.int64)


def _neighbours(files: Sequence[str], hashes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield faces whose files have consecutive numbers and which look alike."""
    numbered: dict[str, list[tuple[int, int]]] = {}
    for row, name in enumerate(files):
        match = NUMBERED.fullmatch(name.rpartition('.')[0])
        if match:
            numbered.setdefault(match[1], []).append((int(match[2]), row))
    for places in numbered.values():
        places.sort()
        for (before, first), (after, second) in itertools.pairwise(places):
            alike = _distances(hashes[first], hashes[second]) <= NEIGHBOUR_BITS
            if alike and after - before <= MAX_STEP:
                yield first, second


def _together(files: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield faces that lie in one folder below a class folder, in whichever class."""
    first_of: dict[str, int] = {}
    for row, name in enumerate(files):
        below = name.split('/')[1:-1]
        if below:
            yield first_of.setdefault('/'.join(below), row), row


def folds(groups: Int64Array, targets: Int64Array, count: int, seed: int = 0) -> Int64Array:
    """Return int64 (N,): the fold of each face; a group lies in one, classes are spread evenly.

    Args:
        groups: int64 (N,).
        targets: int64 (N,).
        count: of folds, at most; there are no more than groups.
        seed: of the order of the groups.
    """
    names, sizes = np.unique(groups, return_counts=True)
    count = min(count, len(names))
    filled = np.zeros((count, int(targets.max()) + 1))
    result = np.zeros(len(groups), np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    for place in shuffled[np.argsort(-sizes[shuffled], kind='stable')]:
        rows = groups == names[place]
        mine = np.bincount(targets[rows], minlength=filled.shape[1])
        # Where these classes are rarest, and of several such folds the emptiest.
        best = min(range(count), key=lambda fold: (filled[fold] @ mine, filled[fold].sum()))
        filled[best] += mine
        result[rows] = best
    return result
