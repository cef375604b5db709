# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of more than 8 bits as the 8 bits that everything here works on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fer_ros.types import UInt8Array

OnScaled = Callable[[str], None]
"""Called with how values of more than 8 bits became 8, in a few words."""

SENSOR_BITS = (8, 10, 12, 14, 16)
"""What cameras use of 16 bits; the smallest that holds an image's brightest value is taken."""


def scale_to_8_bits(values: np.ndarray, on_scaled: OnScaled | None = None) -> UInt8Array:
    """Return values of any range as uint8 of the same shape.

    Unsigned values lose the bits below the eight highest that the sensor uses (SENSOR_BITS).
    Floats from 0 to 1 are multiplied by 255; of anything else the 1st and 99th percentile become
    0 and 255. A fourth channel, which is opacity, has no say.
    """
    if values.dtype == np.uint8:
        return values
    colours = values[..., :3] if values.ndim == 3 else values
    if values.dtype == np.uint16:
        highest = int(colours.max())
        bits = next(bits for bits in SENSOR_BITS if highest < 1 << bits)
        remark, scaled = f'{bits} of 16 bits used', (values >> (bits - 8)).astype(np.uint8)
    else:
        low, high = _value_range(colours)
        remark = f'values {low:g} to {high:g} become 0 to 255'
        with np.errstate(invalid='ignore', over='ignore'):
            floats = (values.astype(np.float64) - low) * (255.0 / ((high - low) or 1.0))
        scaled = np.nan_to_num(floats, nan=0.0).clip(0, 255).astype(np.uint8)
    if on_scaled:
        on_scaled(remark)
    return scaled


def _value_range(values: np.ndarray) -> tuple[float, float]:
    """Return which values of an image become 0 and 255."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 0.0
    if known.dtype.kind == 'f' and known.min() >= 0 and known.max() <= 1:
        return 0.0, 1.0
    low, high = np.percentile(known, (1, 99))
    return float(low), float(high)
