# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches of augmented faces with the targets of all heads; any batch can be made again."""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from fer_ros.data.face_set import FaceSet
from fer_ros.models.input_format import InputFormat
from fer_ros.recognition.preprocessing import model_input
from fer_ros.types import Float32Array, Int64Array, UInt8Array
from training.emotion.augment import AugmentationConfig, augment, mix
from training.emotion.config import ModelConfig, RunConfig

if TYPE_CHECKING:  # Keras, which processes that make batches do without
    from training.engine.export import Predictor

Batch = tuple[Float32Array, Float32Array]
"""Inputs (B, S, S, channels) and targets (B, K)."""
AHEAD = 4
"""Batches that each worker may be ahead."""


def head_targets(faces: FaceSet, config: RunConfig) -> Float32Array:
    """Return float32 (N, sum of C): the targets of all heads side by side, times their weights."""
    return np.concatenate(
        [head.weight * faces.targets(head.kind, head.classes) for head in config.heads], axis=1
    )


def network_input(crops: UInt8Array, model: ModelConfig) -> Float32Array:
    """Return what the network takes of grey faces: float32 (N, S, S, channels)."""
    form = InputFormat(
        size_px=model.size_px, channels=model.channels, normalization=model.normalization
    )
    return model_input(crops, form)


def predict_faces(
    predict: Predictor, faces: UInt8Array, model: ModelConfig, batch_size: int = 256
) -> Float32Array:
    """Return float32 (N, columns) logits of grey faces, uint8 (N, S, S), batch by batch."""
    starts = range(0, len(faces), batch_size)
    return np.concatenate(
        [predict(network_input(faces[at : at + batch_size], model)) for at in starts]
    )


def class_shares(targets: Float32Array) -> Float32Array:
    """Return float32 (K,): the share of each column in the targets of all faces."""
    mass = targets.sum(axis=0)
    return (mass / max(float(mass.sum()), 1e-12)).astype(np.float32)


def drawing_chances(targets: Float32Array, config: RunConfig) -> Float32Array | None:
    """Return float64 (N,) chances of each face for oversampling, None for 'each face once'."""
    if config.balance.method != 'oversampling':
        return None
    shares = np.maximum(class_shares(targets), 1e-6)
    mass = np.maximum(targets.sum(axis=1), 1e-6)
    rarity = (targets @ shares**-config.balance.strength).astype(np.float64) / mass
    chances: Float32Array = np.maximum(rarity, rarity[rarity > 0].min())
    return chances / chances.sum()


class FaceBatches:
    """One epoch after another of training batches of images, uint8 (N, S, S), and targets, (N, K).

    Everything random follows from seed, epoch and batch number, so a resumed run sees the batches
    that an unbroken one would have seen.
    """

    def __init__(
        self, images: UInt8Array, targets: Float32Array, config: RunConfig, first_epoch: int = 0
    ) -> None:
        """Draw the order of the first epoch, which is another one for a resumed run."""
        self.images, self.targets, self.config = images, targets, config
        self.epoch, self.chances = first_epoch, drawing_chances(targets, config)
        self._order = self._draw_order()

    def _draw_order(self) -> Int64Array:
        """Return int64 (N,): the rows of this epoch in order."""
        rng = np.random.default_rng((self.config.seed, self.epoch))
        count = len(self.images)
        if self.chances is None:
            return rng.permutation(count)
        return rng.choice(count, count, p=self.chances)

    @property
    def size_px(self) -> int:
        """Return the side of this epoch's faces: the last of ``size_steps`` that has begun."""
        steps = self.config.optimization.size_steps
        begun = [start for start in steps if start <= self.epoch]
        return steps[max(begun)] if begun else self.config.model.size_px

    @property
    def augmentation(self) -> AugmentationConfig:
        """Return this epoch's augmentation."""
        chosen = self.config.augmentation
        mixes = self.epoch < self.config.optimization.epochs - chosen.no_mix_epochs
        return chosen if mixes else chosen.without_mixing()

    def __len__(self) -> int:
        """Return the number of batches; the last one may be smaller."""
        return -(-len(self.images) // self.config.optimization.batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Return inputs (B, S, S, channels) and targets (B, K)."""
        size = self.config.optimization.batch_size
        rows = self._order[index * size : (index + 1) * size]
        rng = np.random.default_rng((self.config.seed, self.epoch, index))
        augmentation = self.augmentation
        crops = augment(self.images[rows], augmentation, rng, self.size_px)
        inputs = network_input(crops, self.config.model)
        return mix(inputs, self.targets[rows], augmentation, rng)

    def next_epoch(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1
        self._order = self._draw_order()

    def stream(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after another, for ever.

        The order depends neither on how far ahead a backend reads nor on ``workers``.
        """
        if self.config.workers:
            yield from _made_ahead(self, self.config.workers)
        while True:
            for index in range(len(self)):
                yield self[index]
            self.next_epoch()


def _made_ahead(batches: FaceBatches, workers: int) -> Iterator[Batch]:
    """Yield what ``stream`` yields, made by processes of their own: a GPU is faster than one."""
    # Forked, they would hold the threads and locks of whatever runs the network.
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context('spawn'), _Worker.start, (batches,)
    )
    waiting: deque[Future[Batch]] = deque()
    try:
        for epoch in itertools.count(batches.epoch):
            for index in range(len(batches)):
                waiting.append(pool.submit(_Worker.make, epoch, index))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker:
    """What a process that makes batches keeps; jobs reach it in the order of their epochs."""

    batches: FaceBatches

    @classmethod
    def start(cls, batches: FaceBatches) -> None:
        cls.batches = batches

    @classmethod
    def make(cls, epoch: int, index: int) -> Batch:
        while cls.batches.epoch < epoch:
            cls.batches.next_epoch()
        return cls.batches[index]
