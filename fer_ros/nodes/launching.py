# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: their arguments, and the actions made from them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch import LaunchContext
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

from fer_ros.config import CLASSIFIERS, DETECTORS, CameraNodeConfig
from fer_ros.errors import ConfigError
from fer_ros.nodes.middleware import middleware_settings

PACKAGE = 'fer_ros'
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
BOOLEANS = ('true', 'false')
CAMERA_KINDS = ('v4l2_camera', 'usb_cam', 'opencv', 'demo', 'none')
RECORDER_START_S = 5.0
_CAMERA = CameraNodeConfig()


def share(*parts: str) -> str:
    """Return the path of a file that is installed with the package."""
    return str(Path(get_package_share_directory(PACKAGE)).joinpath(*parts))


def argument(
    name: str, default: str | None, description: str, choices: tuple[str, ...] = ()
) -> DeclareLaunchArgument:
    """Declare a launch argument, required without a default; --show-args prints its choices."""
    more: dict[str, Any] = {'choices': list(choices)} if choices else {}
    return DeclareLaunchArgument(name, default_value=default, description=description, **more)


def node_arguments(
    image_topic: str = 'image_raw', viewers: bool = True
) -> list[DeclareLaunchArgument]:
    """Return the arguments of every launch file that starts emotion_node."""
    of_file = "empty for the parameter file's"
    arguments = [
        argument('params_file', share('config', 'emotion_node.yaml'), 'parameters of emotion_node'),
        argument('detector', '', f'face detector; {of_file}', ('', *DETECTORS)),
        argument('model', '', f'shipped emotion model, or path of a model card; {of_file}'),
        argument('backend', '', f'what runs the emotion model; {of_file}', ('', *CLASSIFIERS)),
        argument('image_topic', image_topic, 'where the images are'),
        argument(
            'image_transport',
            'raw',
            "'compressed' takes JPEG or PNG from <image_topic>/compressed",
            ('raw', 'compressed'),
        ),
        argument('autostart', 'true', 'configure and activate emotion_node at once', BOOLEANS),
        argument('respawn', 'false', 'start a node that has died again', BOOLEANS),
        argument('log_level', 'info', 'how much our nodes say', LOG_LEVELS),
    ]
    if viewers:
        arguments += [
            argument('rviz', 'false', 'open rviz2 with the annotated image', BOOLEANS),
            argument('dashboard', 'false', 'open the live web page', BOOLEANS),
        ]
    return arguments


