# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch files, and the values that somebody gave them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from fer_ros.config import CLASSIFIERS, DETECTORS, CameraNodeConfig
from fer_ros.errors import ConfigError, named_path

PACKAGE = 'fer_ros'
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
BOOLEANS = ('true', 'false')
CAMERAS = ('v4l2_camera', 'usb_cam', 'opencv', 'demo', 'none')
TRANSPORTS = ('raw', 'compressed')
_CAMERA = CameraNodeConfig()
_UNCHANGED = "empty for the parameter file's"
"""An argument that nobody gave must not overrule a params_file."""


def share(*parts: str) -> str:
    """Return the path of a file that is installed with the package."""
    return str(Path(get_package_share_directory(PACKAGE)).joinpath(*parts))


@dataclass(frozen=True)
class Argument:
    """One launch argument as ``--show-args`` prints it; required if its default is None."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


NAMESPACE = Argument('namespace', '', 'in front of all names of ours')


def node_arguments(image_topic: str = 'image_raw') -> tuple[Argument, ...]:
    """Return the arguments of every launch file that starts emotion_node."""
    return (
        Argument('params_file', share('config', 'emotion_node.yaml'), 'parameters of emotion_node'),
        Argument('detector', '', f'face detector; {_UNCHANGED}', ('', *DETECTORS)),
        Argument('model', '', f'shipped emotion model, or path of a model card; {_UNCHANGED}'),
        Argument('backend', '', f'what runs the emotion model; {_UNCHANGED}', ('', *CLASSIFIERS)),
        Argument('image_topic', image_topic, 'where the images are'),
        Argument(
            'image_transport',
            '',
            f"'compressed' takes JPEG or PNG from <image_topic>/compressed; {_UNCHANGED}",
            ('', *TRANSPORTS),
        ),
        Argument('depth_topic', '', f'depth registered to the images; {_UNCHANGED}'),
        Argument('autostart', '', f'configure and activate at once; {_UNCHANGED}', ('', *BOOLEANS)),
        Argument('use_sim_time', '', f'take the time from /clock; {_UNCHANGED}', ('', *BOOLEANS)),
        Argument('respawn', 'false', 'start a node that has died again', BOOLEANS),
        Argument('log_level', 'info', 'lowest severity that our nodes log', LOG_LEVELS),
    )


def viewer_arguments() -> tuple[Argument, ...]:
    """Return the arguments of launch files that can show what emotion_node sees."""
    return (
        Argument('rviz', 'false', 'open rviz2 with the annotated image', BOOLEANS),
        Argument('dashboard', 'false', 'open the live web page', BOOLEANS),
    )


def camera_arguments() -> tuple[Argument, ...]:
    """Return the arguments of launch files that start cameras."""
    return (
        Argument(
            'camera',
            'opencv',
            'camera driver; opencv is our own camera_node, demo shows two people from photos, '
            'none if something else publishes images',
            CAMERAS,
        ),
        Argument('width', str(_CAMERA.width_px), 'width of the images in pixels'),
        Argument('height', str(_CAMERA.height_px), 'height of the images in pixels'),
        Argument('rate', str(_CAMERA.rate_hz), 'frames per second'),
    )


@dataclass(frozen=True)
class Given:
    """The values of all arguments, and where the launch file was included.

    Attributes:
        values: by name; '' where an argument was not given and its default is the file's.
        pushed_namespace: what PushRosNamespace of an including launch file puts before ours.
    """

    values: dict[str, str]
    pushed_namespace: str = ''

    def __getitem__(self, name: str) -> str:
        """Return the value of an argument, '' for one that the launch file does not have."""
        return self.values.get(name, '')

    def on(self, name: str) -> bool:
        """Return whether a true/false argument is true."""
        return self[name].lower() == 'true'

    def number(self, name: str) -> float:
        """Return a number; ConfigError if it is none above zero."""
        try:
            value = float(self[name])
        except ValueError:
            value = 0.0
        if not 0 < value < float('inf'):
            raise ConfigError(f'{name}:={self[name]}: expected a number above 0')
        return value

    def names(self, name: str) -> list[str]:
        """Return the parts of an argument with commas."""
        return [part.strip() for part in self[name].split(',') if part.strip()]

    def path(self, name: str) -> Path:
        """Return an existing file or folder; ConfigError if it does not exist."""
        path = named_path(self[name], ConfigError)
        if not path.exists():
            raise ConfigError(f'{name}:={path} does not exist')
        return path

    def absolute(self, *parts: str) -> str:
        """Return the full name of a topic or node, from its parts, wherever ours is included."""
        name = self.pushed_namespace.rstrip('/')
        for part in parts:
            name = part.rstrip('/') if part.startswith('/') else f'{name}/{part}'.rstrip('/')
        return name if name.startswith('/') else f'/{name}'
