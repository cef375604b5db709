# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Probabilities and labels kept steady over time, one state per person."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fer_ros.config import SmoothingConfig
from fer_ros.labels import UNKNOWN
from fer_ros.types import Float32Array

UNKNOWN_AFTER_S = 0.15
"""From one label to the next both may lie below the threshold for about this long, and a person's
label does not become 'unknown' in between."""


@dataclass
class _Label:
    """What is published of a person, since when, and when it was last above the threshold."""

    name: str
    since_s: float
    confident_s: float


class EmotionSmoother:
    """A first-order low-pass filter in seconds, so that the frame rate makes no difference."""

    def __init__(self, config: SmoothingConfig) -> None:
        """Start without memory."""
        self.config = config
        self._states: dict[int, tuple[float, Float32Array]] = {}
        self._labels: dict[int, _Label] = {}

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
        stamp_s: float,
        probabilities: Float32Array,
        labels: tuple[str, ...],
        unknown_threshold: float,
    ) -> str:
        """Return the label of one person: the most probable class, or 'unknown'.

        The label that a person has is kept for ``min_label_s`` at least, and as long as no other
        leads it by more than ``label_hysteresis``; it becomes 'unknown' later than a new one is
        taken.

        Args:
            track_id: who.
            stamp_s: when, in seconds; not before this person's last stamp.
            probabilities: float32 (C,), smoothed.
            labels: the C class names.
            unknown_threshold: the smallest probability at which a new label is taken.
        """
        config, best = self.config, int(probabilities.argmax())
        shown = self._labels.get(track_id)
        if shown is None:
            name = labels[best] if probabilities[best] >= unknown_threshold else UNKNOWN
            self._labels[track_id] = _Label(name, stamp_s, stamp_s)
            return name
        if shown.name in labels:
            kept = labels.index(shown.name)
            if probabilities[best] <= probabilities[kept] + config.label_hysteresis:
                best, unknown_threshold = kept, unknown_threshold - config.unknown_hysteresis
        name = UNKNOWN
        if probabilities[best] >= unknown_threshold:
            name, shown.confident_s = labels[best], stamp_s
        due_s = shown.since_s + config.min_label_s
        if name == UNKNOWN and config.min_label_s > 0:
            due_s = max(due_s, shown.confident_s + UNKNOWN_AFTER_S)
        if name != shown.name and stamp_s >= due_s:
            shown.name, shown.since_s = name, stamp_s
        return shown.name

    def keep_only(self, track_ids: Iterable[int]) -> None:
        """Forget everybody else."""
        kept = set(track_ids)
        self._states = {key: state for key, state in self._states.items() if key in kept}
        self._labels = {key: label for key, label in self._labels.items() if key in kept}