def camera_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments of launch files that start cameras."""
    return [
        argument(
            'camera',
            'opencv',
            'camera driver; opencv is our own camera_node, demo shows two people from photos, '
            'none if something else publishes images',
            CAMERA_KINDS,
        ),
        argument('width', str(_CAMERA.width_px), 'width of the images in pixels'),
        argument('height', str(_CAMERA.height_px), 'height of the images in pixels'),
        argument('rate', str(_CAMERA.rate_hz), 'images a second'),
    ]


def middleware_actions() -> list[Action]:
    """Return what makes images arrive, for camera drivers as well as for our own nodes."""
    return [SetEnvironmentVariable(name, value) for name, value in middleware_settings().items()]


@dataclass(frozen=True)
class Settings:
    """The launch arguments of one run, and the actions they ask for."""

    values: dict[str, str]

    @classmethod
    def of(cls, context: LaunchContext) -> Settings:
        """Return the arguments as they were given."""
        return cls(dict(context.launch_configurations))

    def on(self, name: str) -> bool:
        """Return whether a true/false argument is true."""
        return self.values.get(name, 'false').lower() == 'true'

    def number(self, name: str) -> float:
        """Return a number; ConfigError if it is none above zero."""
        try:
            value = float(self.values[name])
        except ValueError:
            value = 0.0
        if value <= 0:
            raise ConfigError(f'{name}:={self.values[name]}: expected a number above 0')
        return value

    def names(self, name: str) -> list[str]:
        """Return the parts of an argument with commas."""
        return [part.strip() for part in self.values[name].split(',') if part.strip()]

    def emotion_node(self, namespace: str) -> Action:
        """Return emotion_node in *namespace*."""
        return LifecycleNode(
            package=PACKAGE,
            executable='emotion_node',
            name='emotion_node',
            namespace=namespace,
            parameters=self.emotion_parameters(),
            remappings=self.image_remappings('image'),
            **self.process(f'{namespace}/emotion_node', essential=True),
        )

    def shared_emotion_nodes(self, namespaces: list[str]) -> Action:
        """Return one process with an emotion_node in each namespace."""
        return Node(
            package=PACKAGE,
            executable='multi_emotion_node',
            arguments=namespaces,
            parameters=self.emotion_parameters(),
            remappings=self.image_remappings('image'),
            **self.process('multi_emotion_node', essential=True),
        )

    def emotion_parameters(self) -> list[Any]:
        """Return the parameter file, and on top of it what was given as arguments."""
        path = Path(self.values['params_file']).expanduser()
        if not path.is_file():
            raise ConfigError(f'params_file:={path} does not exist')
        given: dict[str, Any] = {
            'autostart': self.on('autostart'),
            'image_transport': self.values['image_transport'],
            'use_sim_time': self.on('use_sim_time'),
        }
        for name, parameter in (
            ('detector', 'detection.backend'),
            ('model', 'classification.model'),
            ('backend', 'classification.backend'),
        ):
            if self.values[name]:
                given[parameter] = ParameterValue(self.values[name], value_type=str)
        return [str(path), given]

    def image_remappings(self, name: str) -> list[tuple[str, str]]:
        """Return remappings of *name*, raw and compressed, to the image topic."""
        topic = self.values['image_topic']
        return [(name, topic), (f'{name}/compressed', f'{topic}/compressed')]

    def process(self, node: str, essential: bool = False) -> dict[str, Any]:
        """Return what all our nodes have in common; with an essential one everything ends."""
        logger = node.strip('/').replace('/', '.')
        common: dict[str, Any] = {
            'output': 'screen',
            'emulate_tty': True,
            'ros_arguments': ['--log-level', f'{logger}:={self.values["log_level"]}'],
        }
        if self.on('respawn'):
            common.update(respawn=True, respawn_delay=1.0)
        elif essential:
            common['on_exit'] = _end_with_it
        return common

    def camera(self, namespace: str, device: str) -> list[Action]:
        """Return the camera driver that was asked for, none for camera:=none.

        Raises:
            ConfigError: the driver is not installed, or cannot send compressed images.
        """
        kind = self.values['camera']
        if kind == 'none':
            return []
        width, height = (round(self.number(name)) for name in ('width', 'height'))
        rate_hz = self.number('rate')
        if kind in ('opencv', 'demo'):
            return [self._camera_node(namespace, 'demo' if kind == 'demo' else device)]
        if kind == 'usb_cam':
            executable, parameters = 'usb_cam_node_exe', {
                'video_device': device, 'image_width': width, 'image_height': height,
                'framerate': rate_hz,
            }  # fmt: skip
        else:
            executable, parameters = 'v4l2_camera_node', {
                'video_device': device, 'image_size': [width, height],
                'time_per_frame': [1, max(1, round(rate_hz))],
            }  # fmt: skip
        return [
            Node(
                package=_installed(kind),
                executable=executable,
                name='camera',
                namespace=namespace,
                parameters=[parameters],
                remappings=self.image_remappings('image_raw'),
                **self.process(f'{namespace}/camera'),
            )
        ]

    def _camera_node(self, namespace: str, source: str) -> Action:
        if self.values['image_transport'] == 'compressed':
            raise ConfigError(
                f'camera:={self.values["camera"]} sends raw images only; image_transport:='
                'compressed needs camera:=v4l2_camera or usb_cam, or camera:=none'
            )
        return Node(
            package=PACKAGE,
            executable='camera_node',
            namespace=namespace,
            parameters=[
                share('config', 'camera_node.yaml'),
                {
                    'source': ParameterValue(source, value_type=str),
                    'width_px': round(self.number('width')),
                    'height_px': round(self.number('height')),
                    'rate_hz': self.number('rate'),
                },
            ],
            remappings=[('image_raw', self.values['image_topic'])],
            **self.process(f'{namespace}/camera_node', essential=True),
        )

    def player(self, namespace: str) -> Action:
        """Return what plays the bag: ros2 bag where it is installed, else bag_player_node.

        Raises:
            ConfigError: there is no such bag.
        """
        bag = Path(self.values['bag']).expanduser()
        if not bag.exists():
            raise ConfigError(f'bag:={bag} does not exist')
        rate = self.number('rate')
        if _has_ros2_bag() and not self.on('lossless'):
            loop = ['--loop'] if self.on('loop') else []
            command = ['ros2', 'bag', 'play', str(bag), '--clock', '--rate', str(rate), *loop]
            # A short wait, so that nobody misses the first images.
            command += ['--delay', '3']
            return ExecuteProcess(cmd=command, output='screen', on_exit=_end_with_it)
        answers = f'{_absolute(namespace)}emotions' if self.on('lossless') else ''
        return Node(
            package=PACKAGE,
            executable='bag_player_node',
            namespace=namespace,
            parameters=[
                share('config', 'bag_player_node.yaml'),
                {
                    'bag': ParameterValue(str(bag), value_type=str),
                    'rate': rate,
                    'loop': self.on('loop'),
                    'answers': ParameterValue(answers, value_type=str),
                },
            ],
            **{**self.process(f'{namespace}/bag_player_node'), 'on_exit': _end_with_it},
        )

    def when_recording(self, action: Action) -> list[Action]:
        """Return *action*, held back until a recorder has found its topics if there is one."""
        if not self.values['record']:
            return [action]
        return [TimerAction(period=RECORDER_START_S, actions=[action])]

    def recorder(self, namespace: str) -> list[Action]:
        """Return what records our answers, if a bag was asked for.

        Raises:
            ConfigError: the bag exists already.
        """
        if not self.values['record']:
            return []
        out = Path(self.values['record']).expanduser()
        if out.exists():
            raise ConfigError(f'record:={out} exists already')
        topics = [f'{_absolute(namespace)}{name}' for name in ('emotions', 'detections', 'labels')]
        if _has_ros2_bag():
            command = ['ros2', 'bag', 'record', '--use-sim-time', '-o', str(out), *topics]
            return [ExecuteProcess(cmd=command, output='screen')]
        return [
            Node(
                package=PACKAGE,
                executable='bag_recorder_node',
                namespace=namespace,
                parameters=[
                    share('config', 'bag_recorder_node.yaml'),
                    {
                        'bag': ParameterValue(str(out), value_type=str),
                        'topics': ','.join(topics),
                        'use_sim_time': self.on('use_sim_time'),
                    },
                ],
                **self.process(f'{namespace}/bag_recorder_node', essential=True),
            )
        ]

    def viewers(self, namespace: str) -> list[Action]:
        """Return rviz2 and the web page, as far as they were asked for."""
        actions: list[Action] = []
        if self.on('rviz'):
            shown = _absolute(namespace)
            actions.append(
                Node(
                    package=_installed('rviz2'),
                    executable='rviz2',
                    arguments=['-d', share('rviz', 'fer.rviz')],
                    parameters=[{'use_sim_time': self.on('use_sim_time')}],
                    remappings=[('/image_annotated', f'{shown}image_annotated')],
                )
            )
        if self.on('dashboard'):
            command = [sys.executable, '-m', 'fer_ros.cli', 'dashboard']
            actions.append(ExecuteProcess(cmd=command, output='screen'))
        return actions


def _end_with_it(event: ProcessExited, context: LaunchContext) -> Action | None:
    """End everything; with exit code 1 if a process that everything needs ended with an error.

    Raises:
        RuntimeError: it did; an exception is the only thing that ros2 launch makes an exit code of.
    """
    if context.is_shutdown:
        return None
    if event.returncode:
        raise RuntimeError(f'{event.process_name} has ended with exit code {event.returncode}')
    return EmitEvent(event=Shutdown(reason=f'{event.process_name} has ended'))


def _absolute(namespace: str) -> str:
    """Return a namespace as the beginning of a full name: '/' or '/robot/'."""
    return f'/{namespace.strip("/")}/'.replace('//', '/')


def _has_ros2_bag() -> bool:
    try:
        get_package_prefix('ros2bag')
    except PackageNotFoundError:
        return False
    return True


def _installed(package: str) -> str:
    """Return *package*; ConfigError with the name of what to install if it is not there."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError as error:
        distribution = os.environ.get('ROS_DISTRO', 'jazzy')
        raise ConfigError(
            f'{package} is not installed: sudo apt install '
            f'ros-{distribution}-{package.replace("_", "-")}'
        ) from error
    return package
