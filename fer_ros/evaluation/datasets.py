# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Readers of labelled faces: FER2013 as npz or csv, FER+ votes by row, folders of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_ros.errors import DataError
from fer_ros.evaluation.face_set import FaceSet
from fer_ros.labels import EMOTIONS, FER2013_EMOTIONS, FERPLUS_COLUMN_TO_EMOTION
from fer_ros.types import Float32Array

MIN_VOTES = 2
"""FER+'s protocol: a class with fewer votes in a row is noise."""


def vote_shares(votes: np.ndarray, columns: tuple[str, ...]) -> Float32Array:
    """Return float32 (N, 8) class shares of FER+ votes by its protocol.

    Counts of one are dropped; a row whose plurality is 'unknown' or 'NF' (no face) becomes all
    zero, and so does a row without any vote left.

    Args:
        votes: integer (N, K) counts.
        columns: the K column names of FER+.
    """
    counts = np.where(votes < MIN_VOTES, 0, votes).astype(np.float32)
    names = [FERPLUS_COLUMN_TO_EMOTION.get(column) for column in columns]
    is_class = np.array([name is not None for name in names])
    shares = np.zeros((len(votes), len(EMOTIONS)), np.float32)
    for column, name in enumerate(names):
        if name is not None:
            shares[:, EMOTIONS.index(name)] += counts[:, column]
    others = counts[:, ~is_class]
    rejected = others.max(axis=1, initial=0) > shares.max(axis=1)
    shares[rejected] = 0
    total = shares.sum(axis=1, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)


def read_npz(path: Path) -> FaceSet:
    """Read ``images``, ``labels``, ``usage`` and, where there, ``ferplus`` with its names."""
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except (OSError, ValueError) as error:
        raise DataError(f'{path} cannot be read: {error}') from error
    for name in ('images', 'labels', 'usage'):
        if name not in arrays:
            raise DataError(f'{path}: array {name!r} is missing')
    count = len(arrays['images'])
    votes = np.zeros((count, len(EMOTIONS)), np.float32)
    if 'ferplus' in arrays and 'ferplus_names' in arrays:
        votes = vote_shares(arrays['ferplus'], tuple(str(n) for n in arrays['ferplus_names']))
    labels = arrays['labels'].astype(np.int64)
    if labels.size and not (labels.min() >= 0 and labels.max() < len(FER2013_EMOTIONS)):
        raise DataError(f'{path}: labels must be 0 to 6, found {labels.min()} to {labels.max()}')
    return FaceSet(path.stem, arrays['images'], arrays['usage'].astype(np.uint8), labels, votes)


def read_faces(path: Path, votes: Path | None = None, label_map: dict[str, str] | None = None,
               cut=None, size_px: int = 48) -> FaceSet:
    return read_npz(path)
