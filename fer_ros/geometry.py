# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pure mathematics of boxes and transforms; no images, no state."""

from __future__ import annotations

import numpy as np

from fer_ros.types import BoolArray, Float32Array, Int64Array


def pairwise_iou(first_xyxy: Float32Array, second_xyxy: Float32Array) -> Float32Array:
    """Return the intersection over union of every box with every other.

    Args:
        first_xyxy: float32 (N, 4), half-open.
        second_xyxy: float32 (M, 4), half-open.

    Returns:
        float32 (N, M), 0 to 1; boxes without area overlap nothing.

    Example:
        Boxes (0, 0, 2, 2) and (1, 0, 3, 2) share 2 of 6 pixels: 1/3.
    """
    shared = _shared_areas(first_xyxy, second_xyxy)
    union = box_areas(first_xyxy)[:, None] + box_areas(second_xyxy)[None, :] - shared
    shares: Float32Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return shares


def pairwise_coverage(inner_xyxy: Float32Array, outer_xyxy: Float32Array) -> Float32Array:
    """Return which share of every inner box lies in every outer one.

    Args:
        inner_xyxy: float32 (N, 4), half-open.
        outer_xyxy: float32 (M, 4), half-open.

    Returns:
        float32 (N, M), 0 to 1; boxes without area lie nowhere.
    """
    shared, areas = _shared_areas(inner_xyxy, outer_xyxy), box_areas(inner_xyxy)[:, None]
    shares: Float32Array = np.divide(shared, areas, out=np.zeros_like(shared), where=areas > 0)
    return shares


def _shared_areas(first_xyxy: Float32Array, second_xyxy: Float32Array) -> Float32Array:
    """Return float32 (N, M): the area in square pixels that each two boxes share."""
    top_left = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    bottom_right = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    areas: Float32Array = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    return areas


def box_areas(boxes_xyxy: Float32Array) -> Float32Array:
    """Return float32 (N,) areas in square pixels; 0 for boxes turned inside out."""
    areas: Float32Array = np.clip(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0, None).prod(axis=1)
    return areas


def non_maximum_suppression(same: BoolArray, scores: Float32Array) -> Int64Array:
    """Return the rows to keep, best score first, so that no two are the same.

    Args:
        same: bool (N, N), symmetric: which boxes overlap so much that they are one.
        scores: float32 (N,).

    Returns:
        int64 (K,).
    """
    order = np.argsort(-scores, kind='stable')
    ranked = same[np.ix_(order, order)]
    alive = np.ones(len(order), bool)
    for rank in range(len(order)):
        if alive[rank]:
            alive[rank + 1 :] &= ~ranked[rank, rank + 1 :]
    return order[alive].astype(np.int64)


def clip_boxes(boxes_xyxy: Float32Array, shape_hw: tuple[int, int]) -> Float32Array:
    """Return the boxes cut at the borders of an image of height and width *shape_hw*."""
    height, width = shape_hw
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes_xyxy, 0, limits)


def similarity_transform(source: Float32Array, target: Float32Array) -> Float32Array:
    """Return the rotation, scale and shift that best maps points onto points, by least squares.

    Closed form in complex numbers: with both sets centred, the factor is
    sum(conj(source) * target) / sum(|source|^2). Reflections are never made.

    Args:
        source: float32 (N, K, 2).
        target: float32 (K, 2).

    Returns:
        float32 (N, 2, 3) affine matrices; zeros but for the shift where all source points coincide.
    """
    start = source[..., 0].astype(np.float64) + 1j * source[..., 1]
    goal = target[..., 0].astype(np.float64) + 1j * target[..., 1]
    start_mean, goal_mean = start.mean(axis=1), goal.mean()
    centred = start - start_mean[:, None]
    power = (np.abs(centred) ** 2).sum(axis=1)
    product = (centred.conj() * (goal - goal_mean)).sum(axis=1)
    factor = np.divide(product, power, out=np.zeros_like(product), where=power > 0)
    shift = goal_mean - factor * start_mean
    return np.stack(
        [
            np.stack([factor.real, -factor.imag, shift.real], axis=1),
            np.stack([factor.imag, factor.real, shift.imag], axis=1),
        ],
        axis=1,
    ).astype(np.float32)
