# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The learning rate as a function of how far training has come."""

from __future__ import annotations

import math

from training.emotion.config import OptimizationConfig


def learning_rate(epoch: float, config: OptimizationConfig) -> float:
    """Return the learning rate at *epoch* (a fraction counts: 1.5 is half-way through the second).

    - 'cosine': from the highest value to 0 along half a cosine (arXiv 1608.03983);
    - 'one_cycle': rises along a cosine for 30 % of the time, then falls to 0 (arXiv 1708.07120);
    - 'trapezoid': stays, then falls in a straight line in the last ``cooldown`` share, so that a
      run can be made longer while it is under way;
    - 'plateau', 'constant': stays ('plateau' is halved by a callback).

    All but 'one_cycle' rise linearly over ``warmup_epochs`` first.
    """
    total = float(config.epochs)
    if config.schedule == 'one_cycle':
        rise = 0.3 * total
        if epoch < rise:
            return config.learning_rate * (0.02 + 0.98 * (1 - math.cos(math.pi * epoch / rise)) / 2)
        done = min(1.0, (epoch - rise) / (total - rise))
        return config.learning_rate * (1 + math.cos(math.pi * done)) / 2
    if epoch < config.warmup_epochs:
        return config.learning_rate * epoch / config.warmup_epochs
    if config.schedule == 'cosine':
        span = max(total - config.warmup_epochs, 1e-9)
        done = min(1.0, (epoch - config.warmup_epochs) / span)
        return config.learning_rate * (1 + math.cos(math.pi * done)) / 2
    if config.schedule == 'trapezoid':
        left = max(0.0, total - epoch)
        return config.learning_rate * min(1.0, left / max(config.cooldown * total, 1e-9))
    return config.learning_rate
