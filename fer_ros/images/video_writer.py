# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes annotated videos."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import cv2

from fer_ros.errors import SourceError
from fer_ros.images.sources import is_unicode
from fer_ros.types import UInt8Array

CODECS = {'.mp4': 'mp4v', '.mov': 'mp4v', '.mkv': 'mp4v', '.avi': 'MJPG'}
MAX_REPEATS_S = 60.0


def check_video_name(path: Path) -> None:
    """Raise SourceError unless a video may be written under that name."""
    if path.is_dir():
        raise SourceError(f'{path} is a folder: choose another name for the video')
    if path.suffix.lower() not in CODECS:
        raise SourceError(f'{path}: expected a name that ends in {", ".join(CODECS)}')


class VideoWriter:
    """A video whose size is that of the first image; others are scaled to it.

    Its frame rate is constant: where images come slower they are repeated, where faster left out.
    """

    def __init__(self, path: Path, rate_hz: float) -> None:
        """Remember where to write; the file is made with the first image.

        Raises:
            SourceError: the name has an unknown suffix.
        """
        check_video_name(path)
        self._path = path
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._folder, self._target = -1, path
        self._size_wh = (0, 0)
        self._written = 0

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
        if self._writer is None:
            return
        self._writer.release()
        is_whole = self._is_whole()
        if self._target != self._path:
            self._target.replace(self._path)
            os.close(self._folder)
        if kind is None and not is_whole:
            raise SourceError(f'video {self._path.name} could not be written: is the disk full?')

    def write(self, image: UInt8Array, stamp_s: float | None = None) -> None:
        """Append an image, uint8 (H, W, 3) BGR.

        Args:
            image: the image.
            stamp_s: its time since the first one; one period after the last one's if None.

        Raises:
            SourceError: the file cannot be written.
        """
        if self._writer is None:
            self._open(image)
        assert self._writer is not None
        if (image.shape[1], image.shape[0]) != self._size_wh:
            image = cv2.resize(image, self._size_wh)
        repeats = 1
        if stamp_s is not None:
            most = round(MAX_REPEATS_S * self._rate_hz)
            repeats = min(most, round(stamp_s * self._rate_hz) + 1 - self._written)
        for _ in range(repeats):
            self._writer.write(image)
            self._written += 1

    def _open(self, image: UInt8Array) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._size_wh = (image.shape[1], image.shape[0])
        if not is_unicode(str(self._path)):  # as OpenCV needs it
            self._folder = os.open(self._path.parent, os.O_RDONLY)
            self._target = Path(f'/proc/self/fd/{self._folder}/video{self._path.suffix}')
        fourcc = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(self._target), fourcc, self._rate_hz, self._size_wh)
        if not self._writer.isOpened():
            raise SourceError(f'video {self._path} cannot be written (is the folder writable?)')

    def _is_whole(self) -> bool:
        """Return whether the file holds what was written: OpenCV says nothing of a full disk."""
        capture = cv2.VideoCapture(str(self._target), cv2.CAP_FFMPEG)
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        return frames >= self._written * 0.99 - 1
