# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Each process that a launch file may start, described as plain data."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bags import IMAGE_TYPES
from fer_ros.errors import ConfigError, named_path
from fer_ros.launching.arguments import PACKAGE, Given, share
from fer_ros.nodes.conventions import camera_info_topic, optical_frame

RECORDER_START_S = 5.0
"""A recorder needs so long to find its topics; the bag is held back until then."""

PLAYER_DELAY_S = 3
"""`ros2 bag play` waits a moment, so that nobody misses the first images."""

RVIZ_TOPICS = ('image_annotated',)
"""Topics in rviz/fer.rviz that launch files remap into a namespace."""


@dataclass(frozen=True)
class Process:
    """A program with its arguments, and what its end means.

    Attributes:
        command: empty for a Node.
        ends_all: everything ends with it; with an error if it ended with one.
        respawn: start it again when it has died.
        delay_s: how long to wait before it starts.
    """

    command: tuple[str, ...] = ()
    ends_all: bool = False
    respawn: bool = False
    delay_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Node(Process):
    """A ROS node, in terms of launch_ros.actions.Node; a lifecycle node if *lifecycle*.

    Attributes:
        nodes: full names of the nodes in the process.
        parameters: files and dictionaries, later ones on top.
    """

    executable: str
    nodes: tuple[str, ...] = ()
    package: str = PACKAGE
    name: str | None = None
    namespace: str = ''
    arguments: tuple[str, ...] = ()
    parameters: tuple[str | dict[str, Any], ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = 'info'
    lifecycle: bool = False


def is_installed(package: str) -> bool:
    """Return whether the ament index knows a package."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True


def _needed(package: str) -> str:
    """Return *package*; ConfigError with what to install if it is not there."""
    if not is_installed(package):
        distribution = os.environ.get('ROS_DISTRO', 'jazzy')
        raise ConfigError(
            f'{package} is not installed: sudo apt install '
            f'ros-{distribution}-{package.replace("_", "-")}'
        )
    return package


def _ours(given: Given, executable: str, namespace: str, *, ends_all: bool = True) -> Any:
    """Return what every node of ours has in common, as keywords of Node."""
    respawn = given.on('respawn')
    return {
        'executable': executable,
        'namespace': namespace,
        'ends_all': ends_all and not respawn,
        'respawn': respawn,
        'nodes': (given.absolute(namespace, executable),),
        'log_level': given['log_level'],
    }


def emotion_parameters(given: Given) -> tuple[str | dict[str, Any], ...]:
    """Return the parameter file, and on top of it only what was given as an argument."""
    parameters: dict[str, Any] = {
        name: given.on(name) for name in ('autostart', 'use_sim_time') if given[name]
    }
    for name, parameter in (
        ('image_transport', 'image_transport'),
        ('depth_topic', 'depth_topic'),
        ('detector', 'detection.backend'),
        ('model', 'classification.model'),
        ('backend', 'classification.backend'),
    ):
        if given[name]:
            parameters[parameter] = given[name]
    file = str(given.path('params_file'))
    return (file, parameters) if parameters else (file,)


def _from_image_topic(given: Given) -> tuple[tuple[str, str], ...]:
    """Return remappings of emotion_node's input; it finds the camera_info beside it by itself."""
    topic = given['image_topic']
    return (('image', topic), ('image/compressed', f'{topic}/compressed'))


def emotion_node(given: Given, namespace: str) -> Node:
    """Return emotion_node in *namespace*."""
    return Node(
        **_ours(given, 'emotion_node', namespace),
        name='emotion_node',
        lifecycle=True,
        parameters=emotion_parameters(given),
        remappings=_from_image_topic(given),
    )


def shared_emotion_node(given: Given, cameras: list[str]) -> Node:
    """Return one process with an emotion_node for each camera, all below the namespace."""
    outer = given['namespace']
    common = _ours(given, 'multi_emotion_node', outer)
    common['nodes'] = tuple(given.absolute(outer, camera, 'emotion_node') for camera in cameras)
    return Node(
        **common,
        arguments=tuple(cameras),
        parameters=emotion_parameters(given),
        remappings=_from_image_topic(given),
    )


def camera(given: Given, namespace: str, device: str) -> tuple[Node, ...]:
    """Return the camera driver that was asked for, none for camera:=none.

    Raises:
        ConfigError: the driver is not installed, or cannot send compressed images.
    """
    kind, topic = given['camera'], given['image_topic']
    if kind == 'none':
        return ()
    width, height = round(given.number('width')), round(given.number('height'))
    rate_hz = given.number('rate')
    remappings = (('image_raw', topic), ('camera_info', camera_info_topic(topic)))
    if kind in ('opencv', 'demo'):
        if given['image_transport'] == 'compressed':
            raise ConfigError(
                f'camera:={kind} sends raw images only; image_transport:=compressed needs '
                'camera:=v4l2_camera or usb_cam, or camera:=none'
            )
        parameters: dict[str, Any] = {
            'source': 'demo' if kind == 'demo' else device,
            'width_px': width,
            'height_px': height,
            'rate_hz': rate_hz,
        }
        return (
            Node(
                **_ours(given, 'camera_node', namespace),
                parameters=(share('config', 'camera_node.yaml'), parameters),
                remappings=remappings,
            ),
        )
    frame = optical_frame(given.absolute(namespace))
    if kind == 'usb_cam':
        executable, parameters = 'usb_cam_node_exe', {
            'video_device': device, 'image_width': width, 'image_height': height,
            'framerate': rate_hz, 'frame_id': frame,
        }  # fmt: skip
    else:
        executable, parameters = 'v4l2_camera_node', {
            'video_device': device, 'image_size': [width, height],
            'time_per_frame': [1, max(1, round(rate_hz))], 'camera_frame_id': frame,
        }  # fmt: skip
    return (
        Node(
            package=_needed(kind),
            executable=executable,
            name='camera',
            namespace=namespace,
            parameters=(parameters,),
            remappings=(*remappings, ('image_raw/compressed', f'{topic}/compressed')),
            respawn=given.on('respawn'),
            nodes=(given.absolute(namespace, 'camera'),),
            log_level=given['log_level'],
        ),
    )


def bag_inputs(given: Given) -> tuple[str, ...]:
    """Return the topics of the bag that emotion_node reads, so that old results stay out.

    Raises:
        FerError: the bag cannot be opened, or has no such images or topics.
    """
    topic, more = given.absolute(given['image_topic']), given.names('topics')
    with open_bag(given.path('bag')) as reader:
        types = {connection.topic: connection.msgtype for connection in reader.connections}
    images = [name for name in (topic, f'{topic}/compressed') if types.get(name) in IMAGE_TYPES]
    if not images:
        known = ', '.join(sorted(name for name, kind in types.items() if kind in IMAGE_TYPES))
        raise ConfigError(f'image_topic:={topic}: the bag has no images there, but on: {known}')
    missing = [name for name in more if name not in types]
    if missing:
        raise ConfigError(f'topics:={",".join(more)}: the bag has no {", ".join(missing)}')
    beside = [camera_info_topic(topic), '/tf_static']
    if given['depth_topic']:
        depth = given.absolute(given['namespace'], given['depth_topic'])
        if depth not in types:
            raise ConfigError(f'depth_topic:={depth}: the bag has no such topic')
        beside += [depth, camera_info_topic(depth)]
    return tuple(dict.fromkeys([*images, *(name for name in beside if name in types), *more]))


def player(given: Given) -> Process:
    """Return what plays the bag's inputs: ros2 bag where it is installed, else bag_player_node.

    Raises:
        FerError: the bag cannot be opened, or has no such images or topics.
    """
    bag, rate, topics = str(given.path('bag')), given.number('rate'), bag_inputs(given)
    delay_s = RECORDER_START_S if given['record'] else 0.0
    if is_installed('ros2bag') and not given.on('lossless'):
        command = ['ros2', 'bag', 'play', bag, '--clock', '--rate', f'{rate:g}']
        command += ['--delay', str(PLAYER_DELAY_S), *(['--loop'] if given.on('loop') else [])]
        command += ['--topics', *topics]
        return Process(tuple(command), ends_all=True, delay_s=delay_s)
    namespace = given['namespace']
    parameters = {
        'bag': bag,
        'topics': ','.join(topics),
        'rate': rate,
        'loop': given.on('loop'),
        'results_topic': given.absolute(namespace, 'emotions') if given.on('lossless') else '',
    }
    # In full, for a delayed action no longer knows what was pushed before it.
    common = _ours(given, 'bag_player_node', given.absolute(namespace))
    return Node(
        **{**common, 'ends_all': True, 'respawn': False, 'delay_s': delay_s},
        # The player makes the time; it must not wait for it.
        parameters=(share('config', 'bag_player_node.yaml'), {**parameters, 'use_sim_time': False}),
    )


def recorder(given: Given) -> tuple[Process, ...]:
    """Return what records our results, if a bag was asked for.

    Raises:
        ConfigError: the bag exists already.
    """
    if not given['record']:
        return ()
    out, namespace = named_path(given['record'], ConfigError), given['namespace']
    if out.exists():
        raise ConfigError(f'record:={out} exists already')
    topics = [given.absolute(namespace, name) for name in ('emotions', 'detections', 'labels')]
    if is_installed('ros2bag'):
        return (Process(('ros2', 'bag', 'record', '--use-sim-time', '-o', str(out), *topics)),)
    parameters = {'bag': str(out), 'topics': ','.join(topics)}
    return (
        Node(
            **_ours(given, 'bag_recorder_node', namespace),
            parameters=(share('config', 'bag_recorder_node.yaml'), parameters),
        ),
    )


def viewers(given: Given) -> tuple[Process, ...]:
    """Return rviz2 and the web page, as far as they were asked for."""
    namespace = given['namespace']
    processes: list[Process] = []
    if given.on('rviz'):
        arguments = ['-d', share('rviz', 'fer.rviz')]
        if given['camera'] not in ('', 'none'):
            arguments += ['-f', optical_frame(given.absolute(namespace))]
        processes.append(
            Node(
                package=_needed('rviz2'),
                executable='rviz2',
                arguments=tuple(arguments),
                remappings=tuple(
                    (f'/{name}', given.absolute(namespace, name)) for name in RVIZ_TOPICS
                ),
            )
        )
    if given.on('dashboard'):
        processes.append(Process((sys.executable, '-m', 'fer_ros.cli', 'dashboard')))
    return tuple(processes)
