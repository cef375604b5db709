# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Readers of labelled faces: FER2013 as npz or csv, FER+ votes by row, folders of classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fer_ros.data.face_set import NO_LABEL, SPLITS, FaceSet
from fer_ros.data.folders import FER2013_SIDE_PX, Cutter, find_split, read_folder, resized
from fer_ros.data.tables import read_table
from fer_ros.errors import DataError, shorten
from fer_ros.labels import (
    EMOTIONS,
    FER2013_EMOTIONS,
    FERPLUS_COLUMN_TO_EMOTION,
    LABEL_MAPS,
    find_label,
)
from fer_ros.types import Float32Array, Int64Array, UInt8Array

MIN_VOTES = 2
"""FER+'s protocol: a class with fewer votes in a row is noise."""

MAX_VOTES = 1000

MAX_ARCHIVE_BYTES = 8_000_000_000


def vote_shares(votes: np.ndarray, columns: tuple[str, ...]) -> Float32Array:
    """Return float32 (N, 8) class shares of FER+ votes by its protocol (arXiv 1608.01041).

    Counts of one are dropped; a row whose plurality is 'unknown' or 'NF' (no face) becomes all
    zero, and so does a row without any vote left. Shares are of all votes left: where a row sums
    to less than 1, the rest went to 'unknown' and 'NF'.

    Args:
        votes: integer (N, K) counts.
        columns: the K column names of FER+.
    """
    counts = np.where(votes < MIN_VOTES, 0, votes).astype(np.float32)
    names = [FERPLUS_COLUMN_TO_EMOTION.get(column) for column in columns]
    shares = np.zeros((len(votes), len(EMOTIONS)), np.float32)
    for column, name in enumerate(names):
        if name is not None:
            shares[:, EMOTIONS.index(name)] += counts[:, column]
    others = counts[:, [name is None for name in names]]
    shares[others.max(axis=1, initial=0) > shares.max(axis=1)] = 0
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)


def read_npz(path: Path) -> FaceSet:
    """Read ``images``, ``labels``, ``usage`` and, where there, ``ferplus`` with its names."""
    try:
        # numpy leaves the file open where it finds that it is damaged.
        with path.open('rb') as stream, np.load(stream, allow_pickle=False) as content:
            unpacked_bytes = sum(member.file_size for member in content.zip.infolist())
            if unpacked_bytes > MAX_ARCHIVE_BYTES:
                raise DataError(f'more than {MAX_ARCHIVE_BYTES} bytes when unpacked')
            arrays = {name: np.asarray(content[name]) for name in content.files}
    except Exception as error:  # bytes of a file may be anything
        raise DataError(f'{path} cannot be read: {error}') from error
    for name in ('images', 'labels', 'usage'):
        if name not in arrays:
            raise DataError(f'{path}: array {name!r} is missing')
    images, labels, usage = arrays['images'], arrays['labels'], arrays['usage']
    if images.ndim != 3 or images.dtype != np.uint8 or images.shape[1] != images.shape[2]:
        got = f'{images.dtype} {images.shape}'
        raise DataError(f'{path}: images must be uint8 (N, S, S), got {got}')
    _check_numbers(labels, len(images), len(FER2013_EMOTIONS), f'{path}: labels')
    _check_numbers(usage, len(images), len(SPLITS), f'{path}: usage')
    votes = np.zeros((len(images), len(EMOTIONS)), np.float32)
    if 'ferplus' in arrays:
        counts, names = arrays['ferplus'], np.atleast_1d(arrays.get('ferplus_names', ()))
        if counts.shape != (len(images), len(names)) or counts.dtype.kind not in 'iu':
            raise DataError(
                f'{path}: ferplus needs ferplus_names and one row of whole numbers per face, '
                f'got {counts.dtype} {counts.shape} and {len(names)} names'
            )
        votes = vote_shares(counts, tuple(str(name) for name in names))
    return FaceSet(path.stem, images, usage.astype(np.uint8), labels.astype(np.int64), votes)


def _check_numbers(values: np.ndarray, count: int, classes: int, name: str) -> None:
    """Raise DataError unless *values* is (count,) of whole numbers below *classes*."""
    if values.shape != (count,) or values.dtype.kind not in 'iu':
        raise DataError(f'{name} must be {count} whole numbers, got {values.dtype} {values.shape}')
    if count and not (values.min() >= 0 and values.max() < classes):
        raise DataError(f'{name} must be 0 to {classes - 1}, got {values.min()} to {values.max()}')


def _face(text: str, where: str) -> UInt8Array:
    """Return uint8 (48, 48) from a csv's pixel column."""
    pixels = FER2013_SIDE_PX**2
    try:
        values = np.array(text.split(), np.int64)
    except (ValueError, OverflowError):
        values = _numbers_of_a_list(text, where)
    if len(values) != pixels:
        raise DataError(f'{where}: expected {pixels} pixels, got {len(values)}')
    if values.min() < 0 or values.max() > 255:
        raise DataError(f'{where}: pixels must be 0 to 255')
    return values.astype(np.uint8).reshape(FER2013_SIDE_PX, FER2013_SIDE_PX)


