# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth images (REP-118) in metres."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_ros.config import MAX_IMAGE_PIXELS
from fer_ros.errors import ImageError
from fer_ros.messages.images import image_values
from fer_ros.types import Float32Array

UNITS_M = {'16uc1': 1e-3, 'mono16': 1e-3, '32fc1': 1.0}
"""Length of 1 in each encoding."""


def depth_metres(message: Any, max_pixels: int = MAX_IMAGE_PIXELS) -> Float32Array:
    """Return float32 (H, W) along the camera's axis; NaN where nothing was measured.

    Raises:
        ImageError: the encoding is not one of depth, or the message does not fit together.
    """
    unit_m = UNITS_M.get(message.encoding.lower())
    if unit_m is None:
        raise ImageError(
            f'depth images in 16UC1 (mm) or 32FC1 (m) are expected, not {message.encoding[:40]!r}'
        )
    metres = image_values(message, max_pixels).astype(np.float32) * np.float32(unit_m)
    # Zero, and some drivers' infinity, mean too near, too far or no reflection.
    metres[~(np.isfinite(metres) & (metres > 0))] = np.nan
    return metres
