# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The data sets of a run, read, checked, mixed and counted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.datasets import read_faces
from fer_ros.data.face_set import FaceSet
from fer_ros.data.folders import read_unlabelled
from fer_ros.errors import ConfigError, DataError
from fer_ros.types import Float32Array
from training.emotion.config import RunConfig, SetConfig


@dataclass(frozen=True)
class LoadedSets:
    """What a run trains on and chooses by.

    Attributes:
        training: faces of all sets.
        weights: float32 (N,) factor of each training face.
        validation: one set of faces to choose by for every data set that has any.
        counts: {set: {split: {class: faces}}}.
    """

    training: FaceSet
    weights: Float32Array
    validation: tuple[FaceSet, ...]
    counts: dict[str, Any]


def read_set(item: SetConfig, size_px: int) -> FaceSet:
    """Read one data set at the run's face size."""
    cutter = None
    if item.photos:
        from fer_ros.evaluation.photos import face_cutter

        cutter = face_cutter(size_px)
    if item.unlabelled:
        faces = read_unlabelled(Path(item.path), cutter, size_px)
        return dataclasses.replace(faces, name=item.name or faces.name)
    faces = read_faces(
        Path(item.path),
        votes=Path(item.votes) if item.votes else None,
        label_map=item.label_map,
        cut=cutter,
        size_px=size_px,
    )
    return dataclasses.replace(faces, name=item.name or faces.name)


def _check_classes(faces: FaceSet, config: RunConfig) -> None:
    """Raise DataError for a head's class that no training face has."""
    for head in config.heads:
        mass = faces.targets(head.kind, head.classes).sum(axis=0)
        empty = [label for label, amount in zip(head.classes, mass, strict=True) if amount == 0]
        if empty:
            raise DataError(
                f'head {head.name!r}: no training face has the label {", ".join(empty)}; '
                'leave the class out of the head, or add faces'
            )


def load_sets(config: RunConfig) -> LoadedSets:
    """Read all data sets of a run.

    A set without a public_test split gives every tenth training face to choose by instead.

    Raises:
        ConfigError: a set is unlabelled, and there are no teachers.
        DataError: a set cannot be read, or a class has no face.
    """
    training, weights, validation = [], [], []
    counts: dict[str, Any] = {}
    for item in config.sets:
        if item.unlabelled and not config.teachers:
            raise ConfigError(f'sets: {item.path} is unlabelled, so a run needs teachers')
        faces = read_set(item, config.model.size_px)
        if faces.name in counts:
            raise DataError(f'two data sets are called {faces.name!r}; give them names')
        if item.unlabelled:
            counts[faces.name] = {'training': {'unlabelled': len(faces)}}
            training.append(faces)
            weights.append(np.full(len(faces), item.weight, np.float32))
            continue
        counts[faces.name] = faces.counts()
        known = faces.labels >= 0
        known |= faces.votes.sum(axis=1) > 0
        learn = faces[known].split('training')
        if np.any(faces.splits == 1):
            choose = faces[known].split('public_test')
        else:
            held = np.arange(len(learn)) % 10 == 9
            learn, choose = learn[~held], learn[held]
        training.append(learn)
        weights.append(np.full(len(learn), item.weight, np.float32))
        if len(choose):
            validation.append(choose)
    if not validation:
        raise DataError('no face is left to choose by: give a set a public_test split')
    mixed = _joined(training)
    _check_classes(mixed, config)
    weight = np.concatenate(weights)
    if config.max_faces and config.max_faces < len(mixed):
        rng = np.random.default_rng(config.seed)
        rows = rng.choice(len(mixed), config.max_faces, replace=False)
        mixed, weight = mixed[rows], weight[rows]
    return LoadedSets(mixed, weight, tuple(validation), counts)


def _joined(sets: list[FaceSet]) -> FaceSet:
    """Return the faces of all sets one after another."""
    return FaceSet(
        '+'.join(faces.name for faces in sets),
        np.concatenate([faces.images for faces in sets]),
        np.concatenate([faces.splits for faces in sets]),
        np.concatenate([faces.labels for faces in sets]),
        np.concatenate([faces.votes for faces in sets]),
    )
