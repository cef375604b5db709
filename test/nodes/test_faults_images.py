# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras and their images as they should not be; the node goes on and says what it sees."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_msgs.msg import EmotionArray
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.images import image_message
from fer_ros.nodes.ros_messages import make

QUICK = ('-p', 'diagnostics_period_s:=0.2')


@pytest.fixture
def show(listener, start) -> Callable[..., EmotionArray]:
    """Start the node; return a function that sends an image until it is processed."""
    # However slow the machine is, a person stays the same from one image to the next.
    node = start('emotion_node', *QUICK, '-p', 'tracking.max_lost_s:=60.0')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    results = listener.collect(EmotionArray, 'emotions')

    def result_of(message: Image) -> EmotionArray:
        results.clear()

        def arrived() -> EmotionArray | None:
            publisher.publish(message)
            found = [a for a in results if a.header == message.header]
            return found[0] if found else None

        return listener.until(arrived, f'a result for {message.header}')

    result_of.node = node
    return result_of


def picture(pixels: np.ndarray, stamp_s: float, encoding: str = 'bgr8') -> Image:
    header = Header(frame_id=f'{encoding} {pixels.shape[1]}x{pixels.shape[0]}')
    header.stamp.sec, header.stamp.nanosec = divmod(round(stamp_s * 1e9), 10**9)
    message = image_message(make, pixels, header)
    if encoding != 'bgr8':
        codes = {'rgb8': cv2.COLOR_BGR2RGB, 'mono8': cv2.COLOR_BGR2GRAY}
        converted = cv2.cvtColor(pixels, codes[encoding])
        message.data = converted.tobytes()
        message.encoding, message.step = encoding, converted.strides[0]
    return message


def test_size_and_encoding_change_in_mid_stream(show, astronaut: np.ndarray) -> None:
    changes = [
        (640, 640, 'bgr8'), (320, 240, 'rgb8'), (1, 1, 'bgr8'), (1280, 720, 'mono8'),
        (33, 3000, 'bgr8'), (3000, 33, 'mono8'), (511, 513, 'rgb8'),
    ]  # fmt: skip
    for number, (width, height, encoding) in enumerate(changes):
        pixels = cv2.resize(astronaut, (width, height))
        result = show(picture(pixels, 100 + number, encoding))
        assert (result.image_width, result.image_height) == (width, height)
    (emotion,) = result.emotions
    assert emotion.label == 'happy'


def test_bytes_that_are_no_message_do_no_harm(show, listener, astronaut: np.ndarray) -> None:
    show(picture(astronaut, 100.0))
    whole = serialize_message(picture(astronaut[:8, :8], 100.5))
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    listener.until(publisher.get_subscription_count, 'the node')
    endless = b'\xff\xff\xff\x7f'
    for content in (
        whole[:20],
        whole[:4] + b'\xff' * 60,
        whole[:12] + endless + whole[16:],
        whole[: -8 * 8 * 3 - 4] + endless + bytes(99),
        bytes(40),
        b'\xff' * 5,
    ):
        publisher.publish(content)
    assert show(picture(astronaut, 101.0)).emotions[0].label == 'happy'
    assert show.node.stop() == 0


def test_time_that_jumps_back_counts_people_anew(show, astronaut: np.ndarray) -> None:
    ids = []
    for stamp_s in (1000.0, 1000.1, 10.0, 10.1, 9.9, 2_000_000_000.0, 2_000_000_000.1):
        result = show(picture(astronaut, stamp_s))
        assert result.emotions[0].label == 'happy'
        ids.append(result.emotions[0].track_id)
    # 9.9 is a late image, not a jump.
    assert ids == [1, 1, 2, 2, 2, 3, 3]


def test_stamps_of_zero_are_kept_and_warned_of(listener, show, astronaut: np.ndarray) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    results = [show(picture(astronaut, 0.0)) for _ in range(3)]
    assert {result.emotions[0].track_id for result in results} == {1}
    assert {(a.header.stamp.sec, a.header.stamp.nanosec) for a in results} == {(0, 0)}
    listener.until(
        lambda: diagnostics and 'images without a stamp' in diagnostics[-1].status[0].message,
        'a warning',
    )
    values = {v.key: v.value for v in diagnostics[-1].status[0].values}
    assert 'latency median (ms)' not in values


def test_a_camera_process_that_is_killed_and_comes_back(listener, start) -> None:
    results = listener.collect(EmotionArray, 'emotions', 1000)
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    node = start('emotion_node', '-r', 'image:=image_raw', *QUICK)
    for _ in range(2):
        results.clear()
        camera = start('camera_node', '-p', 'rate_hz:=10.0')
        listener.until(lambda: len(results) > 3, 'results')
        camera.signal(signal.SIGKILL)
        assert camera.wait() == -signal.SIGKILL
        listener.until(
            lambda: 'no images on /image_raw' in diagnostics[-1].status[0].message
            or 'nobody publishes' in diagnostics[-1].status[0].message,
            'a word about the silence',
        )
    assert node.stop() == 0
    assert 'Traceback' not in node.output


def write_clip(path: Path) -> None:
    with VideoWriter(path, 20.0) as writer:
        for n in range(4):
            writer.write(np.full((64, 96, 3), 50 * n, np.uint8))


def test_a_source_that_disappears_and_comes_back(listener, start, tmp_path: Path) -> None:
    """A looping video stands for the camera that no test machine has: it is opened anew."""
    clip = tmp_path / 'clip.mp4'
    write_clip(clip)
    images = listener.collect(Image, 'image_raw', qos_profile_sensor_data)
    camera = start('camera_node', '-p', f'source:={clip}', '-p', 'rate_hz:=20.0')
    listener.until(lambda: images, 'images')
    clip.unlink()
    listener.until(lambda: 'does not exist; trying again' in camera.output, 'a warning')
    images.clear()
    write_clip(clip)
    listener.until(lambda: images, 'images of the source that is back')
    assert camera.stop() == 0
    assert 'Traceback' not in camera.output
