# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the network should predict for each cell: a teacher's scores, corrected by what is known.

A teacher that predicts every cell gives a score for each, also for things that look a little like
faces (arXiv 1503.02531). Where photos were enlarged, turned or cut, more is known than the
teacher sees: faces it misses, parts of a face that are none, faces upside down.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from fer_ros.detection.cells import STRIDES, UNIT_STRIDES, cell_centres
from fer_ros.geometry import pairwise_iou
from fer_ros.types import BoolArray, Float32Array
from training.detector.mosaic import UPRIGHT_DEG, UPSIDE_DOWN_DEG, Example

LEVEL_SIDES_PX = ((0.0, 46.0), (34.0, 104.0), (78.0, 1e9))
"""Faces (root of the box's area) that each stride stands for; neighbours share a band."""
CENTRE_SHARE = 0.25
"""Cells stand for a face up to this share of its sides away from its centre,"""
CENTRE_STRIDES = 0.75
"""but at least up to so many strides."""
SMALLEST_PX, LARGEST_PX = 18.0, 320.0
"""Faces (root of the box's area) the network is to find by itself; larger ones are found at a
smaller scale."""
MISSED_SCORE, GIVEN_SCORE = 0.5, 0.85
"""A face to which no cell of the teacher's gives the first is given the second."""
WHOLE_FROM_PX, PART_SHARE = 48.0, 0.5
"""Boxes in the middle of a face of at least this side, and below this share of it, are parts."""
SAME_MIN_IOU = 0.4
TAUGHT_FROM = 0.1
"""Boxes and landmarks are learned from cells with at least this score."""

WEIGHT, SCORE, BOX, LANDMARKS = 0, 1, slice(2, 6), slice(6, 16)
TARGET_COLUMNS = 16


def correct(target: Float32Array, example: Example) -> None:
    """Correct a teacher's targets of an image by what is known of it, in place.

    Args:
        target: float32 (cells, 16), fine grid first: weight of the score, score 0 to 1, box (xyxy,
            px), landmarks (px; NaN where nobody knows them).
        example: the image, square, its sides multiples of the largest stride.
    """
    size = example.image.shape[0]
    centres, strides = cell_centres((size, size))
    faces, sides = example.faces, example.faces.sides_px
    overlaps = pairwise_iou(target[:, BOX], faces.boxes_xyxy)
    columns, rows = centres.astype(int).T
    unknown = example.complete[rows, columns] & ~(overlaps >= SAME_MIN_IOU).any(axis=1)
    target[unknown, SCORE] = 0
    cell_sides = np.sqrt(np.clip(target[:, 4:6] - target[:, 2:4], 0, None).prod(axis=1))
    for row in np.argsort(-sides, kind='stable'):
        box, turned = faces.boxes_xyxy[row], example.turned_deg[row]
        inside = ((centres > box[:2]) & (centres < box[2:])).all(axis=1)
        if sides[row] >= WHOLE_FROM_PX:
            target[inside & (cell_sides < PART_SHARE * sides[row]), SCORE] = 0
        if turned >= UPRIGHT_DEG:
            near = inside & (overlaps[:, row] >= SAME_MIN_IOU)
            target[near, SCORE] = 0
            target[near, WEIGHT] = float(turned >= UPSIDE_DOWN_DEG)
        elif faces.certain[row] and SMALLEST_PX <= sides[row] <= LARGEST_PX:
            taught = (overlaps[:, row] >= SAME_MIN_IOU) & (target[:, SCORE] > TAUGHT_FROM)
            if not (taught & (target[:, SCORE] >= MISSED_SCORE)).any():
                taught = _central_cells(box, centres, strides)
                target[taught, WEIGHT], target[taught, SCORE] = 1, GIVEN_SCORE
            target[taught, BOX] = box
            target[taught, LANDMARKS] = faces.landmarks[row].ravel()


