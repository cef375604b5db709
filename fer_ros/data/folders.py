# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of faces or photos, one folder per class; what holds no face is counted, never lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_ros.data.face_set import NO_LABEL, SPLITS, FaceSet
from fer_ros.errors import DataError, ImageError
from fer_ros.images.decoding import decode_image
from fer_ros.images.heif import CAN_READ_HEIC, HEIC_SUFFIXES
from fer_ros.images.sources import IMAGE_SUFFIXES, is_hidden
from fer_ros.labels import EMOTIONS, LABEL_MAPS, find_label
from fer_ros.types import UInt8Array

FER2013_SIDE_PX = 48

MIN_DEVIATION = 1.0
"""A face whose grey levels deviate less is flat: a lost alpha channel, or 10 bits in 16."""

SPLIT_FOLDERS: dict[str, str] = {
    'train': 'training',
    'training': 'training',
    'val': 'public_test',
    'valid': 'public_test',
    'validation': 'public_test',
    'public_test': 'public_test',
    'test': 'private_test',
    'private_test': 'private_test',
}
"""Names of folders above the class folders, and the split each means."""

Cutter = Callable[[UInt8Array], UInt8Array | None]
"""From a photo, uint8 (H, W, 3) BGR, to its face, uint8 (S, S); None where there is none."""


def read_folder(
    folder: Path,
    label_map: Mapping[str, str] | None = None,
    cut: Cutter | None = None,
    size_px: int = FER2013_SIDE_PX,
    default_split: str = 'training',
    own_classes: Sequence[str] = (),
) -> FaceSet:
    """Read ``LABEL/image`` or ``SPLIT/LABEL/image``; each label counts as its face's only vote.

    Images may lie at any depth below their label. What holds no face to learn from is counted in
    ``left_out``; hidden files and folders are ignored.

    Args:
        folder: its sub-folders are classes, or splits (see SPLIT_FOLDERS) that hold classes.
        label_map: from a folder's name to its class; '' leaves a class out.
        cut: finds the face of a photo; without it every image is taken for a face already cut out.
        size_px: side of the result.
        default_split: where there are no split folders.
        own_classes: class names beside EMOTIONS.

    Raises:
        DataError: an unknown label, or a class without a face.
    """
    splits = [(item, SPLIT_FOLDERS.get(item.name.lower())) for item in _folders(folder)]
    if not any(split for _, split in splits):
        splits = [(folder, default_split)]
    classes = (*EMOTIONS, *own_classes)
    images, labels, numbers, files = [], [], [], []
    left_out: dict[str, Counter[str]] = {}
    for part, split in splits:
        if split is None:
            raise DataError(f'{part} is neither a split nor a class; splits: {list(SPLIT_FOLDERS)}')
        for class_folder in _folders(part):
            label = _label(class_folder, label_map or {}, classes)
            if not label:
                continue
            reasons = left_out.setdefault(label, Counter())
            for path, face in _faces_of_folder(class_folder, cut, size_px, reasons):
                images.append(face)
                files.append(path.relative_to(part).as_posix())
                labels.append(classes.index(label))
                numbers.append(SPLITS.index(split))
    if not images:
        raise DataError(f'{folder} holds no class folder with a face')
    votes = np.zeros((len(images), len(classes)), np.float32)
    votes[np.arange(len(images)), labels] = 1.0
    return FaceSet(
        folder.name,
        np.stack(images),
        np.array(numbers, np.uint8),
        np.array(labels, np.int64),
        votes,
        tuple(files),
        classes,
        {label: reasons for label, reasons in left_out.items() if reasons},
    )


def read_unlabelled(
    folder: Path, cut: Cutter | None = None, size_px: int = FER2013_SIDE_PX
) -> FaceSet:
    """Read all faces under a folder, with no label and no vote, to train on.

    Args:
        folder: images lie in it or at any depth below.
        cut: as in ``read_folder``.
        size_px: side of the result.

    Raises:
        DataError: it is not a folder, or holds no face.
    """
    if not folder.is_dir():
        raise DataError(f'{folder} is not a folder of images')
    reasons: Counter[str] = Counter()
    paths, images = zip(*_faces_of_folder(folder, cut, size_px, reasons))
    count = len(images)
    return FaceSet(
        folder.name,
        np.stack(images),
        np.full(count, SPLITS.index('training'), np.uint8),
        np.full(count, NO_LABEL, np.int64),
        np.zeros((count, len(EMOTIONS)), np.float32),
        tuple(path.relative_to(folder).as_posix() for path in paths),
        left_out={'unlabelled': reasons} if reasons else {},
    )


def class_folders(folder: Path) -> list[str]:
    """Return the class names that a folder of classes has: known words as their class."""
    parts = _folders(folder)
    if any(item.name.lower() in SPLIT_FOLDERS for item in parts):
        parts = [item for part in parts for item in _folders(part)]
    return list(dict.fromkeys(find_label(item.name) or item.name for item in parts))


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without hidden ones and what macOS leaves in archives."""
    return sorted(item for item in folder.iterdir() if item.is_dir() and not is_hidden(item))


def _label(class_folder: Path, label_map: Mapping[str, str], classes: tuple[str, ...]) -> str:
    """Return the class a folder's name means, '' for one that is left out."""
    name = class_folder.name
    label = name if name in classes and name not in label_map else find_label(name, label_map)
    if label is None or (label and label not in classes):
        numbers = f'{", ".join(LABEL_MAPS)}: each numbers the classes differently'
        raise DataError(
            f'{class_folder}: unknown label {label or name!r}; expected one of '
            f'{", ".join(classes)}, or give a label map '
            f'({numbers if name.isdecimal() else f"{name}=LABEL"})'
        )
    return label


def _faces_of_folder(
    folder: Path, cut: Cutter | None, size_px: int, left_out: Counter[str]
) -> Iterator[tuple[Path, UInt8Array]]:
    """Yield the path and the face, uint8 (S, S), of each image; count the others by reason."""
    found = False
    for path in sorted(item for item in folder.rglob('*') if item.is_file()):
        if any(is_hidden(Path(part)) for part in path.relative_to(folder).parts):
            continue
        face, reason = _face_of_file(path, cut)
        if face is None:
            left_out[reason] += 1
        else:
            found = True
            yield path, resized(face[None], size_px)[0]
    if not found:
        said = ', '.join(f'{count} {reason}' for reason, count in left_out.most_common())
        raise DataError(f'{folder} is empty: no face ({said or "no file"})')


def _face_of_file(path: Path, cut: Cutter | None) -> tuple[UInt8Array | None, str]:
    """Return the face in a file, or None and why there is none."""
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES or (suffix in HEIC_SUFFIXES and not CAN_READ_HEIC):
        return None, suffix or 'without a suffix'
    try:
        flag = cv2.IMREAD_GRAYSCALE if cut is None else cv2.IMREAD_COLOR
        image = decode_image(np.fromfile(path, np.uint8), flag)
    except (ImageError, OSError):
        return None, 'damaged'
    face = image if cut is None else cut(image)
    if face is None:
        return None, 'without a face'
    return (None, 'flat') if face.std() < MIN_DEVIATION else (face, '')


def resized(images: UInt8Array, size_px: int) -> UInt8Array:
    """Return uint8 (N, size_px, size_px); by area where it shrinks."""
    if images.shape[1:] == (size_px, size_px):
        return images
    result = np.empty((len(images), size_px, size_px), np.uint8)
    method = cv2.INTER_AREA if images.shape[1] > size_px else cv2.INTER_LINEAR
    for row, image in enumerate(images):
        result[row] = cv2.resize(image, (size_px, size_px), interpolation=method)
    return result
