# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CameraInfo as a camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_ros.types import Camera

DISTORTIONS = {'plumb_bob': (4, 5), 'rational_polynomial': (8,)}
"""Models that OpenCV's functions know, and how many coefficients each has."""

MIN_FOCAL, MAX_FOCAL = 0.05, 100.0
"""In widths of the image: no lens sees more than 169° at once, or a face from 2 km."""


def camera(info: Any, shape_hw: tuple[int, int]) -> Camera | None:
    """Return the camera that took an image, None if the message does not say enough.

    Args:
        info: sensor_msgs/CameraInfo; all zeros where a camera is not calibrated.
        shape_hw: height and width of the image, which may be a scaled one.
    """
    matrix = np.array(info.k, np.float64).reshape(3, 3)
    # The part of the sensor that the image shows; drivers may state no size at all.
    region = info.roi if info.roi.width > 0 and info.roi.height > 0 else info
    is_sized = region.width > 0 and region.height > 0
    size_hw = (region.height, region.width) if is_sized else shape_hw
    matrix[:2, 2] -= getattr(region, 'x_offset', 0), getattr(region, 'y_offset', 0)
    scale_y, scale_x = np.array(shape_hw) / size_hw
    (focal_x, _, centre_x), (_, focal_y, centre_y) = matrix[:2]
    if not (_can_be(focal_x, centre_x, size_hw[1]) and _can_be(focal_y, centre_y, size_hw[0])):
        return None
    distortion = np.asarray(info.d, np.float64)
    known = len(distortion) in DISTORTIONS.get(info.distortion_model, ())
    return Camera(
        focal_px=(float(focal_x * scale_x), float(focal_y * scale_y)),
        centre_px=(float(centre_x * scale_x), float(centre_y * scale_y)),
        distortion=distortion if known and np.isfinite(distortion).all() else np.zeros(0),
    )


def _can_be(focal: float, centre: float, size: int) -> bool:
    """Return whether focal length and centre along one side of an image are a camera's."""
    return MIN_FOCAL * size < focal < MAX_FOCAL * size and abs(centre) < 10 * size