def _central_cells(box: Float32Array, centres: Float32Array, strides: Float32Array) -> BoolArray:
    """Return bool (cells,): those that stand for a face, as in FCOS (Z. Tian et al., 2019)."""
    wide = box[2:] - box[:2]
    side = np.sqrt(wide.prod())
    reach = np.maximum(CENTRE_SHARE * wide, CENTRE_STRIDES * strides[:, None])
    near = (np.abs(centres - (box[:2] + box[2:]) / 2) <= reach).all(axis=1)
    for stride, (low, high) in zip(STRIDES, LEVEL_SIDES_PX):
        near &= (strides != stride) | ((low <= side) & (side < high))
    return near


class DetectorLoss(keras.losses.Loss):
    """Score (cross-entropy), box (complete IoU) and landmarks (L1), weighted by the score."""

    def __init__(
        self,
        size_px: int,
        box_weight: float = 2.0,
        landmark_weight: float = 1.0,
        **options: Any,
    ) -> None:
        """Make the loss for images of *size_px* by *size_px*."""
        super().__init__(name='detector_loss', reduction=None, **options)
        centres, strides = cell_centres((size_px, size_px))
        self.centres, self.units = centres, (strides * UNIT_STRIDES)[:, None]
        self.box_weight, self.landmark_weight = box_weight, landmark_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the batch.

        Args:
            y_true: (B, cells, 16), see ``correct``.
            y_pred: (B, cells, 15): logit, box (dx, dy, log w, log h) and landmarks in units.
        """
        score, weight = y_true[..., SCORE], y_true[..., WEIGHT]
        taught = weight * score * ops.cast(score > TAUGHT_FROM, score.dtype)
        count = ops.maximum(ops.sum(taught), 1.0)
        centres, units = map(ops.convert_to_tensor, (self.centres, self.units))
        box_centres = centres + y_pred[..., 1:3] * units
        half = ops.exp(ops.clip(y_pred[..., 3:5], -6, 4)) * units / 2
        box = ops.concatenate([box_centres - half, box_centres + half], axis=-1)
        overlap, distance = box_overlap(box, y_true[..., BOX])
        box_loss = ops.sum(taught * (1 - overlap + distance)) / count

        entropy = ops.binary_crossentropy(score, y_pred[..., 0], from_logits=True)
        score_loss = ops.sum(weight * entropy) / count

        shape = (-1, self.centres.shape[0], 5, 2)
        offsets = ops.reshape(y_pred[..., 5:15], shape) * ops.reshape(units, (1, -1, 1, 1))
        points = ops.reshape(centres, (1, -1, 1, 2)) + offsets
        targets = ops.reshape(y_true[..., LANDMARKS], shape)
        known = ops.isfinite(targets)
        wide = y_true[..., 4:6] - y_true[..., 2:4]
        side = ops.sqrt(ops.maximum(wide[..., 0] * wide[..., 1], 1.0))[..., None, None]
        distances = ops.where(known, ops.abs(points - ops.where(known, targets, 0.0)), 0.0)
        error = ops.mean(distances / side, axis=(-1, -2))
        landmark_loss = ops.sum(taught * ops.minimum(error, 1.0)) / count
        return score_loss + self.box_weight * box_loss + 10 * self.landmark_weight * landmark_loss


def box_overlap(first: Any, second: Any) -> tuple[Any, Any]:
    """Return IoU and the normalised distance penalties of complete IoU without its angle term.

    Args:
        first: (..., 4) xyxy.
        second: (..., 4) xyxy.
    """
    top_left = ops.maximum(first[..., :2], second[..., :2])
    bottom_right = ops.minimum(first[..., 2:], second[..., 2:])
    shared = ops.prod(ops.maximum(bottom_right - top_left, 0.0), axis=-1)
    sides, other = first[..., 2:] - first[..., :2], second[..., 2:] - second[..., :2]
    union = ops.prod(sides, axis=-1) + ops.prod(other, axis=-1) - shared
    hull = ops.maximum(first[..., 2:], second[..., 2:]) - ops.minimum(
        first[..., :2], second[..., :2]
    )
    gap = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    far = ops.sum(ops.square(gap), axis=-1) / ops.maximum(ops.sum(ops.square(hull), axis=-1), 1e-6)
    odd = ops.sum(ops.square((sides - other) / ops.maximum(hull, 1e-3)), axis=-1)
    return shared / ops.maximum(union, 1e-6), far + odd
