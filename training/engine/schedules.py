# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The course of a run: the learning rate as a function of how far training has come."""

from __future__ import annotations

import math
from dataclasses import dataclass

SCHEDULES = ('cosine', 'one_cycle', 'trapezoid', 'plateau', 'constant')


@dataclass(frozen=True)
class Course:
    """How long a run is, how fast it learns, and when it stops.

    The learning rate rises linearly over *warmup* epochs; then the *schedule* is

    - 'cosine': from the highest value to 0 along half a cosine (arXiv 1608.03983);
    - 'one_cycle': no warm-up, but up along a cosine for 30 % of the time, then down to 0
      (arXiv 1708.07120);
    - 'trapezoid': level, then down in a straight line in the last *cooldown* share, so that a
      run can be made longer while it is under way;
    - 'plateau': level, but halved after every *patience* epochs without gain;
    - 'constant': level.

    Attributes:
        epochs: at most.
        schedule: one of SCHEDULES.
        highest: learning rate.
        warmup: epochs.
        cooldown: share of the epochs.
        average: decay a step of the running average of the weights; 0 for none.
        minutes: the run ends by then, wherever it is, and the learning rate is where it would be
            after the last epoch; 0 for no limit.
        patience: for 'plateau'.
        early_stopping: epochs without gain before the end; 0 for never.
    """

    epochs: int
    schedule: str
    highest: float
    warmup: float = 0.0
    cooldown: float = 0.4
    average: float = 0.0
    minutes: float = 0.0
    patience: int = 5
    early_stopping: int = 0

    def rate(self, done: float) -> float:
        """Return the learning rate after *done* epochs (1.5 is half-way through the second)."""
        if self.schedule == 'one_cycle':
            rise = 0.3 * self.epochs
            if done < rise:
                return self.highest * (0.02 + 0.98 * (1 - _half_cosine(done / rise)))
            return self.highest * _half_cosine((done - rise) / (self.epochs - rise))
        if done < self.warmup:
            return self.highest * done / self.warmup
        if self.schedule == 'cosine':
            left = max(self.epochs - self.warmup, 1e-9)
            return self.highest * _half_cosine((done - self.warmup) / left)
        if self.schedule == 'trapezoid':
            fall = max(self.cooldown * self.epochs, 1e-9)
            return self.highest * min(1.0, max(0.0, self.epochs - done) / fall)
        return self.highest


def _half_cosine(share: float) -> float:
    """Return 1 at 0, 0 at 1."""
    return (1 + math.cos(math.pi * min(1.0, share))) / 2
