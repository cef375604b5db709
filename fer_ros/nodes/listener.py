# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to an emotion node and hands its results on as core types, for the demo."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from fer_msgs.msg import EmotionArray
from fer_ros.errors import SourceError
from fer_ros.messages.emotions import frame_emotions, stamp_seconds
from fer_ros.nodes.environment import check_environment, ros_arguments
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.ros_messages import to_bgr
from fer_ros.types import FrameEmotions, UInt8Array


class Listener:
    """A node that calls back for each result and each annotated image, on this computer only."""

    def __init__(
        self,
        on_frame: Callable[[FrameEmotions], None],
        on_image: Callable[[UInt8Array, float], None],
    ) -> None:
        """Join the ROS graph.

        Args:
            on_frame: gets each message on ``emotions``.
            on_image: gets each message on ``image_annotated``, uint8 (H, W, 3) BGR, and its stamp
                in seconds.
        """
        prepare_middleware()
        # A demo is for this computer; who wants to see it from another sets the variable first.
        os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        # Not rclpy's handlers: results until then are still to be written and summed up.
        check_environment()
        rclpy.init(args=ros_arguments([]), signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('fer_demo')

        def take_image(message: Image) -> None:
            on_image(to_bgr(message), stamp_seconds(message.header))

        self._node.create_subscription(
            EmotionArray, 'emotions', lambda message: on_frame(frame_emotions(message)), 10
        )
        self._node.create_subscription(Image, 'image_annotated', take_image, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)

    def has_subscriber(self, topic: str) -> bool:
        """Return whether somebody is subscribed to *topic*."""
        return bool(self._node.count_subscribers(topic))

    def spin_once(self, timeout_s: float = 0.1) -> None:
        """Wait for at most *timeout_s* for a message and handle it."""
        self._executor.spin_once(timeout_sec=timeout_s)

    def spin_until(self, condition: Callable[[], object], timeout_s: float, otherwise: str) -> None:
        """Spin until *condition* holds; SourceError saying *otherwise* if that takes too long."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                raise SourceError(f"{otherwise} within {timeout_s:g} s; the nodes' logs tell more")
            self.spin_once()

    def close(self) -> None:
        """Leave the ROS graph."""
        rclpy.try_shutdown()
