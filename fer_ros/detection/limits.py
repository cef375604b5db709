# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which boxes are tall enough to be returned."""

from __future__ import annotations

from fer_ros.types import BoolArray, Float32Array

HEIGHT_TOLERANCE = 0.2
"""A detector's box may be so much shorter than the one that a person draws around the same face."""


def tall_enough(boxes_xyxy: Float32Array, min_face_px: int) -> BoolArray:
    """Return bool (N,): which boxes may be of a face at least *min_face_px* high."""
    heights = boxes_xyxy[:, 3] - boxes_xyxy[:, 1]
    tall: BoolArray = heights >= (1 - HEIGHT_TOLERANCE) * min_face_px
    return tall
