# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""bag_recorder_node: topics into a bag, for where `ros2 bag` is not installed."""

from __future__ import annotations

import functools

from rclpy.qos import QoSProfile, ReliabilityPolicy

from fer_ros.config import BagRecorderConfig
from fer_ros.data.bag_writer import BagWriter
from fer_ros.errors import ConfigError, FerError, SourceError, named_path
from fer_ros.nodes.base import FerNode, NodeError
from fer_ros.nodes.parameters import declare_config, read_at_start, read_config
from fer_ros.nodes.ros_messages import message_class
from fer_ros.nodes.runner import exit_now, run_node

DEPTH = 50
LOOK_S = 0.25


class BagRecorderNode(FerNode):
    """Subscribes to each topic as soon as somebody publishes it, and writes what comes."""

    def __init__(self) -> None:
        """Begin the bag.

        Raises:
            FerError: a parameter is wrong, or the bag cannot be written.
        """
        super().__init__('bag_recorder_node')
        declare_config(self, BagRecorderConfig(), read_at_start(BagRecorderConfig()))
        config = read_config(self, BagRecorderConfig())
        names = [name.strip() for name in config.topics.split(',') if name.strip()]
        if not config.bag or not names:
            raise ConfigError('which bag and topics? (-p bag:=PATH -p topics:=/emotions,…)')
        self._writer = BagWriter(named_path(config.bag, ConfigError), config.storage)
        self._missing = {self.resolve_topic_name(name) for name in names}
        self.written = 0
        self.create_timer(LOOK_S, self._look)
        self.get_logger().info(f'recording {", ".join(sorted(self._missing))} to {config.bag}')

    def _look(self) -> None:
        """Subscribe to topics that have appeared."""
        if not self._missing:
            return
        for topic, kinds in self.get_topic_names_and_types():
            if topic in self._missing and self.count_publishers(topic):
                self._missing.remove(topic)
                self._record(topic, kinds[0])

    def _record(self, topic: str, kind: str) -> None:
        qos = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        publishers = self.get_publishers_info_by_topic(topic)
        if all(p.qos_profile.reliability == ReliabilityPolicy.RELIABLE for p in publishers):
            qos.reliability = ReliabilityPolicy.RELIABLE
        if publishers:
            qos.durability = publishers[0].qos_profile.durability
        try:
            self._writer.add_topic(topic, kind)
            write = functools.partial(self._write, topic, kind)
            self.create_subscription(message_class(kind), topic, write, qos, raw=True)
        except FerError as error:
            self.get_logger().warning(f'{topic} is left out: {error}')

    def _write(self, topic: str, kind: str, data: bytes) -> None:
        """Write a message; NodeError if the disk is full."""
        try:
            self._writer.write_bytes(topic, kind, self.get_clock().now().nanoseconds, data)
        except SourceError as error:
            raise NodeError(str(error)) from error
        self.written += 1

    def close(self) -> None:
        """Finish the bag; SourceError if the disk does not take its end."""
        self._writer.close()


def main() -> None:
    """Run the node until it is told to stop."""
    exit_now(run_node(BagRecorderNode))


if __name__ == '__main__':
    main()
