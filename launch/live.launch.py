# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One camera and emotion_node: ``ros2 launch fer_ros live.launch.py camera:=v4l2_camera``."""

from launch import LaunchDescription

from fer_ros.launching.actions import describe
from fer_ros.launching.plans import live, live_arguments


def generate_launch_description() -> LaunchDescription:
    """Describe what fer_ros.launching.plans plans."""
    return describe(live_arguments(), live)
