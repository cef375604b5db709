# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What fer_ros.messages needs of ROS: rclpy's message classes, and cv_bridge where it works."""

from __future__ import annotations

import array
import functools
from importlib import import_module
from typing import Any

import numpy as np

from fer_ros.config import MAX_IMAGE_PIXELS
from fer_ros.errors import ConfigError, ImageError
from fer_ros.images.scaling import OnScaled
from fer_ros.messages import images
from fer_ros.types import UInt8Array

CV_BRIDGE_ENCODINGS = ('rgb8', 'bgra8', 'rgba8', 'mono8', 'yuv422', 'yuv422_yuy2')
"""What cv_bridge does as well as we; it knows no padding of NV12, nor the true range of mono16."""


@functools.cache
def message_class(kind: str) -> Any:
    """Return the class of a type such as sensor_msgs/msg/Image; ConfigError if there is none."""
    package, _, name = kind.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f'message type {kind} is not installed') from error


def is_installed(kind: str) -> bool:
    """Return whether messages of a type can be made here."""
    try:
        message_class(kind)
    except ConfigError:
        return False
    return True


def make(kind: str, **fields: Any) -> Any:
    """Return an rclpy message; fer_ros.messages.make.Make says of what.

    An array.array is taken over as it is; anything else rclpy checks element by element.
    """
    for name, value in fields.items():
        if isinstance(value, np.ndarray) and value.dtype in (np.uint8, np.float32):
            fields[name] = array.array(value.dtype.char)
            fields[name].frombytes(np.ascontiguousarray(value).data.cast('B'))
    return message_class(kind)(**fields)


@functools.cache
def _cv_bridge() -> Any:
    """Return a CvBridge, or None where there is none that works; one built for NumPy 1 does not."""
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        probe = make('sensor_msgs/msg/Image', height=1, width=2, encoding='rgb8', step=6,
                     data=np.array([1, 2, 3, 4, 5, 6], np.uint8))  # fmt: skip
        works = bridge.imgmsg_to_cv2(probe, 'bgr8').tolist() == [[[3, 2, 1], [6, 5, 4]]]
    except Exception:  # noqa: BLE001 - any failure of its compiled part means: not this one
        return None
    return bridge if works else None


def converter_name() -> str:
    """Return what converts images here."""
    return 'cv_bridge' if _cv_bridge() else 'OpenCV'


def to_bgr(
    message: Any,
    max_pixels: int = MAX_IMAGE_PIXELS,
    on_scaled: OnScaled | None = None,
) -> UInt8Array:
    """Return an image message as uint8 (H, W, 3) BGR; see fer_ros.messages.images.to_bgr."""
    if getattr(message, 'encoding', '') in CV_BRIDGE_ENCODINGS and (bridge := _cv_bridge()):
        images.image_values(message, max_pixels)
        try:
            converted: UInt8Array = bridge.imgmsg_to_cv2(message, 'bgr8')
        except Exception as error:  # CvBridgeError is not importable where it does not work
            raise ImageError(f'{message.encoding} cannot be converted: {error}') from error
        return converted
    return images.to_bgr(message, max_pixels, on_scaled)