def _numbers_of_a_list(text: str, where: str) -> Int64Array:
    """Return whole numbers as Python prints lists of them, such as '[70.0, 80.0]'."""
    try:
        values = np.array(text.strip('[]').replace(',', ' ').split(), np.float64)
        if (values == np.trunc(values)).all() and (np.abs(values) < 1e9).all():
            return values.astype(np.int64)
    except ValueError:
        pass
    raise DataError(f'{where}: pixels must be whole numbers, got {shorten(text, 40)!r}')


def read_csv(
    path: Path,
    votes: Path | None = None,
    words: Mapping[str, str] | None = None,
    default_split: str = 'training',
) -> FaceSet:
    """Read ``fer2013.csv`` or ``icml_face_data.csv``, and FER+'s votes for it where given.

    Args:
        path: columns emotion (0 to 6, or words), pixels and perhaps usage or split in any order;
            see ``read_table``.
        votes: FER+'s ``fer2013new.csv``; joined by row.
        words: what labels mean where it is not what FER2013's numbers and ``find_label`` say;
            '' for none.
        default_split: of faces without a usage.
    """
    images, labels, splits = [], [], []
    known = {**LABEL_MAPS['fer2013'], **(words or {})}
    for line, row in read_table(path, ('emotion', 'pixels')):
        where = f'{path}, line {line}'
        label = find_label(row['emotion'], known)
        if label is None:
            raise DataError(
                f'{where}: unknown label {row["emotion"][:40]!r}; expected 0 to 6, a word, or a '
                'label map (--label-map)'
            )
        usage = row.get('usage', '') or row.get('split', '')
        split = find_split(usage) if usage else default_split
        if split is None:
            raise DataError(
                f'{where}: usage {usage[:40]!r} is not one of Training, PublicTest, PrivateTest, '
                'train, val, test'
            )
        images.append(_face(row['pixels'], where))
        labels.append(EMOTIONS.index(label) if label else NO_LABEL)
        splits.append(SPLITS.index(split))
    if not images:
        raise DataError(f'{path} holds no face')
    shares = np.zeros((len(images), len(EMOTIONS)), np.float32)
    if votes is not None:
        shares = read_votes(votes)
        if len(shares) != len(images):
            raise DataError(f'{votes} has {len(shares)} rows, {path} has {len(images)}')
    return FaceSet(
        path.stem,
        np.stack(images),
        np.array(splits, np.uint8),
        np.array(labels, np.int64),
        shares,
    )


def read_votes(path: Path) -> Float32Array:
    """Read FER+'s csv of votes; returns float32 (N, 8) class shares."""
    columns = (*FERPLUS_COLUMN_TO_EMOTION, 'unknown', 'nf')
    counts = []
    for line, row in read_table(path, columns):
        try:
            votes = [_whole(row[column]) for column in columns]
        except (ValueError, OverflowError) as error:
            raise DataError(f'{path}, line {line}: votes must be whole numbers') from error
        if not 0 <= min(votes) <= max(votes) <= MAX_VOTES:
            raise DataError(f'{path}, line {line}: votes must be 0 to {MAX_VOTES}')
        counts.append(votes)
    return vote_shares(np.array(counts, np.int64).reshape(-1, len(columns)), columns)


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(f'{text} is not a whole number')
    return int(number)


def read_faces(
    path: Path,
    votes: Path | None = None,
    label_map: Mapping[str, str] | None = None,
    cut: Cutter | None = None,
    size_px: int = FER2013_SIDE_PX,
    default_split: str = 'training',
    own_classes: Sequence[str] = (),
) -> FaceSet:
    """Read any labelled faces: an .npz, a .csv, or a folder of classes; see the readers.

    Raises:
        DataError: it cannot be read, or does not hold what it should.
    """
    if path.is_dir():
        return read_folder(path, label_map, cut, size_px, default_split, own_classes)
    if not path.is_file():
        raise DataError(f'{path} does not exist')
    classes, label_map = (*EMOTIONS, *own_classes), label_map or {}
    words = {word: label for word, label in label_map.items() if word not in EMOTIONS}
    if path.suffix.lower() == '.npz':
        faces = read_npz(path)
    elif path.suffix.lower() in ('.csv', '.tsv'):
        faces, words = read_csv(path, votes, words, default_split), {}
    else:
        raise DataError(f'{path}: expected a .npz, a .csv or a folder of classes')
    labels = faces.labels.copy()
    for old, new in label_map.items():
        if old in words or (new and new not in classes):
            raise DataError(f'label map: {old!r} to {new!r} is not between known labels')
        if old in EMOTIONS:
            labels[faces.labels == EMOTIONS.index(old)] = classes.index(new) if new else NO_LABEL
    return dataclasses.replace(
        faces,
        images=resized(faces.images, size_px),
        labels=labels,
        votes=np.pad(faces.votes, ((0, 0), (0, len(own_classes)))),
        files=tuple(map(str, range(len(labels)))),
        classes=classes,
    )
