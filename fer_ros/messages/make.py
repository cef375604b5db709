# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a message is made: the one thing in which rclpy and rosbags differ."""

from __future__ import annotations

from typing import Any, Protocol


class Make(Protocol):
    """Makes a message; arrays of numbers are given as NumPy arrays, others as lists."""

    def __call__(self, kind: str, **fields: Any) -> Any:
        """Return a message of a type such as 'sensor_msgs/msg/Image' with all of its fields."""
