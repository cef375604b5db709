# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth images beside the images: which one was taken with which."""

from __future__ import annotations

import time
from collections import deque
from threading import Condition

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fer_ros.errors import ImageError
from fer_ros.messages.depth import depth_metres
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.conventions import camera_info_topic
from fer_ros.types import Float32Array

KEPT = 16
"""Half a second of depth images; longer than an image waits to be processed."""

SILENT_S = 1.0
"""After so long without a depth image, images no longer wait for theirs."""

DEPTH_IN = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


class DepthImages:
    """The newest depth images of a topic, and the camera_info beside it."""

    def __init__(self, node: Node, topic: str) -> None:
        """Subscribe."""
        self._node = node
        self._images: deque[tuple[float, Image]] = deque(maxlen=KEPT)
        self._arrived = Condition()
        self._arrived_s = -float('inf')
        self._subscription = node.create_subscription(Image, topic, self._on_image, DEPTH_IN)
        self.topic = self._subscription.topic_name
        self._info_subscription = node.create_subscription(
            CameraInfo, camera_info_topic(self.topic), self._on_camera_info, DEPTH_IN
        )
        self.camera_info: CameraInfo | None = None
        self.problem = ''
        """Why the last image had no depth; empty if it had."""

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_subscription(self._info_subscription)

    def _on_image(self, message: Image) -> None:
        stamp_s = stamp_seconds(message.header) or self._node.get_clock().now().nanoseconds * 1e-9
        with self._arrived:
            self._images.append((stamp_s, message))
            self._arrived_s = time.monotonic()
            self._arrived.notify_all()

    def _on_camera_info(self, message: CameraInfo) -> None:
        self.camera_info = message

    def of(
        self, header: Header, stamp_s: float, max_offset_s: float, max_pixels: int
    ) -> Float32Array | None:
        """Return the depth that was taken with an image, None if there is none.

        Waits for it where depth images come, so this is nothing for the middleware's thread.

        Args:
            header: of the image.
            stamp_s: the image's time in seconds.
            max_offset_s: largest difference of stamps, and longest time to wait.
            max_pixels: of a depth image.
        """
        try:
            message = self._nearest(stamp_s, max_offset_s)
            frames = (message.header.frame_id, header.frame_id)
            if all(frames) and frames[0] != frames[1]:
                raise ImageError(
                    f'it is in frame {frames[0]}, the images in {frames[1]}: have the driver '
                    'register (align) it to the images'
                )
            depth_m = depth_metres(message, max_pixels)
        except ImageError as error:
            self.problem = f'no depth from {self.topic}, so distances go by face size: {error}'
            return None
        self.problem = ''
        return depth_m

    def _nearest(self, stamp_s: float, max_offset_s: float) -> Image:
        with self._arrived:
            if time.monotonic() - self._arrived_s < SILENT_S:
                self._arrived.wait_for(lambda: self._images[-1][0] >= stamp_s, max_offset_s)
            elif not self._node.count_publishers(self.topic):
                raise ImageError('nobody publishes it')
            if not self._images:
                raise ImageError('none has come')
            nearest_s, message = min(self._images, key=lambda item: abs(item[0] - stamp_s))
        if abs(nearest_s - stamp_s) > max_offset_s:
            raise ImageError(
                f'the nearest one lies {abs(nearest_s - stamp_s):.3g} s from the image '
                f'(depth_max_offset_s is {max_offset_s:g})'
            )
        return message
