# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches for the detector: mosaics with a teacher's targets, corrected by what is known."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

from fer_ros.types import Float32Array
from training.detector.mosaic import MosaicMaker
from training.detector.targets import correct
from training.detector.teacher import DenseTeacher


class MosaicBatches(keras.utils.PyDataset):
    """Endlessly new batches for ``keras.Model.fit``, the next one made while the model trains.

    One thread makes all of them in order, so that they repeat with their seed: Keras' own workers
    are either none or several.
    """

    def __init__(self, maker: MosaicMaker, teacher: DenseTeacher, batch: int, steps: int) -> None:
        """Give *steps* batches of *batch* images per epoch."""
        super().__init__()
        self.maker, self.teacher = maker, teacher
        self.batch, self.steps = batch, steps
        self._thread = ThreadPoolExecutor(1, 'mosaics')
        self._ahead: Future[tuple[Float32Array, Float32Array]] | None = None

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return self.steps

    def __getitem__(self, index: int) -> tuple[Float32Array, Float32Array]:
        """Return images, float32 (B, S, S, 3) 0..1, and targets, see ``correct``."""
        batch = self._ahead or self._thread.submit(self._make)
        self._ahead = self._thread.submit(self._make) if index + 1 < self.steps else None
        return batch.result()

    def _make(self) -> tuple[Float32Array, Float32Array]:
        """Return the next batch."""
        size = self.maker.config.size_px
        images = np.empty((self.batch, size, size, 3), np.float32)
        targets = []
        for row in range(self.batch):
            example = self.maker.make()
            target = self.teacher.predict(example.image)
            correct(target, example)
            np.multiply(example.image, np.float32(1 / 255), out=images[row])
            targets.append(target)
        return images, np.stack(targets)
