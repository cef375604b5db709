# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the detector's training images are made of: cut-out faces, and scenes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_ros.errors import DataError
from fer_ros.types import UInt8Array
from training.detector.collage import CutOut, LabelledFaces, make_pyramid
from training.detector.labels import PhotoLabels
from training.detector.photos import read_fer2013, read_folder

Scene = tuple[UInt8Array, LabelledFaces]


@dataclass(frozen=True)
class Stock:
    """Everything collages are made of: cut-out faces (large and small photos) and scenes."""

    portraits: list[CutOut]
    thumbnails: list[CutOut]
    peopled: list[Scene]
    empty: list[Scene]

    def split(self, every: int) -> tuple[Stock, Stock]:
        """Return the stock without, and made of, every *every*-th item."""
        lists = (self.portraits, self.thumbnails, self.peopled, self.empty)
        kept = [[x for i, x in enumerate(items) if i % every] for items in lists]
        held = [items[::every] for items in lists]
        return Stock(*kept), Stock(*held)


def load_cut_outs(
    photos: Mapping[str, UInt8Array], labels: PhotoLabels, least: float
) -> list[CutOut]:
    """Return the photos' best faces where the teachers agree by at least *least*.

    Raises:
        DataError: a labelled photo is not there.
    """
    found = []
    for row, name in enumerate(labels.names):
        mine = np.flatnonzero(labels.photo == row)
        if not len(mine):
            continue
        best = mine[np.argmax(labels.agreement[mine] + labels.scores[mine])]
        if labels.agreement[best] < least:
            continue
        if name not in photos:
            raise DataError(f'photo {name} is labelled but not there')
        pyramid = make_pyramid(photos[name])
        found.append(CutOut(pyramid, labels.boxes_xyxy[best], labels.landmarks[best]))
    return found


def load_scenes(
    photos: Mapping[str, UInt8Array], labels: PhotoLabels, not_people: Collection[str] = ()
) -> tuple[list[Scene], list[Scene]]:
    """Return scenes with people and without.

    A face is sure where most teachers' passes agree and their mean score is high; candidates that
    few passes see are taken for what they mostly are, no face; those between are left open. Photos
    named in *not_people* were looked at by a person: what the teachers found there is no face.
    """
    peopled, empty = [], []
    for row, name in enumerate(labels.names):
        candidates = (labels.photo == row) & (labels.agreement >= 0.3) & (name not in not_people)
        mine = np.flatnonzero(candidates)
        sure = (labels.agreement[mine] >= 0.6) & (labels.scores[mine] >= 0.5)
        faces = LabelledFaces(labels.boxes_xyxy[mine], labels.landmarks[mine], sure)
        (peopled if sure.any() else empty).append((photos[name], faces))
    return peopled, empty


def load_stock(
    data: Path, labels: Path, not_people: Collection[str] = (), thumbnails: bool = True
) -> Stock:
    """Read portraits, scenes and, for *thumbnails*, FER2013 under *data*, labels under *labels*.

    Raises:
        DataError: something is missing or damaged.
    """
    portraits = load_cut_outs(
        dict(read_folder(data / 'portraits')), PhotoLabels.load(labels / 'portraits.npz'), 0.3
    )
    small = []
    if thumbnails:
        small = load_cut_outs(
            dict(read_fer2013(data / 'fer2013.npz')), PhotoLabels.load(labels / 'fer2013.npz'), 0.3
        )
    scenes = load_scenes(
        dict(read_folder(data / 'scenes')), PhotoLabels.load(labels / 'scenes.npz'), not_people
    )
    return Stock(portraits, small, *scenes)
