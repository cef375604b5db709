# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Both ways in which a message is made: as in bags, and as in nodes where ROS is installed."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from fer_ros.data.message_types import make_typestore, register


@functools.cache
def _store() -> Any:
    return make_typestore()


def bag_make(kind: str, **fields: Any) -> Any:
    """As BagWriter.make does, without a bag."""
    register(_store(), kind)
    return _store().types[kind](**fields)


MAKES = [pytest.param(bag_make, id='bag')]
try:
    from fer_ros.nodes.ros_messages import make, message_class

    message_class('sensor_msgs/msg/Image')
    MAKES.append(pytest.param(make, id='node'))
except Exception:  # noqa: BLE001 - a machine without ROS tests what it has
    pass


def no_header(make: Any) -> Any:
    """Return an empty header."""
    stamp = make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
    return make('std_msgs/msg/Header', stamp=stamp, frame_id='')
