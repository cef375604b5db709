# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the detector's network predicts for every cell of its grids, and the faces that makes.

Anchor-free, as FCOS (Z. Tian et al., 2019): every cell of three grids says how confident it is of
a face, and where that face's box and landmarks lie from the cell's centre.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fer_ros.geometry import (
    box_areas,
    non_maximum_suppression,
    pairwise_coverage,
    pairwise_iou,
)
from fer_ros.types import BoolArray, FaceDetections, Float32Array

STRIDES = (8, 16, 32)
UNIT_STRIDES = 4
"""Offsets and sizes come in units of so many strides."""
OUTPUT_COLUMNS = 15
"""Logit of the score; box as dx, dy, log width, log height; five landmarks as dx, dy."""
MAX_IOU = 0.3
SHARE_POWER = 4
"""A face is the mean of the cells that stand for it, each weighted by this power of its score: a
single cell may be far off, the one in the middle of a face that fills the view among them."""
MAX_CANDIDATES = 600
PART_COVERAGE = 0.6
"""A box of which so much lies in a larger one is a part of that face, an eye or a nose,"""
PART_SCORE = 0.5
"""if the larger one has at least this share of its score."""


@lru_cache(maxsize=16)
def cell_centres(shape_hw: tuple[int, int]) -> tuple[Float32Array, Float32Array]:
    """Return where the cells lie in an input of *shape_hw*, fine grid first, row by row.

    Args:
        shape_hw: multiples of the largest stride.

    Returns:
        float32 (cells, 2) centres x, y in pixels and float32 (cells,) strides.
    """
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = shape_hw[0] // stride, shape_hw[1] // stride
        y, x = np.mgrid[:rows, :columns]
        centres.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full(rows * columns, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(
    cells: Float32Array,
    shape_hw: tuple[int, int],
    score_threshold: float,
    slope: float = 1.0,
    offset: float = 0.0,
) -> FaceDetections:
    """Return the cells that see a face, one box each, in pixels of the network's input.

    Args:
        cells: float32 (cells, 15), fine grid first.
        shape_hw: height and width of the network's input.
        score_threshold: cells scored below are dropped.
        slope: the logit is multiplied by this
        offset: and this is added before the sigmoid.
    """
    logits = cells[:, 0] * np.float32(slope) + np.float32(offset)
    chosen = np.flatnonzero(logits >= _logit(score_threshold))
    if not len(chosen):
        return FaceDetections.empty()
    if len(chosen) > MAX_CANDIDATES:
        chosen = chosen[np.argpartition(-logits[chosen], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    scores = 1 / (1 + np.exp(-np.clip(logits[chosen], -30, 30)))
    centres, strides = cell_centres(shape_hw)
    values, centres = cells[chosen], centres[chosen]
    units = strides[chosen, None] * UNIT_STRIDES
    box_centres = centres + values[:, 1:3] * units
    halves = np.exp(np.clip(values[:, 3:5], -6, 4)) * units / 2
    boxes = np.concatenate([box_centres - halves, box_centres + halves], axis=1)
    landmarks = centres[:, None] + values[:, 5:15].reshape(-1, 5, 2) * units[:, None]
    return FaceDetections(boxes, landmarks, scores.astype(np.float32, copy=False))


def _logit(score: float) -> float:
    """Return what the sigmoid makes *score* of."""
    if not 0 < score < 1:
        return math.copysign(math.inf, score - 0.5)
    return math.log(score / (1 - score))


def merge(
    candidates: Sequence[FaceDetections], large_px: Sequence[float] | None = None
) -> FaceDetections:
    """Return the faces that candidates of several scales stand for, best score first.

    Candidates that overlap become their mean, and parts of a face are left out.

    Args:
        candidates: of each scale, all in pixels of the same image; at least one scale.
        large_px: of each scale, height from which faces are better seen at the next; None for none.
    """
    together = FaceDetections.joined(candidates)
    if not len(together):
        return together
    boxes, landmarks, scores = together.boxes_xyxy, together.landmarks, together.scores
    same = pairwise_iou(boxes, boxes) > MAX_IOU
    kept = non_maximum_suppression(same, scores)
    worth = scores**SHARE_POWER
    if large_px is not None:
        limits = np.repeat(np.array(large_px, np.float32), [len(one) for one in candidates])
        worth *= np.minimum(limits / np.maximum(boxes[:, 3] - boxes[:, 1], 1), 1) ** SHARE_POWER
    shares = same[kept] * worth
    shares /= shares.sum(axis=1, keepdims=True)
    faces = FaceDetections(shares @ boxes, np.tensordot(shares, landmarks, 1), scores[kept])
    return faces[~is_part(faces)]


def is_part(faces: FaceDetections) -> BoolArray:
    """Return bool (N,): which boxes lie in a larger box that is about as likely a face."""
    boxes, scores = faces.boxes_xyxy, faces.scores
    areas = box_areas(boxes)
    inside = pairwise_coverage(boxes, boxes) >= PART_COVERAGE
    larger = areas[None, :] > areas[:, None]
    likely = scores[None, :] >= PART_SCORE * scores[:, None]
    part: BoolArray = np.any(inside & larger & likely, axis=1)
    return part
