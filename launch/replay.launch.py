# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag played into emotion_node: ``ros2 launch fer_ros replay.launch.py bag:=PATH``."""

from launch import LaunchDescription

from fer_ros.launching.actions import describe
from fer_ros.launching.plans import replay, replay_arguments


def generate_launch_description() -> LaunchDescription:
    """Describe what fer_ros.launching.plans plans."""
    return describe(replay_arguments(), replay)
