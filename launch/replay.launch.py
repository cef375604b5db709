# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag played into emotion_node: ``ros2 launch fer_ros replay.launch.py bag:=PATH``."""

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import OpaqueFunction

from fer_ros.nodes.launching import (
    BOOLEANS,
    Settings,
    argument,
    middleware_actions,
    node_arguments,
)


def start(context: LaunchContext) -> list[Action]:
    """Return the actions that the arguments ask for."""
    settings = Settings.of(context)
    namespace = settings.values['namespace']
    return [
        settings.emotion_node(namespace),
        *settings.recorder(namespace),
        *settings.when_recording(settings.player(namespace)),
        *settings.viewers(namespace),
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe a bag and emotion_node, with their arguments."""
    return LaunchDescription(
        [
            argument('bag', None, 'folder of the bag'),
            argument('rate', '1.0', 'seconds of the bag a second'),
            argument('loop', 'false', 'start again at the end', BOOLEANS),
            argument('record', '', 'folder to make: a bag of what came out; empty for none'),
            argument(
                'lossless',
                'false',
                'play each image only when the one before is answered, slower than rate where '
                'the computer is (bag_player_node)',
                BOOLEANS,
            ),
            argument('namespace', '', 'in front of all names of ours'),
            argument('use_sim_time', 'true', 'take the time from the bag', BOOLEANS),
            *node_arguments(image_topic='/image_raw'),
            *middleware_actions(),
            OpaqueFunction(function=start),
        ]
    )
