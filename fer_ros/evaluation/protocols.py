# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How published figures of FER2013 and FER+ were measured, so that like is compared with like.

``plurality`` is the plain one: every face with a label, one prediction each. The others differ in
one thing only: ``majority`` leaves out faces on which no class has more than half of the votes
(the FER+ paper's own program, arXiv 1608.01041), ``no-duplicates`` leaves out faces that occur in
the training split, and ``ten-crop`` averages the probabilities of ten crops of each face.
"""

from __future__ import annotations

import numpy as np

from fer_ros.data.face_set import FaceSet, occurs_in
from fer_ros.data.folders import resized
from fer_ros.errors import ConfigError, DataError
from fer_ros.types import BoolArray, UInt8Array

PROTOCOLS: tuple[str, ...] = ('plurality', 'majority', 'no-duplicates', 'ten-crop')

CROP_SHARE = 0.9
"""Side of each of the ten crops, as a share of the face's."""


def counted_faces(faces: FaceSet, split: str, kind: str, protocol: str) -> BoolArray:
    """Return bool (N,): which faces of a split a protocol counts.

    Args:
        faces: all splits of a data set.
        split: one of SPLITS.
        kind: 'fer2013' or 'ferplus'.
        protocol: one of PROTOCOLS.

    Raises:
        ConfigError: the protocol does not go with the labels.
        DataError: the protocol needs what the data does not hold.
        ValueError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f'protocol: expected one of {", ".join(PROTOCOLS)}, got {protocol!r}')
    chosen = faces.split(split)
    if protocol == 'majority':
        if kind != 'ferplus':
            raise ConfigError(f'protocol majority needs votes: labels ferplus, got {kind}')
        return chosen.agreed()
    if protocol == 'no-duplicates':
        learned = faces.images[faces.splits == 0]
        if not len(learned) or split == 'training':
            raise DataError(
                f'{faces.name}: protocol no-duplicates compares {split} with a training split'
                f'{" of the same data" if split != "training" else ", not with itself"}'
            )
        return ~occurs_in(chosen.images, learned)
    return np.ones(len(chosen), bool)


def ten_crops(images: UInt8Array) -> UInt8Array:
    """Return uint8 (10, N, S, S): corners and centre of each face, enlarged, then their mirrors.

    Args:
        images: uint8 (N, S, S) or (N, S, S, 3).
    """
    side = images.shape[1]
    crop = round(CROP_SHARE * side)
    end, middle = side - crop, (side - crop) // 2
    corners = ((0, 0), (0, end), (end, 0), (end, end), (middle, middle))
    crops = np.stack([resized(images[:, y : y + crop, x : x + crop], side) for y, x in corners])
    return np.concatenate([crops, crops[:, :, :, ::-1]])
