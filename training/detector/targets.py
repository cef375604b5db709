# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the network should answer: which cells stand for which face; and the loss.

Assignment as in FCOS (Z. Tian et al., 2019): the cells near the middle of a face stand for it, on
the levels that suit its size; the score to learn is the overlap the cell's own box reaches, as in
generalised focal loss (X. Li et al., 2020).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from fer_ros.detection.builtin import STRIDES, UNIT_STRIDES, cell_centres
from fer_ros.types import Float32Array
from training.detector.collage import LabelledFaces

LEVEL_SIDES_PX = ((0.0, 46.0), (34.0, 104.0), (78.0, 1e9))
"""Faces (root of the box's area) that each stride stands for; neighbours share a band."""
CENTRE_SHARE = 0.25
"""Cells stand for a face up to this share of its sides away from its middle,"""
CENTRE_STRIDES = 0.75
"""but at least up to so many strides."""

TAUGHT_FROM = 0.1
"""A teacher's boxes and landmarks are learnt from cells to which it gives at least this score."""

WEIGHT, POSITIVE, BOX, LANDMARKS = 0, 1, slice(2, 6), slice(6, 16)
TARGET_COLUMNS = 16


def encode(faces: LabelledFaces, size_px: int, least_px: float) -> Float32Array:
    """Return the targets of a square image, float32 (cells, 16).

    Columns: weight of the score (0 for cells left open), 1 for cells that stand for a face, the
    face's box (xyxy, px) and its landmarks (px). Where faces overlap the smaller one wins.

    Args:
        faces: what the image shows, in its pixels.
        size_px: height and width of the image, a multiple of the largest stride.
        least_px: faces with a smaller root of their area are left open.
    """
    centres, strides = cell_centres((size_px, size_px))
    target = np.zeros((len(centres), TARGET_COLUMNS), np.float32)
    target[:, WEIGHT] = 1
    low, high = (
        np.repeat([sides[end] for sides in LEVEL_SIDES_PX], [(size_px // s) ** 2 for s in STRIDES])
        for end in (0, 1)
    )
    sides = np.sqrt(
        np.clip(faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2], 0, None).prod(axis=1)
    )
    for row in np.argsort(-sides, kind='stable'):
        box = faces.boxes_xyxy[row]
        wide = box[2:] - box[:2]
        away = np.abs(centres - (box[:2] + box[2:]) / 2)
        if not faces.sure[row] or sides[row] < least_px:
            target[(away < wide / 2 + strides[:, None] / 2).all(axis=1), WEIGHT] = 0
            continue
        reach = np.maximum(CENTRE_SHARE * wide, CENTRE_STRIDES * strides[:, None])
        near = (away <= reach).all(axis=1) & (low <= sides[row]) & (sides[row] < high)
        target[near, WEIGHT] = target[near, POSITIVE] = 1
        target[near, BOX] = box
        target[near, LANDMARKS] = faces.landmarks[row].ravel()
    return target


class DetectorLoss(keras.losses.Loss):
    """Score (quality focal loss), box (complete IoU) and landmarks (L1), each a cell's mean."""

    def __init__(
        self,
        size_px: int,
        box_weight: float = 2.0,
        landmark_weight: float = 1.0,
        taught: bool = False,
        **options: Any,
    ) -> None:
        """Make the loss for images of *size_px* by *size_px*.

        With *taught* the targets are a teacher's answer: every cell learns its score, and those it
        scores above TAUGHT_FROM its box and landmarks, by their score.
        """
        super().__init__(name='detector_loss', reduction=None, **options)
        centres, strides = cell_centres((size_px, size_px))
        self.centres, self.units = centres, (strides * UNIT_STRIDES)[:, None]
        self.box_weight, self.landmark_weight = box_weight, landmark_weight
        self.taught = taught

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the batch.

        Args:
            y_true: (B, cells, 16) from ``encode``.
            y_pred: (B, cells, 15): logit, box (dx, dy, log w, log h) and landmarks in units.
        """
        positive, weight = y_true[..., POSITIVE], y_true[..., WEIGHT]
        if self.taught:
            taught_score = positive
            positive = positive * ops.cast(positive > TAUGHT_FROM, positive.dtype)
        count = ops.maximum(ops.sum(positive), 1.0)
        centres, units = map(ops.convert_to_tensor, (self.centres, self.units))
        middle = centres + y_pred[..., 1:3] * units
        half = ops.exp(ops.clip(y_pred[..., 3:5], -6, 4)) * units / 2
        box = ops.concatenate([middle - half, middle + half], axis=-1)
        overlap, distance = box_overlap(box, y_true[..., BOX])
        box_loss = ops.sum(positive * (1 - overlap + distance)) / count

        if self.taught:
            entropy = ops.binary_crossentropy(taught_score, y_pred[..., 0], from_logits=True)
            score_loss = ops.sum(entropy) / count
        else:
            quality = ops.stop_gradient(ops.clip(overlap, 0, 1)) * positive
            score = ops.sigmoid(y_pred[..., 0])
            entropy = ops.binary_crossentropy(quality, y_pred[..., 0], from_logits=True)
            score_loss = ops.sum(weight * ops.square(quality - score) * entropy) / count

        shape = (-1, self.centres.shape[0], 5, 2)
        offsets = ops.reshape(y_pred[..., 5:15], shape) * ops.reshape(units, (1, -1, 1, 1))
        points = ops.reshape(centres, (1, -1, 1, 2)) + offsets
        wanted = ops.reshape(y_true[..., LANDMARKS], shape)
        wide = y_true[..., 4:6] - y_true[..., 2:4]
        side = ops.sqrt(ops.maximum(wide[..., 0] * wide[..., 1], 1.0))[..., None, None]
        error = ops.mean(ops.abs(points - wanted) / side, axis=(-1, -2))
        landmark_loss = ops.sum(positive * ops.minimum(error, 1.0)) / count
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
