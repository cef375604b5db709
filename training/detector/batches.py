# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches for the detector: collages with targets, or images that a teacher answers."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

from fer_ros.types import Float32Array
from training.detector.collage_maker import CollageMaker, Example
from training.detector.mosaic import MosaicConfig, MosaicMaker
from training.detector.teacher import DenseTeacher
from training.detector.wear import wear


class TaughtMaker:
    """Makes images for a taught network: mosaics of whole photos, and collages, worn alike."""

    def __init__(self, collages: CollageMaker, mosaic: MosaicConfig, teacher: DenseTeacher) -> None:
        """Take photos and chance from *collages*."""
        stock = collages.stock
        peopled = [(image, faces.boxes_xyxy[faces.sure]) for image, faces in stock.peopled]
        scenes = [image for image, _ in stock.empty]
        self.config, self.rng, self.collages = collages.config, collages.rng, collages
        self.mosaics = MosaicMaker(stock.portraits, peopled, scenes, mosaic, self.rng)
        self.teacher = teacher

    def example(self) -> Example:
        """Return one image and what the teacher says of it."""
        if self.rng.random() < self.mosaics.config.share:
            image = wear(self.mosaics.make(self.config.size_px), self.rng)
        else:
            image, _ = self.collages.make()
        return image, self.teacher.answer(image)


class CollageBatches(keras.utils.PyDataset):
    """Endlessly new batches for ``keras.Model.fit``, the next one made while the model trains.

    One thread makes all of them in order, so that they repeat with their seed: Keras' own workers
    are either none or several.
    """

    def __init__(self, maker: CollageMaker | TaughtMaker, batch: int, steps: int) -> None:
        """Give *steps* batches of *batch* images an epoch."""
        super().__init__()
        self.maker, self.batch, self.steps = maker, batch, steps
        self._thread = ThreadPoolExecutor(1, 'collages')
        self._ahead: Future[tuple[Float32Array, Float32Array]] | None = None

    def __len__(self) -> int:
        """Return the number of batches an epoch."""
        return self.steps

    def __getitem__(self, index: int) -> tuple[Float32Array, Float32Array]:
        """Return images, float32 (B, S, S, 3) 0..1, and targets, see ``encode``."""
        batch = self._ahead or self._thread.submit(self._make)
        self._ahead = self._thread.submit(self._make) if index + 1 < self.steps else None
        return batch.result()

    def _make(self) -> tuple[Float32Array, Float32Array]:
        """Return the next batch."""
        size = self.maker.config.size_px
        images = np.empty((self.batch, size, size, 3), np.float32)
        targets = []
        for row in range(self.batch):
            image, target = self.maker.example()
            np.multiply(image, np.float32(1 / 255), out=images[row])
            targets.append(target)
        return images, np.stack(targets)
