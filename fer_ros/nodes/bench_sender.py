# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The cameras of ``fer bench``: a process that publishes stored images at an exact rate.

usage: python -m fer_ros.nodes.bench_sender IMAGES.npy RATE_HZ COUNT TOPIC…

Sends COUNT images on each topic (0: until told to stop), every topic at its own moment within the
period, as cameras do, and stamps each image when it goes. Waits for a subscriber of each topic
first, and with a COUNT half a second more, because each of those is expected to be processed.
The last line it prints is the number of images sent on all topics.
"""

from __future__ import annotations

import contextlib
import sys
import time

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_ros.messages.images import image_message
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.ros_messages import make
from fer_ros.nodes.runner import exit_now

MATCHING_S = 0.5
"""DDS tells the publisher of a subscriber up to 0.3 s before the subscriber takes its images."""

GOLDEN = 0.618
"""Moments within the period, in steps of this share of it, never fall together."""


def send(node: Node, file: str, rate_hz: float, count: int, topics: list[str]) -> int:
    """Publish until the count is reached; return how many images went."""
    images = np.load(file)
    messages = [image_message(make, image, Header(frame_id='camera')) for image in images]
    publishers = [node.create_publisher(Image, topic, qos_profile_sensor_data) for topic in topics]
    while not all(publisher.get_subscription_count() for publisher in publishers):
        time.sleep(0.005)
    if count:
        time.sleep(MATCHING_S)
    moments = sorted((number * GOLDEN % 1.0, number) for number in range(len(topics)))
    start_s, turn, sent = time.monotonic(), 0, 0
    while rclpy.ok() and (turn < count or not count):
        message = messages[turn % len(messages)]
        for moment, number in moments:
            due_s = start_s + (turn + moment) / rate_hz
            time.sleep(max(0.0, due_s - time.monotonic()))
            message.header.stamp = node.get_clock().now().to_msg()
            publishers[number].publish(message)
            sent += 1
        turn += 1
    # Those who listen reliably are still being served.
    time.sleep(0.5)
    return sent


def main() -> None:
    """Send, and say how many."""
    file, rate_hz, count, *topics = sys.argv[1:]
    prepare_middleware()
    rclpy.init(args=[])
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        print(send(rclpy.create_node('bench_sender'), file, float(rate_hz), int(count), topics))
    rclpy.try_shutdown()
    exit_now(0)


if __name__ == '__main__':
    main()
