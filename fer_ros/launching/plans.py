# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What each launch file starts, from the arguments that were given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fer_ros.errors import ConfigError
from fer_ros.launching.arguments import (
    BOOLEANS,
    NAMESPACE,
    Argument,
    Given,
    camera_arguments,
    node_arguments,
    viewer_arguments,
)
from fer_ros.launching.processes import (
    Process,
    camera,
    emotion_node,
    player,
    recorder,
    shared_emotion_node,
    viewers,
)


@dataclass(frozen=True)
class Plan:
    """What to start, and parameters of all nodes, below those of files."""

    processes: tuple[Process, ...]
    parameters: dict[str, Any] = field(default_factory=dict)


def _simulated_time(given: Given) -> dict[str, Any]:
    """Return use_sim_time for every node, if it was given."""
    return {'use_sim_time': given.on('use_sim_time')} if given['use_sim_time'] else {}


Planner = Callable[[Given], Plan]


def live_arguments() -> tuple[Argument, ...]:
    """Return the arguments of live.launch.py."""
    return (
        *camera_arguments(),
        Argument('device', '/dev/video0', 'the camera; for opencv also its number'),
        NAMESPACE,
        *node_arguments(),
        *viewer_arguments(),
    )


def live(given: Given) -> Plan:
    """Return one camera and emotion_node; FerError for arguments that cannot be met."""
    namespace = given['namespace']
    return Plan(
        (
            *camera(given, namespace, given['device']),
            emotion_node(given, namespace),
            *viewers(given),
        ),
        _simulated_time(given),
    )


def multi_camera_arguments() -> tuple[Argument, ...]:
    """Return the arguments of multi_camera.launch.py."""
    return (
        Argument('cameras', 'front,left,right', 'their namespaces, with commas between them'),
        Argument(
            'devices',
            '',
            'one for each camera, with commas between them; '
            'empty for /dev/video0,/dev/video2,… (a USB camera takes two numbers)',
        ),
        Argument(
            'shared',
            'false',
            'one process for all: less memory; one each uses more cores',
            BOOLEANS,
        ),
        *camera_arguments(),
        NAMESPACE,
        *node_arguments(),
    )


def multi_camera(given: Given) -> Plan:
    """Return several cameras, a namespace each.

    Raises:
        FerError: there are not as many devices as cameras, or a name occurs twice.
    """
    cameras, devices = given.names('cameras'), given.names('devices')
    if len(set(cameras)) != len(cameras) or not cameras:
        raise ConfigError(f'cameras:={given["cameras"]}: expected different names')
    if not devices:
        devices = [f'/dev/video{2 * number}' for number in range(len(cameras))]
    if len(devices) != len(cameras):
        raise ConfigError(f'{len(cameras)} cameras, but {len(devices)} devices')
    outer = given['namespace'].rstrip('/')
    namespaces = [f'{outer}/{name}' if outer else name for name in cameras]
    drivers = [
        driver
        for namespace, device in zip(namespaces, devices)
        for driver in camera(given, namespace, device)
    ]
    readers = (
        [shared_emotion_node(given, cameras)]
        if given.on('shared')
        else [emotion_node(given, namespace) for namespace in namespaces]
    )
    return Plan((*drivers, *readers), _simulated_time(given))


def replay_arguments() -> tuple[Argument, ...]:
    """Return the arguments of replay.launch.py."""
    return (
        Argument('bag', None, 'folder of the bag'),
        Argument(
            'topics',
            '',
            'topics of the bag to play beside the images, their camera_info and /tf_static, with '
            'commas between them',
        ),
        Argument('rate', '1.0', 'speed of the replay: seconds of the bag per second'),
        Argument('loop', 'false', 'start again at the end', BOOLEANS),
        Argument('record', '', 'folder to make: a bag of the results; empty for none'),
        Argument(
            'lossless',
            'false',
            'play each image only when the one before has been processed, slower than rate '
            'where the computer is (bag_player_node)',
            BOOLEANS,
        ),
        NAMESPACE,
        *node_arguments(image_topic='/image_raw'),
        *viewer_arguments(),
    )


def replay(given: Given) -> Plan:
    """Return a bag played into emotion_node; FerError for arguments that cannot be met."""
    namespace = given['namespace']
    return Plan(
        (
            emotion_node(given, namespace),
            *recorder(given),
            player(given),
            *viewers(given),
        ),
        # Below the parameter file's, so that a file may say otherwise.
        {'use_sim_time': True, **_simulated_time(given)},
    )
