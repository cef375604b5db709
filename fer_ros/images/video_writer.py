# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes annotated videos."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2

from fer_ros.errors import SourceError
from fer_ros.types import UInt8Array


class VideoWriter:
    """An MP4 file whose size is that of the first image; others are scaled to it."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        """Remember where to write; the file is made with the first image."""
        self._path = path
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._size_wh = (0, 0)

    def __enter__(self) -> VideoWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

    def write(self, image: UInt8Array) -> None:
        """Append an image, uint8 (H, W, 3) BGR.

        Raises:
            SourceError: the file cannot be written.
        """
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._size_wh = (image.shape[1], image.shape[0])
            fourcc = cv2.VideoWriter.fourcc(*'mp4v')
            self._writer = cv2.VideoWriter(str(self._path), fourcc, self._rate_hz, self._size_wh)
            if not self._writer.isOpened():
                raise SourceError(f'video {self._path} cannot be written (is the folder writable?)')
        if (image.shape[1], image.shape[0]) != self._size_wh:
            image = cv2.resize(image, self._size_wh)
        self._writer.write(image)
