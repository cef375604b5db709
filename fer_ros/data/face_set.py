# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled faces in memory: what every reader returns, and what training and evaluation take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fer_ros.errors import DataError, counted
from fer_ros.labels import EMOTIONS, FER2013_EMOTIONS, FERPLUS_COLUMN_TO_EMOTION
from fer_ros.types import BoolArray, Float32Array, Int64Array, UInt8Array

SPLITS: tuple[str, ...] = ('training', 'public_test', 'private_test')
"""FER2013's own split names; to train on, to choose by, to report once."""

LABEL_KINDS: tuple[str, ...] = ('fer2013', 'ferplus')
"""One label per face in FER2013's seven classes; ten people's votes in FER+'s eight."""

NO_LABEL = -1

TIE_ORDER: tuple[str, ...] = tuple(FERPLUS_COLUMN_TO_EMOTION.values())
"""Where votes tie, the class that is first here counts: FER+'s columns, as argmax takes them."""


@dataclass(frozen=True)
class FaceSet:
    """Faces with what people said of them.

    Attributes:
        name: what this set is called in reports.
        images: uint8 (N, S, S) grey.
        splits: uint8 (N,); index into SPLITS.
        labels: int64 (N,); index into *classes*, NO_LABEL where there is none.
        votes: float32 (N, C); shares of the votes in the order of *classes*, each row summing to 1
            or to less where others found no emotion; all zero where the row has no valid votes.
        files: where each face came from: its path below the folder, or its row in the file; empty
            where nobody needs it.
        classes: the C class names; EMOTIONS, and after them any of one's own.
        left_out: {class folder: {reason: files}} that hold no face to learn from.
    """

    name: str
    images: UInt8Array
    splits: UInt8Array
    labels: Int64Array
    votes: Float32Array
    files: tuple[str, ...] = ()
    classes: tuple[str, ...] = EMOTIONS
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the arrays are of the same faces."""
        count = len(self.images)
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise ValueError(
                f'{self.name}: expected images uint8 (N, S, S), '
                f'got {self.images.dtype} {self.images.shape}'
            )
        for name, array, shape in (
            ('splits', self.splits, (count,)),
            ('labels', self.labels, (count,)),
            ('votes', self.votes, (count, len(self.classes))),
        ):
            if array.shape != shape:
                raise ValueError(f'{self.name}: {name} must be {shape}, got {array.shape}')
        if self.files and len(self.files) != count:
            raise ValueError(f'{self.name}: {len(self.files)} files for {count} faces')

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.images)

    def __getitem__(self, index: Int64Array | BoolArray | slice) -> FaceSet:
        """Return the faces that *index* selects, in its order."""
        return replace(
            self,
            images=self.images[index],
            splits=self.splits[index],
            labels=self.labels[index],
            votes=self.votes[index],
            files=tuple(np.array(self.files)[index].tolist()) if self.files else (),
        )

    def split(self, name: str) -> FaceSet:
        """Return the faces of one split.

        Raises:
            ValueError: *name* is not one of SPLITS.
            DataError: the split is empty.
        """
        if name not in SPLITS:
            raise ValueError(f'split: expected one of {", ".join(SPLITS)}, got {name!r}')
        rows = np.flatnonzero(self.splits == SPLITS.index(name))
        if not len(rows):
            raise DataError(f'{self.name} has no face in split {name!r}')
        return self[rows]

    def targets(self, kind: str, labels: tuple[str, ...] = ()) -> Float32Array:
        """Return float32 (N, C) class shares for a head; all-zero rows carry no such label.

        Args:
            kind: 'fer2013' gives the one label, 'ferplus' the votes.
            labels: the C classes; those of the kind by default. A label outside them counts as
                none, votes outside them are dropped.
        """
        chosen = classes_of(kind, labels)
        if kind == 'fer2013':
            shares = np.zeros((len(self), len(self.classes)), np.float32)
            rows = np.flatnonzero(self.labels != NO_LABEL)
            shares[rows, self.labels[rows]] = 1.0
        else:
            shares = self.votes
        columns = {label: shares[:, place] for place, label in enumerate(self.classes)}
        missing = np.zeros(len(self), np.float32)
        shares = np.stack([columns.get(label, missing) for label in chosen], axis=1)
        total = shares.sum(axis=1, keepdims=True)
        return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)

    def class_targets(self, kind: str, labels: tuple[str, ...] = ()) -> Int64Array:
        """Return int64 (N,): each face's class, an index into *labels*; NO_LABEL where it has none.

        With kind 'ferplus' it is the plurality of the votes, a tie counting as TIE_ORDER says.

        Args:
            kind: as in ``targets``.
            labels: as in ``targets``.
        """
        shares = self.targets(kind, labels)
        chosen = classes_of(kind, labels)
        ranks = {label: rank for rank, label in enumerate(TIE_ORDER)}
        order = np.array(sorted(range(len(chosen)), key=lambda i: ranks.get(chosen[i], len(ranks))))
        first = order[shares[:, order].argmax(axis=1)]
        return np.where(shares.sum(axis=1) > 0, first, NO_LABEL)

    def agreed(self) -> BoolArray:
        """Return bool (N,): faces of which more than half of the votes say the same.

        By these the FER+ paper's own program measures (``majority`` there).
        """
        return np.asarray(self.votes.max(axis=1) > 0.5)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return {split: {class: number of faces}}; the class is the label, else the plurality."""
        plurality = self.class_targets('ferplus', self.classes)
        classes = np.where(self.labels == NO_LABEL, plurality, self.labels)
        return {
            split: {
                label: int(np.sum((self.splits == number) & (classes == index)))
                for index, label in enumerate(self.classes)
            }
            for number, split in enumerate(SPLITS)
        }

    def summary(self) -> list[str]:
        """Return a line for each class: how many faces it has, and what was left out and why."""
        names = [*self.classes, *(name for name in self.left_out if name not in self.classes)]
        lines = []
        for index, label in enumerate(names):
            faces = int(np.sum(self.labels == index)) if index < len(self.classes) else len(self)
            reasons = self.left_out.get(label, {})
            if faces or reasons:
                files = ', '.join(f'{count} {reason}' for reason, count in reasons.items())
                left_out = counted(sum(reasons.values()), 'file')
                tail = f'; {left_out} left out ({files})' if reasons else ''
                lines.append(f'{label}: {counted(faces, "face")}{tail}')
        return lines


def classes_of(kind: str, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return *labels*, or else the classes of a kind of labels.

    Raises:
        ValueError: *kind* is not one of LABEL_KINDS.
    """
    if kind not in LABEL_KINDS:
        raise ValueError(f'labels: expected one of {", ".join(LABEL_KINDS)}, got {kind!r}')
    return labels or (FER2013_EMOTIONS if kind == 'fer2013' else EMOTIONS)


def occurs_in(images: UInt8Array, others: UInt8Array) -> BoolArray:
    """Return bool (N,): which images also occur, pixel for pixel, among *others*."""
    known = {image.tobytes() for image in others}
    return np.array([image.tobytes() in known for image in images], bool)
