# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""camera_node in a process of its own, over real DDS."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from fer_msgs.msg import EmotionArray
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.camera_node import CameraNode


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / 'clip.mp4'
    with VideoWriter(path, 20.0) as writer:
        for n in range(10):
            writer.write(np.full((64, 96, 3), 20 * n, np.uint8))
    return path


def test_the_demo_comes_with_stamps_frame_and_camera_info(listener, start) -> None:
    images = listener.collect(Image, 'image_raw', qos_profile_sensor_data)
    infos = listener.collect(CameraInfo, 'camera_info', qos_profile_sensor_data)
    start('camera_node', '-p', 'width_px:=320', '-p', 'height_px:=240', '-p', 'frame_id:=head')
    listener.until(lambda: len(images) >= 10 and len(infos) >= 10, 'ten images')
    first = images[0]
    assert (first.width, first.height, first.step, first.encoding) == (320, 240, 960, 'bgr8')
    assert first.header.frame_id == 'head'
    assert (infos[0].width, infos[0].height) == (320, 240)
    stamps = [stamp_seconds(image.header) for image in images]
    assert stamps == sorted(stamps)
    assert abs(stamps[0] - listener.get_clock().now().nanoseconds * 1e-9) < 60


def test_conventions_of_cameras(listener, start) -> None:
    """REP-2003, REP-103 and camera_info beside the images, wherever those are remapped to."""
    images = listener.collect(Image, '/cam/color/image_raw', 10)
    infos = listener.collect(CameraInfo, '/cam/color/camera_info', 10)
    start('camera_node', '-r', '__ns:=/front', '-r', 'image_raw:=/cam/color/image_raw')
    listener.until(lambda: images and infos, 'an image for subscribers that ask for reliability')
    assert images[0].header.frame_id == infos[0].header.frame_id == 'front_optical_frame'


def test_images_of_900_kb_arrive_whole_and_all(listener, start) -> None:
    """At a rate that a busy machine keeps: with Fast DDS's defaults most of these are lost."""
    qos = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
    images = listener.collect(Image, 'image_raw', qos)
    start('camera_node', '-p', 'rate_hz:=10.0')
    listener.until(lambda: len(images) >= 40, 'forty images')
    gaps = np.diff([stamp_seconds(image.header) for image in images])
    # A lost image is a gap of two periods; a late timer is at most a little more than one.
    assert (gaps > 0.18).sum() <= 1, gaps.round(3)
    assert len(images[-1].data) == 640 * 480 * 3


def test_a_video_that_ends_ends_the_node(listener, start, clip: Path) -> None:
    images = listener.collect(Image, 'image_raw', qos_profile_sensor_data)
    node = start('camera_node', '-p', f'source:={clip}', '-p', 'loop:=false')
    listener.until(lambda: 'has ended' in node.output, 'the end of the video')
    assert node.wait() == 0
    assert images
    assert 'has ended after 10 images' in node.output
    assert 'Traceback' not in node.output


def test_a_video_that_loops_goes_on(listener, start, clip: Path) -> None:
    images = listener.collect(Image, 'image_raw', qos_profile_sensor_data)
    start('camera_node', '-p', f'source:={clip}', '-p', 'rate_hz:=0')
    listener.until(lambda: len(images) >= 25, 'more images than the video has')
    assert (images[0].width, images[0].height) == (96, 64)


@pytest.mark.parametrize(
    'parameters, message',
    [
        pytest.param(('source:="93"',), 'camera 93 .* cannot be opened', id='camera'),
        pytest.param(('source:=/gone.mp4',), '/gone.mp4 does not exist', id='video'),
        pytest.param(('rate_hz:=-1.0',), 'rate_hz', id='rate'),
        pytest.param(('width_px:=1',), 'width_px', id='width'),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(refusal, parameters: tuple, message: str) -> None:
    said = refusal(CameraNode, *(word for text in parameters for word in ('-p', text)))
    assert re.search(message, said), said


def test_camera_and_emotion_node_in_two_processes(listener, start) -> None:
    """The main job: the demo's people are found, told apart and read, and nobody is nobody."""
    results = listener.collect(EmotionArray, 'emotions', 1000)
    start('emotion_node', '-r', 'image:=image_raw')
    listener.until(lambda: listener.count_subscribers('image_raw'), 'the node to look')
    start('camera_node', '-p', 'rate_hz:=10.0')

    def everything_seen() -> bool:
        first = [e.label for result in results for e in result.emotions if e.track_id == 1]
        return {0, 1, 2} <= {len(result.emotions) for result in results} and len(first) >= 20

    listener.until(everything_seen, 'nobody, one and both')
    first = [e.label for result in results for e in result.emotions if e.track_id == 1]
    assert first.count('happy') > len(first) / 2
    assert len({result.model_id for result in results}) == 1
