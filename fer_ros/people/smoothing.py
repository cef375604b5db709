# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Probabilities and labels kept steady over time, one state a person."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fer_ros.config import SmoothingConfig
from fer_ros.labels import UNKNOWN
from fer_ros.types import Float32Array


class EmotionSmoother:
    """A first-order low-pass filter in seconds, so that the frame rate makes no difference."""

    def __init__(self, config: SmoothingConfig) -> None:
        """Start without memory."""
        self.config = config
        self._states: dict[int, tuple[float, Float32Array]] = {}
        self._labels: dict[int, str] = {}

    def update(self, track_id: int, stamp_s: float, probabilities: Float32Array) -> Float32Array:
        """Return the smoothed probabilities of one person.

        Args:
            track_id: who.
            stamp_s: when, in seconds; not before this person's last stamp.
            probabilities: float32 (C,) of this frame alone.
        """
        smoothed = probabilities
        if track_id in self._states and self.config.time_constant_s > 0:
            before_s, previous = self._states[track_id]
            weight = -math.expm1(-max(stamp_s - before_s, 0.0) / self.config.time_constant_s)
            smoothed = previous + (probabilities - previous) * probabilities.dtype.type(weight)
        self._states[track_id] = (stamp_s, smoothed)
        return smoothed

    def label(
        self,
        track_id: int,
        probabilities: Float32Array,
        labels: tuple[str, ...],
        unknown_threshold: float,
    ) -> str:
        """Return the most probable label of one person, or 'unknown'.

        The label that the person has is given up later than a new one is taken.

        Args:
            track_id: who.
            probabilities: float32 (C,), smoothed.
            labels: the C class names.
            unknown_threshold: the smallest probability at which a new label is taken.
        """
        best = int(probabilities.argmax())
        if self._labels.get(track_id) == labels[best]:
            unknown_threshold -= self.config.unknown_hysteresis
        label = labels[best] if probabilities[best] >= unknown_threshold else UNKNOWN
        self._labels[track_id] = label
        return label

    def keep_only(self, track_ids: Iterable[int]) -> None:
        """Forget everybody else."""
        wanted = set(track_ids)
        self._states = {key: state for key, state in self._states.items() if key in wanted}
        self._labels = {key: label for key, label in self._labels.items() if key in wanted}
