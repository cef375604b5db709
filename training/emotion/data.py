# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The data sets of a run, read, checked, split, mixed and counted."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.datasets import read_faces
from fer_ros.data.face_set import NO_LABEL, FaceSet
from fer_ros.data.folders import read_unlabelled
from fer_ros.data.groups import folds, group_faces
from fer_ros.errors import ConfigError, DataError
from fer_ros.evaluation.photos import face_cutter
from fer_ros.types import BoolArray, Float32Array
from training.emotion.config import RunConfig, SetConfig

VALIDATION_FOLDS = 10
"""A set without a validation split gives one part in ten."""


@dataclass(frozen=True)
class LoadedSets:
    """What a run trains on and validates with.

    Attributes:
        training: faces of all sets.
        weights: float32 (N,) factor of each training face.
        validation: one validation set for every data set that has any.
        data: what was read, for the run's ``data.json``.
        notes: sentences for people about what was left out or is too small.
    """

    training: FaceSet
    weights: Float32Array
    validation: tuple[FaceSet, ...]
    data: dict[str, Any]
    notes: tuple[str, ...]


def read_set(item: SetConfig, size_px: int, own_classes: tuple[str, ...] = ()) -> FaceSet:
    """Read one data set at the run's face size."""
    cutter = face_cutter(size_px) if item.photos else None
    if item.unlabelled:
        faces = read_unlabelled(Path(item.path), cutter, size_px)
        votes = np.pad(faces.votes, ((0, 0), (0, len(own_classes))))
        faces = dataclasses.replace(faces, votes=votes, classes=(*faces.classes, *own_classes))
    else:
        faces = read_faces(
            Path(item.path),
            votes=Path(item.votes) if item.votes else None,
            label_map=item.label_map,
            cut=cutter,
            size_px=size_px,
            own_classes=own_classes,
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


def held_back(faces: FaceSet) -> tuple[BoolArray, int]:
    """Return bool (N,), the faces of a validation set, and how many are copies or neighbours.

    A tenth of each class, whole groups at a time; every class keeps at least one group to train on.
    """
    groups = group_faces(faces.images, faces.files)
    joined = len(groups) - int(groups.max()) - 1
    targets = np.where(faces.labels == NO_LABEL, faces.votes.argmax(axis=1), faces.labels)
    for label in np.unique(targets):
        mine = np.flatnonzero(targets == label)
        if len(np.unique(groups[mine])) == 1:
            # One video of a class: a validation set with its like is better than one without it.
            _, exact = np.unique(
                faces.images[mine].reshape(len(mine), -1), axis=0, return_inverse=True
            )
            groups[mine] = groups.max() + 1 + exact
    held = folds(groups, targets, VALIDATION_FOLDS) == 0
    for label in np.unique(targets):
        mine = np.flatnonzero(targets == label)
        if held[mine].all():
            held[np.isin(groups, groups[mine])] = False
    return held, joined


def load_sets(config: RunConfig) -> LoadedSets:
    """Read all data sets of a run.

    Raises:
        ConfigError: a set is unlabelled, and there are no teachers.
        DataError: a set cannot be read, or a class has no face.
    """
    training, weights, validation, notes = [], [], [], []
    counts: dict[str, Any] = {}
    for item in config.sets:
        if item.unlabelled and not config.teachers:
            raise ConfigError(f'sets: {item.path} is unlabelled, so a run needs teachers')
        faces = read_set(item, config.model.size_px, config.own_classes)
        if faces.name in counts:
            raise DataError(f'two data sets are called {faces.name!r}; give them names')
        learn, choose, counts[faces.name], said = _split(faces, item.unlabelled)
        notes += [f'{faces.name}: {line}' for line in said]
        training.append(learn)
        weights.append(np.full(len(learn), item.weight, np.float32))
        if len(choose):
            validation.append(choose)
    if not validation:
        raise DataError(
            'no face is left for a validation set: add faces, or give a set a public_test split'
        )
    mixed, weight = _joined(training), np.concatenate(weights)
    _check_classes(mixed, config)
    if config.max_faces and config.max_faces < len(mixed):
        rng = np.random.default_rng(config.seed)
        rows = rng.choice(len(mixed), config.max_faces, replace=False)
        mixed, weight = mixed[rows], weight[rows]
    counts['fingerprint'] = _fingerprint(mixed, *validation)
    return LoadedSets(mixed, weight, tuple(validation), counts, tuple(notes))


def _split(
    faces: FaceSet, unlabelled: bool
) -> tuple[FaceSet, FaceSet, dict[str, Any], list[str]]:
    """Return a set's training faces, its validation faces, their counts and what to say."""
    notes = list(faces.summary()) if faces.left_out else []
    counts: dict[str, Any] = {'training': {'unlabelled': len(faces)}}
    learn, choose = faces, faces[:0]
    if not unlabelled:
        counts = dict(faces.counts())
        known = faces[(faces.labels >= 0) | (faces.votes.sum(axis=1) > 0)]
        learn = known.split('training')
        if np.any(faces.splits == 1):
            choose = known.split('public_test')
        else:
            held, copies = held_back(learn)
            learn, choose = learn[~held], learn[held]
            counts |= {'validation': len(choose), 'copies_and_neighbours': copies}
            if copies:
                notes.append(
                    f'{copies} faces are copies or neighbours of others and lie on the same side '
                    'of the split'
                )
    if faces.left_out:
        counts['left_out'] = {label: dict(why) for label, why in faces.left_out.items()}
    return learn, choose, counts, notes


def _fingerprint(*sets: FaceSet) -> str:
    """Return a digest of the faces and what is said of them, in order."""
    digest = hashlib.sha256()
    for faces in sets:
        for array in (faces.images, faces.labels, faces.votes):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _joined(sets: list[FaceSet]) -> FaceSet:
    """Return the faces of all sets one after another."""
    return FaceSet(
        '+'.join(faces.name for faces in sets),
        np.concatenate([faces.images for faces in sets]),
        np.concatenate([faces.splits for faces in sets]),
        np.concatenate([faces.labels for faces in sets]),
        np.concatenate([faces.votes for faces in sets]),
        classes=sets[0].classes,
    )
