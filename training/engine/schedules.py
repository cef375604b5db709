# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The course of a run: the learning rate as a function of how far training has come."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_ros.config import setting
from fer_ros.config.settings import Checked

SCHEDULES = ('cosine', 'one_cycle', 'trapezoid', 'plateau', 'constant')


@dataclass(frozen=True)
class Course(Checked):
    """How long a run is, how fast it learns, and when it stops.

    The learning rate rises linearly during the warm-up; then the *schedule* is

    - 'cosine': from the highest value to 0 along half a cosine (arXiv 1608.03983);
    - 'one_cycle': no warm-up, but up along a cosine for 30 % of the time, then down to 0
      (arXiv 1708.07120);
    - 'trapezoid': level, then down in a straight line in the last *cooldown* share, so that a
      run can be made longer while it is under way;
    - 'plateau': level, but halved wherever nothing is gained;
    - 'constant': level.
    """

    epochs: int = setting(60, 'passes over the training faces', low=1, high=100000)
    minutes: float = setting(
        0.0, 'end by then, with the learning rate at 0; 0 for no limit', low=0, high=100000
    )
    learning_rate: float = setting(0.1, 'highest value', low=0, high=100)
    schedule: str = setting('cosine', 'course of the learning rate', choices=SCHEDULES)
    warmup_epochs: float = setting(2.0, 'linear rise from 0', low=0, high=100000)
    cooldown: float = setting(0.4, 'share of a trapezoid in which it falls to 0', low=0, high=1)
    plateau_patience: int = setting(5, 'epochs without gain before it is halved', low=1, high=1000)
    early_stopping: int = setting(
        0, 'epochs without gain before the end; 0 for never', low=0, high=100000
    )
    weight_average: float = setting(
        0.998, 'decay a step of the running average that is kept; 0 for none', low=0, high=1
    )

    def rate(self, done: float) -> float:
        """Return the learning rate after *done* epochs (1.5 is half-way through the second)."""
        return self.learning_rate * self._share(done)

    def _share(self, done: float) -> float:
        """Return the learning rate as a share of the highest."""
        if self.schedule == 'one_cycle':
            rise = 0.3 * self.epochs
            if done < rise:
                return 0.02 + 0.98 * (1 - _half_cosine(done / rise))
            return _half_cosine((done - rise) / (self.epochs - rise))
        if done < self.warmup_epochs:
            return done / self.warmup_epochs
        if self.schedule == 'cosine':
            left = max(self.epochs - self.warmup_epochs, 1e-9)
            return _half_cosine((done - self.warmup_epochs) / left)
        if self.schedule == 'trapezoid':
            return min(1.0, max(0.0, self.epochs - done) / max(self.cooldown * self.epochs, 1e-9))
        return 1.0


def _half_cosine(share: float) -> float:
    """Return 1 at 0, 0 at 1."""
    return (1 + math.cos(math.pi * min(1.0, share))) / 2
