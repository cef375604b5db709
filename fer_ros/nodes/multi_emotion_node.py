# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""multi_emotion_node: emotion_node for several cameras in one process, a namespace each.

``ros2 run fer_ros multi_emotion_node front left --ros-args -r image:=image_raw``
"""

from __future__ import annotations

import sys

from rclpy.utilities import remove_ros_args

from fer_ros.errors import ConfigError
from fer_ros.nodes.emotion_node import EmotionNode
from fer_ros.nodes.runner import exit_now, run_node


def make_nodes() -> list[EmotionNode]:
    """Return a node for each namespace on the command line.

    Raises:
        FerError: there is none, or a node cannot start.
    """
    namespaces = remove_ros_args(sys.argv)[1:]
    if not namespaces:
        raise ConfigError('which cameras? (multi_emotion_node NAMESPACE…)')
    return [EmotionNode(namespace=namespace) for namespace in namespaces]


def main() -> None:
    """Run the nodes until they are told to stop."""
    exit_now(run_node(make_nodes))


if __name__ == '__main__':
    main()
