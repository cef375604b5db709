# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras, a namespace each: ``… multi_camera.launch.py cameras:=front,left,right``."""

from launch import LaunchDescription

from fer_ros.launching.actions import describe
from fer_ros.launching.plans import multi_camera, multi_camera_arguments


def generate_launch_description() -> LaunchDescription:
    """Describe what fer_ros.launching.plans plans."""
    return describe(multi_camera_arguments(), multi_camera)
