# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of faces or photos, one folder per class; what holds no face is counted, never lost."""

from __future__ import annotations

import re
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
    'dev': 'public_test',
    'publictest': 'public_test',
    'test': 'private_test',
    'private_test': 'private_test',
    'privatetest': 'private_test',
}
"""Names of folders above the class folders, and the split each means; see ``find_split``."""

NO_CLASS = 'no class'
"""What images are counted under that lie beside the class folders."""

Cutter = Callable[[UInt8Array], UInt8Array | None]
"""From a photo, uint8 (H, W, 3) BGR, to its face, uint8 (S, S); None where there is none."""


def find_split(word: str) -> str | None:
    """Return the split that a word means, whatever its case and separators; None if none."""
    return SPLIT_FOLDERS.get(re.sub(r'[ -]', '_', word.strip().lower()))


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
    root = _root(folder, label_map or {}, own_classes)
    splits = [(item, find_split(item.name)) for item in _folders(root)]
    if not any(split for _, split in splits):
        splits = [(root, default_split)]
    classes = (*EMOTIONS, *own_classes)
    images, labels, numbers, files = [], [], [], []
    left_out: dict[str, Counter[str]] = {}
    for part, split in splits:
        if split is None:
            raise DataError(f'{part} lies beside splits and is none; splits: {list(SPLIT_FOLDERS)}')
        left_out.setdefault(NO_CLASS, Counter())['beside the class folders'] += _images_in(part)
        for class_folder in _folders(part):
            label = _label(class_folder, label_map or {}, classes)
            if not label:
                continue
            _check_order(class_folder)
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
        {label: reasons for label, reasons in left_out.items() if reasons.total()},
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
    parts = _folders(_root(folder, {}, ()))
    if any(find_split(item.name) for item in parts):
        parts = [item for part in parts for item in _folders(part)]
    return list(dict.fromkeys(find_label(item.name) or item.name for item in parts))


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without hidden ones and what macOS leaves in archives."""
    return sorted(item for item in folder.iterdir() if item.is_dir() and not is_hidden(item))


def _root(folder: Path, label_map: Mapping[str, str], own_classes: Sequence[str]) -> Path:
    """Return where classes or splits lie: an archive may be unpacked into a folder of its own."""
    inner = _folders(folder)
    if len(inner) != 1 or not _folders(inner[0]):
        return folder
    name = inner[0].name
    is_known = name in own_classes or find_split(name) or find_label(name, label_map) is not None
    return folder if is_known else _root(inner[0], label_map, own_classes)


def _images_in(folder: Path) -> int:
    return sum(
        path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(path) and path.is_file()
        for path in folder.iterdir()
    )


def _check_order(class_folder: Path) -> None:
    """Refuse splits below a class, which would be mixed."""
    for item in _folders(class_folder):
        if find_split(item.name):
            raise DataError(f'{item}: expected SPLIT/LABEL/image, got LABEL/SPLIT')


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
    for path in sorted(folder.rglob('*')):
        if any(is_hidden(Path(part)) for part in path.relative_to(folder).parts):
            continue
        if path.is_symlink() and not path.is_file():
            left_out['linked folder' if path.is_dir() else 'broken link'] += 1
            continue
        if not path.is_file():
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
