# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far away a face is, measured in a depth image that is registered to the camera's."""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_ros.people.head_pose import ASSUMED_FOCAL_SPREAD
from fer_ros.types import Float32Array, HeadPose

MIN_MEASURED = 0.2
"""A face with a smaller share of measured pixels in its middle is not measured."""

FACE_RELIEF_M = 0.015
"""Standard deviation of a face's surface about its middle."""

DEPTH_NOISE = 0.01
"""Standard deviation of a depth camera's pixels that lie together, as a share of the distance."""

ACROSS_M = 0.002
"""What noise in the landmarks moves a face by across the line of sight."""


def face_depth(
    depth_m: Float32Array, box_xyxy: Float32Array, shape_hw: tuple[int, int]
) -> tuple[float, float] | None:
    """Return a face's depth and its standard deviation in metres; None where it is not measured.

    It is the median of the middle half of the box in each direction, where a face has neither hair
    nor background; a few holes make no difference.

    Args:
        depth_m: float32 (h, w) along the camera's axis, of the same view; NaN for holes.
        box_xyxy: float32 (4,) px of the image.
        shape_hw: height and width of the image, which may be of another resolution.
    """
    scale = np.array(depth_m.shape)[::-1] / np.array(shape_hw)[::-1]
    corners = box_xyxy.reshape(2, 2).astype(np.float64) * scale
    middle, quarter = corners.mean(axis=0), (corners[1] - corners[0]) / 4
    left, top = np.maximum(np.floor(middle - quarter).astype(int), 0)
    right, bottom = np.ceil(middle + quarter).astype(int)
    found = depth_m[top:bottom, left:right]
    values = found[np.isfinite(found)]
    if values.size < max(MIN_MEASURED * found.size, 1):
        return None
    depth = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - depth)))
    return depth, float(np.hypot(max(FACE_RELIEF_M, spread), DEPTH_NOISE * depth))


def moved_to_depth(
    pose: HeadPose, depth_m: float, sigma_m: float, *, is_calibrated: bool
) -> HeadPose:
    """Return a head moved along its line of sight to a measured depth.

    Args:
        pose: as its size in the image places it.
        depth_m: along the camera's axis.
        sigma_m: standard deviation of that.
        is_calibrated: False where the camera's field of view was assumed.
    """
    ray = pose.position_m / pose.position_m[2]
    sideways = 0.0 if is_calibrated else ASSUMED_FOCAL_SPREAD * depth_m
    focal_sigma = np.abs(ray) * (sideways, sideways, 0.0)
    return dataclasses.replace(
        pose,
        position_m=ray * depth_m,
        position_sigma_m=np.sqrt(ACROSS_M**2 + (ray * sigma_m) ** 2 + focal_sigma**2),
        distance_sigma_m=float(np.linalg.norm(ray) * sigma_m),
        distance_source='depth',
    )
