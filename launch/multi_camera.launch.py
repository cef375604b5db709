# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras, a namespace each: ``… multi_camera.launch.py cameras:=front,left,right``."""

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import OpaqueFunction

from fer_ros.errors import ConfigError
from fer_ros.nodes.launching import (
    BOOLEANS,
    Settings,
    argument,
    camera_arguments,
    middleware_actions,
    node_arguments,
)


def start(context: LaunchContext) -> list[Action]:
    """Return the actions that the arguments ask for.

    Raises:
        ConfigError: there are not as many devices as cameras, or a name occurs twice.
    """
    settings = Settings.of(context)
    cameras, devices = settings.names('cameras'), settings.names('devices')
    if len(set(cameras)) != len(cameras) or not cameras:
        raise ConfigError(f'cameras:={settings.values["cameras"]}: expected different names')
    if not devices:
        devices = [f'/dev/video{2 * number}' for number in range(len(cameras))]
    if len(devices) != len(cameras):
        raise ConfigError(f'{len(cameras)} cameras, but {len(devices)} devices')
    outer = settings.values['namespace'].strip('/')
    namespaces = [f'{outer}/{name}'.lstrip('/') for name in cameras]
    drivers = [
        action
        for namespace, device in zip(namespaces, devices)
        for action in settings.camera(namespace, device)
    ]
    if settings.on('shared'):
        return [*drivers, settings.shared_emotion_nodes(namespaces)]
    return [*drivers, *(settings.emotion_node(namespace) for namespace in namespaces)]


def generate_launch_description() -> LaunchDescription:
    """Describe several cameras, each with an emotion_node, with their arguments."""
    return LaunchDescription(
        [
            argument('cameras', 'front,left,right', 'their namespaces, with commas between them'),
            argument(
                'devices',
                '',
                'one for each camera, with commas between them; '
                'empty for /dev/video0,/dev/video2,… (a USB camera takes two numbers)',
            ),
            argument(
                'shared',
                'false',
                'one process for all: less memory; one each uses more cores',
                BOOLEANS,
            ),
            *camera_arguments(),
            argument('namespace', '', 'in front of all names'),
            argument('use_sim_time', 'false', 'take the time from /clock', BOOLEANS),
            *node_arguments(viewers=False),
            *middleware_actions(),
            OpaqueFunction(function=start),
        ]
    )
