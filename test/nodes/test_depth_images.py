# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""emotion_node beside a depth camera, over real DDS."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection3DArray

from fer_msgs.msg import Emotion, EmotionArray
from fer_ros.messages.images import image_message
from fer_ros.nodes.ros_messages import make

FOCAL_PX = 600.0
RESEND_S = 1.0


def depth_image(depth_m: float, kind: str, header: Header) -> Image:
    """Return a plane with holes in a quarter of its rows."""
    values = np.full((256, 256), depth_m, np.float32)
    values[::4] = np.nan if kind == '32FC1' else 0
    if kind == '16UC1':
        values = (values * 1000).astype(np.uint16)
    data = np.frombuffer(values.tobytes(), np.uint8)
    step = 256 * values.itemsize
    return make('sensor_msgs/msg/Image', header=header, height=256, width=256, encoding=kind,
                is_bigendian=0, step=step, data=data)  # fmt: skip


@pytest.fixture
def camera(listener, start, astronaut: np.ndarray) -> Callable[..., tuple[Header, EmotionArray]]:
    """Start the node; return a function that shows it an image and depth, and what it says."""
    start('emotion_node', '-p', 'depth_topic:=depth/image', '-p', 'detection.search_period_ms:=0')
    images = listener.create_publisher(Image, 'image', 1)
    depths = listener.create_publisher(Image, 'depth/image', 5)
    infos = listener.create_publisher(CameraInfo, 'depth/camera_info', 5)
    results = listener.collect(EmotionArray, 'emotions')
    for publisher in (images, depths, infos):
        listener.until(publisher.get_subscription_count, f'a subscription to {publisher.topic}')
    listener.until(lambda: listener.count_publishers('emotions'), 'emotions')
    # The camera_info of a depth image that has half the image's resolution.
    k = [FOCAL_PX / 2, 0.0, 128.0, 0.0, FOCAL_PX / 2, 128.0, 0.0, 0.0, 1.0]

    def show(at_s: float, depth_m: float, kind: str = '16UC1', offset_s: float = 0.0,
             frame: str = 'optical', depth_first: bool = False) -> EmotionArray:  # fmt: skip
        stamps = [Time(seconds=at_s + late_s).to_msg() for late_s in (0.0, offset_s)]
        header = Header(stamp=stamps[0], frame_id='optical')
        depth_header = Header(stamp=stamps[1], frame_id=frame)
        infos.publish(CameraInfo(header=depth_header, height=256, width=256, k=k))
        sends = [
            lambda: images.publish(image_message(make, astronaut, header)),
            lambda: depths.publish(depth_image(depth_m, kind, depth_header)),
        ]
        sent_s = -np.inf

        def result() -> EmotionArray | None:
            nonlocal sent_s
            # Best effort may lose an image.
            if time.monotonic() - sent_s > RESEND_S:
                sent_s = time.monotonic()
                for send in reversed(sends) if depth_first else sends:
                    send()
            return next((m for m in results if m.header.stamp == header.stamp), None)

        return listener.until(result, 'a result')

    # Until depth has come once, no image waits for it.
    times = iter(range(1, 1000))
    listener.until(
        lambda: show(next(times), 1.0).emotions[0].distance_source == Emotion.DISTANCE_DEPTH,
        'depth',
    )
    return show


def test_each_image_takes_its_own_depth(listener, camera) -> None:
    in_space = listener.collect(Detection3DArray, 'detections_3d')
    listener.until(lambda: listener.count_publishers('detections_3d'), 'detections_3d')
    # Far enough apart in time for the smoothing to have come through.
    for second, (depth_m, kind, first) in enumerate(
        [(0.7, '16UC1', False), (3.0, '32FC1', True), (1.5, '32FC1', False)]
    ):
        result = camera(2e9 + 100 * second, depth_m, kind, depth_first=first)
        (emotion,) = result.emotions
        assert emotion.distance_source == Emotion.DISTANCE_DEPTH
        position = emotion.head_pose.pose.position
        assert position.z == pytest.approx(depth_m, rel=0.01)
        # On the line of sight between the eyes, from the middle of 512x512 pixels.
        eyes = np.mean([(point.x, point.y) for point in emotion.landmarks[:2]], axis=0)
        expected = (eyes - 256) / FOCAL_PX * depth_m
        assert (position.x, position.y) == pytest.approx(expected, abs=0.02 * depth_m)
        assert emotion.distance == pytest.approx(
            np.linalg.norm([position.x, position.y, position.z]), rel=1e-4
        )
        assert 0.01 < emotion.distance_stddev < 0.03 * depth_m
    newest = listener.until(
        lambda: next((m for m in in_space if m.header.stamp == result.header.stamp), None), '3D'
    )
    middle = newest.detections[0].results[0].pose.pose.position
    assert middle.z == pytest.approx(position.z)


@pytest.mark.parametrize(
    'how, problem',
    [
        pytest.param({'offset_s': -0.2}, 'the nearest one lies 0.2 s from the image', id='late'),
        pytest.param({'frame': 'depth_optical'}, 'it is in frame depth_optical', id='elsewhere'),
    ],
)
def test_depth_of_something_else_is_left_out_and_named(
    listener, camera, how: dict, problem: str
) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    times = iter(range(2_000_000_000, 2_000_100_000, 100))

    def said() -> bool:
        (emotion,) = camera(next(times), 1.0, **how).emotions
        assert emotion.distance_source == Emotion.DISTANCE_FACE_SIZE
        return any(problem in m.status[0].message for m in diagnostics)

    listener.until(said, problem)
