# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single photos for ~/classify, read beside a stream that must not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from fer_ros.config import PipelineConfig
from fer_ros.errors import FerError
from fer_ros.reader import FaceReader
from fer_ros.types import FrameEmotions, UInt8Array


class BusyError(FerError):
    """Another photo is being read."""


class PhotoReader:
    """Reads one photo at a time, with models of its own: the stream's may be at work."""

    def __init__(self) -> None:
        """Load nothing yet: most nodes are never asked."""
        self._reader: FaceReader | None = None
        self._one_at_a_time = Lock()

    def read(
        self, convert: Callable[[], UInt8Array], config: PipelineConfig
    ) -> tuple[FrameEmotions, str]:
        """Return the faces of an image and the emotion model's id.

        Args:
            convert: returns the image, uint8 (H, W, 3) BGR; not called while busy, for large images
                take long.
            config: settings of the stream at present.

        Raises:
            BusyError: another photo is being read.
            FerError: the image cannot be converted, or a model not be loaded.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            raise BusyError('busy with another image; send one after the other')
        try:
            image, reader = convert(), self._suited(config)
            return reader.read_photo(image), reader.classifier.card.id
        finally:
            self._one_at_a_time.release()

    def _suited(self, config: PipelineConfig) -> FaceReader:
        try:
            if self._reader is not None:
                self._reader.reconfigure(config)
        except ValueError:
            self._reader = None  # Other models than before.
        if self._reader is None:
            self._reader = FaceReader(config)
        return self._reader
