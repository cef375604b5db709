# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whose face is read in which frame: a face says little that is new thirty times a second."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from fer_ros.config import ClassificationConfig
from fer_ros.types import Float32Array, Int64Array

STEADY = 0.2
"""A face is steady if no probability it shows differs by more from what it has shown."""


class ReadingTurns:
    """Takes turns among the people in view, and remembers what each face said last.

    Everybody is read as soon as they come into view, in every frame while their face changes, and
    every ``read_period_ms`` while it is steady; who came together is read in different frames then,
    so that all frames cost about the same.
    """

    def __init__(self, config: ClassificationConfig) -> None:
        """Start with nobody read."""
        self.config = config
        self._read: dict[int, tuple[float, Float32Array]] = {}
        self._last_s = -math.inf

    def due(self, track_ids: Int64Array, stamp_s: float) -> Int64Array:
        """Return the rows of the faces to be read in this frame, int64 (K,), in their order.

        Args:
            track_ids: int64 (N,).
            stamp_s: the frame's time in seconds, not before the last one's.
        """
        elapsed_s, self._last_s = stamp_s - self._last_s, stamp_s
        period_s = self.config.read_period_ms / 1e3
        if elapsed_s >= period_s:
            return np.arange(len(track_ids))
        ages_s = np.array([stamp_s - self._read.get(i, (-math.inf,))[0] for i in track_ids])
        # To about the nearest frame: stamps are no exact multiples of a camera's period.
        count = int((ages_s >= period_s - 0.6 * elapsed_s).sum())
        share = math.ceil(len(track_ids) * elapsed_s / period_s)
        count = max(min(count, share), int(np.isinf(ages_s).sum()))
        return np.sort(np.argsort(-ages_s, kind='stable')[:count])

    def keep(self, track_id: int, stamp_s: float, probabilities: Float32Array) -> None:
        """Remember what a face said, float32 (C,)."""
        self._read[track_id] = stamp_s, probabilities

    def compare(self, track_id: int, smoothed: Float32Array) -> None:
        """Have a face read in the next frame if it says something else than *smoothed* (C,)."""
        said = self._read[track_id][1]
        if np.abs(said - smoothed).max() > STEADY:
            self._read[track_id] = -math.inf, said

    def last(self, track_id: int) -> Float32Array:
        """Return what a face said when it was last read, float32 (C,)."""
        return self._read[track_id][1]

    def keep_only(self, track_ids: Iterable[int]) -> None:
        """Forget everybody else."""
        kept = set(track_ids)
        self._read = {key: said for key, said in self._read.items() if key in kept}
