# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CameraInfo as a camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_ros.types import Camera

DISTORTIONS = {'plumb_bob': (4, 5), 'rational_polynomial': (8,)}
"""Models that OpenCV's functions know, and how many coefficients each has."""


def camera(info: Any, shape_hw: tuple[int, int]) -> Camera | None:
    """Return the camera that took an image, None if the message does not say enough.

    Args:
        info: sensor_msgs/CameraInfo; all zeros where a camera is not calibrated.
        shape_hw: height and width of the image, which may be a scaled one.
    """
    matrix = np.asarray(info.k, np.float64).reshape(3, 3)
    if not (np.isfinite(matrix).all() and min(matrix[0, 0], matrix[1, 1]) > 0):
        return None
    scale_y, scale_x = np.array(shape_hw) / np.maximum((info.height, info.width), 1)
    distortion = np.asarray(info.d, np.float64)
    known = len(distortion) in DISTORTIONS.get(info.distortion_model, ())
    return Camera(
        focal_px=(float(matrix[0, 0] * scale_x), float(matrix[1, 1] * scale_y)),
        centre_px=(float(matrix[0, 2] * scale_x), float(matrix[1, 2] * scale_y)),
        distortion=distortion if known and np.isfinite(distortion).all() else np.zeros(0),
    )
