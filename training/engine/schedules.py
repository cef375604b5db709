# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The learning rate as a function of how far training has come."""

from __future__ import annotations

import math

SCHEDULES = ('cosine', 'one_cycle', 'trapezoid', 'plateau', 'constant')


def learning_rate(
    done: float, schedule: str, highest: float, epochs: float, warmup: float, cooldown: float
) -> float:
    """Return the learning rate after *done* epochs (1.5 is half-way through the second).

    - 'cosine': from the highest value to 0 along half a cosine (arXiv 1608.03983);
    - 'one_cycle': rises along a cosine for 30 % of the time, then falls to 0 (arXiv 1708.07120);
    - 'trapezoid': stays, then falls in a straight line in the last *cooldown* share, so that a
      run can be made longer while it is under way;
    - 'plateau', 'constant': stays ('plateau' is halved where nothing is gained).

    All but 'one_cycle' rise linearly over *warmup* epochs first.
    """
    if schedule == 'one_cycle':
        rise = 0.3 * epochs
        if done < rise:
            return highest * (0.02 + 0.98 * (1 - math.cos(math.pi * done / rise)) / 2)
        return highest * _half_cosine((done - rise) / (epochs - rise))
    if done < warmup:
        return highest * done / warmup
    if schedule == 'cosine':
        return highest * _half_cosine((done - warmup) / max(epochs - warmup, 1e-9))
    if schedule == 'trapezoid':
        return highest * min(1.0, max(0.0, epochs - done) / max(cooldown * epochs, 1e-9))
    return highest


def _half_cosine(share: float) -> float:
    """Return 1 at 0, 0 at 1."""
    return (1 + math.cos(math.pi * min(1.0, share))) / 2
