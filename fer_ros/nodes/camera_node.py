# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""camera_node: a camera, a video, photos or the demo's people as sensor_msgs/Image.

Only for where no camera driver (v4l2_camera, usb_cam, realsense2_camera) is used.
"""

from __future__ import annotations

from collections.abc import Iterator

import rclpy
from rclpy.qos import qos_profile_system_default
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fer_ros.config import CameraNodeConfig
from fer_ros.errors import FerError, SourceError
from fer_ros.images.sources import ImageSource, open_source
from fer_ros.messages.images import image_message
from fer_ros.nodes.base import FerNode
from fer_ros.nodes.conventions import camera_info_topic, optical_frame
from fer_ros.nodes.parameters import declare_config, read_at_start, read_config
from fer_ros.nodes.ros_messages import make
from fer_ros.nodes.runner import exit_now, run_node
from fer_ros.types import UInt8Array

RETRY_S = 1.0


class CameraNode(FerNode):
    """Publishes images at a steady rate; a camera that goes away is opened again."""

    def __init__(self) -> None:
        """Open the source.

        Raises:
            FerError: a parameter is wrong, or the source cannot be opened.
        """
        super().__init__('camera_node')
        declare_config(self, CameraNodeConfig(), read_at_start(CameraNodeConfig()))
        self._config = read_config(self, CameraNodeConfig())
        self._source = self._open()
        self._images: Iterator[tuple[float, UInt8Array]] | None = iter(self._source)
        # REP-2003: reliable, so that every subscriber gets something.
        self._image_publisher = self.create_publisher(
            Image, 'image_raw', qos_profile_system_default
        )
        image_topic = self._image_publisher.topic_name
        self._info_publisher = self.create_publisher(
            CameraInfo, camera_info_topic(image_topic), qos_profile_system_default
        )
        self._frame_id = self._config.frame_id or optical_frame(self.get_namespace())
        self.sent = 0
        rate_hz = self._config.rate_hz or self._source.rate_hz
        self._timer = self.create_timer(1.0 / rate_hz, self._publish_next)
        self._retry_timer = self.create_timer(RETRY_S, self._reopen)
        self._retry_timer.cancel()
        self.get_logger().info(
            f'{self._config.source}: {rate_hz:g} frames per second on {image_topic}'
        )

    def _open(self) -> ImageSource:
        config = self._config
        return open_source(config.source, (config.width_px, config.height_px), config.rate_hz)

    def _publish_next(self) -> None:
        # What is shown only once starts when somebody looks.
        once = not (self._config.loop or self.sent)
        if once and not self._image_publisher.get_subscription_count():
            self.get_logger().info('waiting for a subscriber', once=True)
            return
        image = self._next_image()
        if image is None:
            return
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._frame_id)
        height, width = image.shape[:2]
        self._image_publisher.publish(image_message(make, image, header))
        self._info_publisher.publish(CameraInfo(header=header, height=height, width=width))
        self.sent += 1

    def _next_image(self) -> UInt8Array | None:
        """Return the next image, or None at the end of the source and while it is gone."""
        if self._images is None:
            return None
        try:
            return next(self._images)[1]
        except StopIteration:
            self._end_or_loop()
        except FerError as error:
            self.get_logger().warning(f'{error}; trying again', throttle_duration_sec=5.0)
            self._images = None
            self._retry_timer.reset()
        return None

    def _end_or_loop(self) -> None:
        self._images = None
        if self._config.loop:
            self._reopen()
        else:
            if problem := self._source.problem():
                self.get_logger().warning(problem)
            self.get_logger().info(f'{self._config.source} has ended after {self.sent} images')
            self._timer.cancel()
            rclpy.try_shutdown()

    def _reopen(self) -> None:
        self._source.close()
        try:
            self._source = self._open()
        except SourceError as error:
            self.get_logger().warning(f'{error}; trying again', throttle_duration_sec=5.0)
            self._retry_timer.reset()
            return
        self._images = iter(self._source)
        self._retry_timer.cancel()

    def close(self) -> None:
        """Give the camera or file back."""
        self._source.close()


def main() -> None:
    """Run the node until it is told to stop."""
    exit_now(run_node(CameraNode))


if __name__ == '__main__':
    main()
