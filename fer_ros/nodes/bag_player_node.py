# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""bag_player_node: a bag's topics and /clock, in its own time or one image after the other.

For where `ros2 bag` is not installed, and for replays in which no image may be dropped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Connection
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool, Trigger

from fer_msgs.msg import EmotionArray
from fer_ros.config import BagPlayerConfig
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bags import IMAGE_TYPES
from fer_ros.errors import ConfigError, named_path
from fer_ros.nodes.base import FerNode
from fer_ros.nodes.parameters import declare_config, read_at_start, read_config
from fer_ros.nodes.ros_messages import message_class
from fer_ros.nodes.runner import exit_now, run_node

DEPTH = 10
TICK_S = 0.002
RESULT_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 10.0
"""So long the first message waits for somebody to listen."""

SETTLE_S = 0.5
"""A subscriber that we know does not know us yet: the first message would be lost to it."""

LINGER_S = 1.0
"""After the last message: what it has brought about is on its way to whoever records it, and
everything ends with the player."""

Message = tuple[Connection, int, bytes]


class BagPlayerNode(FerNode):
    """Publishes messages when their time has come, or when the last result has arrived."""

    def __init__(self) -> None:
        """Open the bag.

        Raises:
            FerError: a parameter is wrong, or the bag cannot be opened.
        """
        super().__init__('bag_player_node')
        declare_config(self, BagPlayerConfig(), read_at_start(BagPlayerConfig()))
        self._config = read_config(self, BagPlayerConfig())
        if not self._config.bag:
            raise ConfigError('which bag? (-p bag:=PATH)')
        self._files = ExitStack()
        path = named_path(self._config.bag, ConfigError)
        self._reader = self._files.enter_context(open_bag(path))
        for remark in self._reader.remarks:
            self.get_logger().warning(remark)
        self._connections = self._wanted()
        # A recording in several files has a connection for each of them.
        firsts = {c.topic: c for c in reversed(self._connections)}
        self._outputs = {topic: self._publisher(c) for topic, c in sorted(firsts.items())}
        self._clock_output = self.create_publisher(Clock, '/clock', QoSProfile(depth=1))
        self._messages = self._read()
        self._next: Message | None = next(self._messages, None)
        self._paused = self._config.paused
        self._now_ns = self._reader.start_time
        self._tick_s = self._started_s = self._settled_s = self._busy_s = time.monotonic()
        self._connected = False
        self._awaited: tuple[tuple[int, int], float] | None = None
        topic = self._config.results_topic
        self._results = topic and self.create_subscription(
            EmotionArray, topic, self._on_result, DEPTH
        )
        self.create_service(SetBool, '~/pause', self._pause)
        self.create_service(Trigger, '~/step', self._step)
        self.add_on_set_parameters_callback(self._check)
        self.create_timer(TICK_S, self._tick)
        self.create_timer(1.0 / self._config.clock_hz, self._publish_clock)
        self.sent = 0
        self.get_logger().info(
            f'{path}: {self._reader.duration * 1e-9:.1f} s, '
            f'{", ".join(sorted(self._outputs)) or "no topics"}'
        )

    def _wanted(self) -> list[Connection]:
        names = {name.strip() for name in self._config.topics.split(',') if name.strip()}
        known = {c.topic for c in self._reader.connections}
        if names - known:
            raise ConfigError(
                f'topics: the bag has no {", ".join(sorted(names - known))}; '
                f'it has: {", ".join(sorted(known))}'
            )
        playable = []
        for connection in self._reader.connections:
            if (names and connection.topic not in names) or connection.topic == '/clock':
                continue
            try:
                message_class(connection.msgtype)
            except ConfigError as error:
                self.get_logger().warning(f'{connection.topic} is left out: {error}')
                continue
            playable.append(connection)
        return playable

    def _publisher(self, connection: Connection) -> Publisher:
        """Return a publisher that every subscriber accepts, as the bag's own one may not be."""
        latched = any(
            getattr(qos.durability, 'name', '') == 'TRANSIENT_LOCAL'
            for qos in getattr(connection.ext, 'offered_qos_profiles', ())
        )
        qos = QoSProfile(
            depth=DEPTH,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        return self.create_publisher(message_class(connection.msgtype), connection.topic, qos)

    def _read(self) -> Iterator[Message]:
        while self._connections:
            yield from self._reader.messages(self._connections)
            if not self._config.loop:
                return
            # Time jumps back with the bag; whoever listens has to bear that.
            self._now_ns = self._reader.start_time

    def _tick(self) -> None:
        """Move time on and publish what is due."""
        now_s = time.monotonic()
        passed_s, self._tick_s = now_s - self._tick_s, now_s
        if not self._connected:
            if not self._listened_to():
                self._settled_s = now_s
            waited_s = now_s - self._started_s
            self._connected = now_s - self._settled_s > SETTLE_S or waited_s > CONNECT_TIMEOUT_S
            return
        if self._paused or self._waiting(now_s):
            self._busy_s = now_s
            return
        if self._next is None:
            if now_s - self._busy_s < LINGER_S:
                return
            self.get_logger().info(f'the bag has ended after {self.sent} messages')
            rclpy.try_shutdown()
            return
        if not self._config.rate:
            self._publish_next()
            return
        until_ns = self._now_ns + round(passed_s * self._config.rate * 1e9)
        while self._next is not None and self._next[1] <= until_ns:
            # A loop sets the clock back: the rest waits for the next tick. While a result is
            # awaited time stands still.
            if not self._publish_next() or self._awaited:
                return
        self._now_ns = until_ns

    def _listened_to(self) -> bool:
        """Return whether somebody listens, all known to listen are connected, and results come."""
        if self._results and not self.count_publishers(self._results.topic_name):
            return False
        images = [c.topic for c in self._connections if c.msgtype in IMAGE_TYPES]
        outputs = [*self._outputs.values(), self._clock_output]
        return any(
            self._outputs[topic].get_subscription_count() for topic in images or self._outputs
        ) and all(
            output.get_subscription_count() >= self.count_subscribers(output.topic_name)
            for output in outputs
        )

    def _waiting(self, now_s: float) -> bool:
        if self._awaited is None:
            return False
        if now_s - self._awaited[1] < RESULT_TIMEOUT_S:
            return True
        self.get_logger().warning(f'no result within {RESULT_TIMEOUT_S:g} s; going on')
        self._awaited = None
        return False

    def _publish_next(self) -> bool:
        """Publish the next message; returns False at the end and where time has jumped back."""
        assert self._next is not None
        connection, stamp_ns, data = self._next
        self._now_ns = max(self._now_ns, stamp_ns)
        self._publish_clock()
        self._outputs[connection.topic].publish(bytes(data))
        self.sent, self._busy_s = self.sent + 1, time.monotonic()
        if self._results and connection.msgtype in IMAGE_TYPES:
            message: Any = self._reader.deserialize(data, connection.msgtype)
            stamp = message.header.stamp
            self._awaited = ((stamp.sec, stamp.nanosec), time.monotonic())
        self._next = next(self._messages, None)
        return self._next is not None and self._next[1] >= stamp_ns

    def _publish_clock(self) -> None:
        seconds, nanoseconds = divmod(self._now_ns, 10**9)
        self._clock_output.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))

    def _on_result(self, message: EmotionArray) -> None:
        stamp = message.header.stamp
        if self._awaited and self._awaited[0] == (stamp.sec, stamp.nanosec):
            self._awaited = None

    def _pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        response.success, response.message = True, 'paused' if request.data else 'playing'
        return response

    def _step(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Publish up to and including the next image."""
        self._paused = True
        while self._next is not None:
            is_image = self._next[0].msgtype in IMAGE_TYPES
            self._publish_next()
            if is_image:
                response.success, response.message = True, f'{self.sent} messages sent'
                return response
        response.message = 'the bag has ended'
        return response

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            self._config = read_config(self, BagPlayerConfig(), changes)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def close(self) -> None:
        """Give the bag back."""
        self._files.close()


def main() -> None:
    """Run the node until the bag ends or it is told to stop."""
    exit_now(run_node(BagPlayerNode))


if __name__ == '__main__':
    main()
