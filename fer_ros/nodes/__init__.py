# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The only part of fer_ros that knows ROS."""

from fer_ros.errors import ConfigError
from fer_ros.nodes.environment import check_rmw

try:
    # Here, because rcl ends the process, with a line of its own, as soon as rclpy is loaded.
    check_rmw()
except ConfigError as _error:
    raise SystemExit(f'fer_ros: {_error}') from _error
