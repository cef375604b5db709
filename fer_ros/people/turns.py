# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whose face is read in which frame: a face says little that is new thirty times a second."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fer_ros.config import ClassificationConfig
from fer_ros.types import Float32Array, Int64Array

STEADY = 0.2
"""A face is steady if no probability it shows differs by more from what it has shown."""


CALM = 0.03
CALM_PERIODS = 2
"""A face whose last two readings differ by no more than CALM is read after so many periods."""


@dataclass
class _Reading:
    """What a face said, when, and for how many periods that holds."""

    stamp_s: float
    probabilities: Float32Array
    periods: int = 1
    is_changing: bool = False


class ReadingTurns:
    """Takes turns among the people in view, and remembers what each face said last.

    Everybody is read as soon as they come into view, in every frame while their face changes, and
    every ``read_period_ms`` while it is steady, or half as often once it says the same again; who
    came together is read in different frames then, so that all frames cost about the same.
    """

    def __init__(self, config: ClassificationConfig) -> None:
        """Start with nobody read."""
        self.config = config
        self._read: dict[int, _Reading] = {}
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
        at_once, share, waiting = [], 0.0, []
        for row, track_id in enumerate(track_ids.tolist()):
            last = self._read.get(track_id)
            if last is None or last.is_changing:
                at_once.append(row)
                continue
            wait_s = last.periods * period_s
            share += elapsed_s / wait_s
            # To about the nearest frame: stamps are no exact multiples of a camera's period.
            if stamp_s - last.stamp_s >= wait_s - 0.6 * elapsed_s:
                waiting.append(((stamp_s - last.stamp_s) / wait_s, row))
        waiting.sort(key=lambda one: -one[0])
        in_turn = [row for _, row in waiting[: math.ceil(share)]]
        return np.array(sorted(at_once + in_turn), np.int64)

    def keep(self, track_id: int, stamp_s: float, probabilities: Float32Array) -> None:
        """Remember what a face said, float32 (C,)."""
        last = self._read.get(track_id)
        is_calm = last is not None and np.abs(last.probabilities - probabilities).max() <= CALM
        periods = CALM_PERIODS if is_calm else 1
        self._read[track_id] = _Reading(stamp_s, probabilities, periods)

    def compare(self, track_id: int, smoothed: Float32Array) -> None:
        """Have a face read in the next frame if it says something else than *smoothed* (C,)."""
        said = self._read[track_id]
        said.is_changing = bool(np.abs(said.probabilities - smoothed).max() > STEADY)

    def last(self, track_id: int) -> Float32Array:
        """Return what a face said when it was last read, float32 (C,)."""
        return self._read[track_id].probabilities

    def keep_only(self, track_ids: Iterable[int]) -> None:
        """Forget everybody else."""
        kept = set(track_ids)
        self._read = {key: said for key, said in self._read.items() if key in kept}
