# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""multi_emotion_node: emotion_node for several cameras in one process, a namespace each.

``ros2 run fer_ros multi_emotion_node front left --ros-args -r image:=image_raw``
"""

from __future__ import annotations

import posixpath
import sys

from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from fer_ros.errors import ConfigError
from fer_ros.nodes.emotion_node import EmotionNode
from fer_ros.nodes.runner import exit_now, run_node


def make_nodes() -> list[EmotionNode]:
    """Return a node for each namespace on the command line, below the process's own.

    Raises:
        FerError: there is none, or a node cannot start.
    """
    namespaces = remove_ros_args(sys.argv)[1:]
    if not namespaces:
        raise ConfigError('which cameras? (multi_emotion_node NAMESPACE…)')
    outer = _own_namespace()
    # As arguments of the node, for the process's __ns would overrule its namespace.
    return [
        EmotionNode(cli_args=['--ros-args', '-r', f'__ns:={posixpath.join(outer, namespace)}'])
        for namespace in namespaces
    ]


def _own_namespace() -> str:
    """Return the namespace that this process was given, which only a node knows."""
    node = Node('multi_emotion_node', enable_rosout=False, start_parameter_services=False)
    try:
        return node.get_namespace()
    finally:
        node.destroy_node()


def main() -> None:
    """Run the nodes until they are told to stop."""
    exit_now(run_node(make_nodes))


if __name__ == '__main__':
    main()
