# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One camera and emotion_node: ``ros2 launch fer_ros live.launch.py camera:=v4l2_camera``."""

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import OpaqueFunction

from fer_ros.nodes.launching import (
    BOOLEANS,
    Settings,
    argument,
    camera_arguments,
    middleware_actions,
    node_arguments,
)


def start(context: LaunchContext) -> list[Action]:
    """Return the actions that the arguments ask for."""
    settings = Settings.of(context)
    namespace = settings.values['namespace']
    return [
        *settings.camera(namespace, settings.values['device']),
        settings.emotion_node(namespace),
        *settings.viewers(namespace),
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe one camera and emotion_node, with their arguments."""
    return LaunchDescription(
        [
            *camera_arguments(),
            argument('device', '/dev/video0', 'the camera; for opencv also its number'),
            argument('namespace', '', 'in front of all names'),
            argument('use_sim_time', 'false', 'take the time from /clock', BOOLEANS),
            *node_arguments(),
            *middleware_actions(),
            OpaqueFunction(function=start),
        ]
    )
