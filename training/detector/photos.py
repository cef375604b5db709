# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where training images come from: folders of photos, and FER2013's split Training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fer_ros.errors import DataError
from fer_ros.types import UInt8Array

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
FER2013_TRAINING = 0

Photo = tuple[str, UInt8Array]
"""Name and image, uint8 (H, W, 3) BGR."""


def list_photos(folder: Path) -> list[Path]:
    """Return the image files of *folder* in order of name.

    Raises:
        DataError: there is none.
    """
    photos = sorted(p for p in folder.glob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
    if not photos:
        raise DataError(f'no images in {folder}')
    return photos


def read_folder(folder: Path) -> Iterator[Photo]:
    """Yield the photos of *folder* in order of name.

    Raises:
        DataError: the folder holds no image, or one that cannot be read.
    """
    for path in list_photos(folder):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f'{path} is not an image')
        yield path.name, image


def read_fer2013(path: Path) -> Iterator[Photo]:
    """Yield the images of FER2013's split Training as BGR; the name is the row.

    Raises:
        DataError: the file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            images, usage = content['images'], content['usage']
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f'{path}: {error}') from error
    for row in np.flatnonzero(usage == FER2013_TRAINING):
        yield str(row), cv2.cvtColor(images[row], cv2.COLOR_GRAY2BGR)
