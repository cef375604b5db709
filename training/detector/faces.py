# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos with the faces that are known on them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_ros.errors import DataError
from fer_ros.geometry import pairwise_iou
from fer_ros.types import BoolArray, Float32Array, UInt8Array
from training.detector.labels import FLIPPED_LANDMARKS, PhotoLabels, read_photos

LEAST_AGREEMENT, CERTAIN_AGREEMENT, CERTAIN_SCORE = 0.3, 0.6, 0.5
"""Candidates on which fewer of the teacher's passes agree are no faces; those below the other two
are left open."""
BOX_MIN_IOU = 0.35
"""Overlap from which a box drawn by hand and one of the teacher's are the same face."""
CROP_STEP = 4
"""Of the crops, with one face each, every so-manieth is a portrait beside the others."""
HELD_BACK_SHARE = 10
"""The last so-manieth part of each folder is held back."""


@dataclass(frozen=True)
class LabelledFaces:
    """Faces of one image: float32 boxes (N, 4) and landmarks (N, 5, 2) px; bool certain (N,).

    Landmarks nobody knows are NaN. Faces that are not certain may be found or missed.
    """

    boxes_xyxy: Float32Array
    landmarks: Float32Array
    certain: BoolArray

    @classmethod
    def empty(cls) -> LabelledFaces:
        """Return no faces."""
        return cls(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))

    @classmethod
    def join(cls, parts: list[LabelledFaces]) -> LabelledFaces:
        """Return the faces of all *parts*, at least one."""
        return cls(
            np.concatenate([part.boxes_xyxy for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.certain for part in parts]),
        )

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.certain)

    @property
    def sides_px(self) -> Float32Array:
        """Return float32 (N,): the root of each box's area."""
        sides = np.clip(self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2], 0, None)
        return np.sqrt(sides.prod(axis=1))

    def warped(self, matrix: np.ndarray) -> LabelledFaces:
        """Return the faces after an affine transform, float (2, 3).

        A face is about an ellipse: its box becomes that of the transformed ellipse.
        """
        linear, shift = matrix[:, :2], matrix[:, 2]
        centres = (self.boxes_xyxy[:, :2] + self.boxes_xyxy[:, 2:]) / 2 @ linear.T + shift
        halves = (self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2]) / 2
        halves = np.sqrt(halves**2 @ (linear**2).T)
        landmarks = self.landmarks @ linear.T + shift
        if np.linalg.det(linear) < 0:
            landmarks = landmarks[:, FLIPPED_LANDMARKS]
        boxes = np.concatenate([centres - halves, centres + halves], axis=1)
        return LabelledFaces(boxes.astype(np.float32), landmarks.astype(np.float32), self.certain)


@dataclass(frozen=True)
class Photo:
    """A photo, uint8 (H, W, 3) BGR, and what is known of the faces on it.

    *complete* says that there are no others, whatever a teacher takes for a face.
    """

    name: str
    image: UInt8Array
    faces: LabelledFaces
    complete: bool


def read_drawn_boxes(path: Path) -> dict[str, Float32Array]:
    """Return float32 (N, 4) xyxy boxes drawn by hand for each photo that *path* names.

    Raises:
        DataError: the file is damaged; one that is not there names no photo.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        boxes = {k: np.array(v, np.float32).reshape(-1, 4) for k, v in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f'{path}: {error}') from error
    return {k: np.concatenate([v[:, :2], v[:, :2] + v[:, 2:]], axis=1) for k, v in boxes.items()}


def with_drawn_boxes(faces: LabelledFaces, drawn_xyxy: Float32Array) -> LabelledFaces:
    """Return *faces* made certain by boxes drawn by hand, and faces that only the boxes show.

    Candidates without a drawn box are left open.
    """
    overlaps = pairwise_iou(drawn_xyxy, faces.boxes_xyxy)
    matched = overlaps >= BOX_MIN_IOU
    missed = drawn_xyxy[~matched.any(axis=1)]
    return LabelledFaces(
        np.concatenate([faces.boxes_xyxy, missed]),
        np.concatenate([faces.landmarks, np.full((len(missed), 5, 2), np.nan, np.float32)]),
        np.concatenate([matched.any(axis=0), np.ones(len(missed), bool)]),
    )


def label_photos(
    photos: Mapping[str, UInt8Array],
    labels: PhotoLabels,
    drawn: Mapping[str, Float32Array],
    not_people: Collection[str],
    complete: bool,
) -> list[Photo]:
    """Return the photos with the faces on which most of the teacher's passes agree.

    Photos in *not_people* were checked by eye: what the teacher found on them are no faces.
    """
    labelled = []
    for row, name in enumerate(map(str, labels.names)):
        mine = (labels.photo == row) & (labels.agreement >= LEAST_AGREEMENT)
        rows = np.flatnonzero(mine & (name not in not_people))
        certain = (labels.agreement[rows] >= CERTAIN_AGREEMENT) & (
            labels.scores[rows] >= CERTAIN_SCORE
        )
        faces = LabelledFaces(labels.boxes_xyxy[rows], labels.landmarks[rows], certain)
        if name in drawn:
            faces = with_drawn_boxes(faces, drawn[name])
        if name not in photos:
            raise DataError(f'photo {name} is labelled but not there')
        labelled.append(Photo(name, photos[name], faces, complete))
    return labelled


@dataclass(frozen=True)
class PhotoSets:
    """Photos by what they are used for."""

    people: list[Photo]
    portraits: list[Photo]
    scenes: list[Photo]

    def split(self) -> tuple[PhotoSets, PhotoSets]:
        """Return what is trained on and what is held back: the end of each folder.

        Photos that lie side by side resemble each other, so that neighbours stay on one side.
        """
        parts = [_split(photos) for photos in (self.people, self.portraits, self.scenes)]
        kept, held = zip(*parts)
        return PhotoSets(*kept), PhotoSets(*held)


def _split(photos: list[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Return the photos without, and those at, the end of each folder."""
    folders: dict[str, list[Photo]] = {}
    for photo in photos:
        folders.setdefault(photo.name.rpartition('/')[0], []).append(photo)
    kept, held = [], []
    for members in folders.values():
        end = len(members) - len(members) // HELD_BACK_SHARE
        kept += members[:end]
        held += members[end:]
    return kept, held


def load_photos(data: Path, labels: Path, not_people: Collection[str]) -> PhotoSets:
    """Read people, portraits, crops of faces and scenes under *data*; labels under *labels*.

    Raises:
        DataError: something is missing or damaged.
    """
    drawn = read_drawn_boxes(data / 'people' / 'masks_crowd_boxes.json')
    people, portraits, crops, scenes = (
        label_photos(
            dict(read_photos(data / name)),
            PhotoLabels.load(labels / f'{name}.npz'),
            drawn if name == 'people' else {},
            not_people if name == 'scenes' else (),
            complete=name == 'scenes',
        )
        for name in ('people', 'portraits', 'faces', 'scenes')
    )
    return PhotoSets(people, portraits + crops[::CROP_STEP], scenes)
