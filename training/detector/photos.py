# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from fer_ros.errors import DataError
from fer_ros.types import UInt8Array

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')

Photo = tuple[str, UInt8Array]
"""Name and image, uint8 (H, W, 3) BGR."""


def list_photos(folder: Path) -> list[Path]:
    """Return the image files under *folder* in order of name.

    Raises:
        DataError: there is none.
    """
    photos = sorted(p for p in folder.rglob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
    if not photos:
        raise DataError(f'no images in {folder}')
    return photos


def read_folder(folder: Path) -> Iterator[Photo]:
    """Yield the photos under *folder* in order of name; their names are relative to it.

    Raises:
        DataError: the folder holds no image, or one that cannot be read.
    """
    for path in list_photos(folder):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f'{path} is not an image')
        yield path.relative_to(folder).as_posix(), image
