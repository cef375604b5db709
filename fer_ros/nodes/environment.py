# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What rclpy and its libraries need of the machine, checked before they fail without advice."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from fer_ros.errors import ConfigError, check_address_space, shorten

MAX_DOMAIN_ID = 232
LEAST_ADDRESS_BYTES = 1_500_000_000
"""What a node needs with its threads and shared memory; with less, native code ends it."""

NO_LOG_FILE = ('--ros-args', '--disable-external-lib-logs')


def check_environment() -> None:
    """Raise ConfigError for an environment in which rclpy does not start, or ends later."""
    domain = os.environ.get('ROS_DOMAIN_ID', '')
    if domain and not (domain.isdecimal() and int(domain[:9]) <= MAX_DOMAIN_ID):
        raise ConfigError(
            f'ROS_DOMAIN_ID: expected 0 to {MAX_DOMAIN_ID}, got {shorten(repr(domain))}'
        )
    check_address_space(LEAST_ADDRESS_BYTES)


def check_rmw() -> None:
    """Raise ConfigError if the middleware that RMW_IMPLEMENTATION names is not installed."""
    name = os.environ.get('RMW_IMPLEMENTATION', '')
    try:
        if name:
            ctypes.CDLL(f'lib{name}.so')
    except OSError as error:
        raise ConfigError(
            f'RMW_IMPLEMENTATION: {shorten(repr(name))} is not installed here; unset the variable, '
            'or install that middleware'
        ) from error


def ros_arguments(arguments: list[str] | None) -> list[str]:
    """Return arguments for rclpy.init: those given, and no log file where none can be written.

    Args:
        arguments: with --ros-args; None for this process's own.
    """
    arguments = sys.argv if arguments is None else arguments
    folder = _log_folder()
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return arguments
    except OSError:
        pass
    where = f'{folder} cannot be written' if folder else 'HOME is not set'
    print(f'fer_ros: no log file: {where}; choose a folder with ROS_LOG_DIR', file=sys.stderr)
    return [*arguments, *NO_LOG_FILE]


def _log_folder() -> Path | None:
    """Return where rcl writes log files, None if it does not know."""
    if folder := os.environ.get('ROS_LOG_DIR'):
        return Path(folder)
    if folder := os.environ.get('ROS_HOME'):
        return Path(folder) / 'log'
    home = os.environ.get('HOME')
    return Path(home) / '.ros' / 'log' if home else None
