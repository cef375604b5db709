# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras in two namespaces, compressed images, and a subscriber with another QoS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image

from fer_msgs.msg import EmotionArray


@pytest.fixture(params=['one process', 'one each'])
def two_nodes(request: pytest.FixtureRequest, start, tmp_path: Path):
    if request.param == 'one each':
        for name in ('front', 'back'):
            start('emotion_node', '-r', f'__ns:=/{name}')
        yield
        return
    with (tmp_path / 'multi.log').open('wb') as log:
        process = subprocess.Popen(
            [sys.executable, '-m', 'fer_ros.nodes.multi_emotion_node', 'front', 'back'],
            stdout=log, stderr=log, env=os.environ.copy(),
        )  # fmt: skip
    yield
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0, (tmp_path / 'multi.log').read_text()


def test_each_camera_is_processed_in_its_namespace(
    listener, two_nodes, astronaut: np.ndarray
) -> None:
    nobody = np.full((240, 320, 3), 90, np.uint8)
    names = ('front', 'back')
    results = {name: listener.collect(EmotionArray, f'{name}/emotions') for name in names}
    outputs = {
        name: listener.create_publisher(Image, f'{name}/image', qos_profile_sensor_data)
        for name in names
    }

    def arrived() -> bool:
        outputs['front'].publish(listener.image(astronaut, 'front'))
        outputs['back'].publish(listener.image(nobody, 'back'))
        return all(len(found) > 3 for found in results.values())

    listener.until(arrived, 'results to both')
    assert {a.header.frame_id for a in results['front']} == {'front'}
    assert {a.header.frame_id for a in results['back']} == {'back'}
    assert all(len(a.emotions) == 1 for a in results['front'])
    assert all(not a.emotions for a in results['back'])


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed_images(listener, start, astronaut: np.ndarray, suffix: str) -> None:
    import cv2

    start('emotion_node', '-p', 'image_transport:=compressed')
    publisher = listener.create_publisher(
        CompressedImage, 'image/compressed', qos_profile_sensor_data
    )
    results = listener.collect(EmotionArray, 'emotions')
    message = CompressedImage(format=suffix, data=cv2.imencode(suffix, astronaut)[1].tobytes())
    message.header.frame_id = 'camera'

    def shown() -> bool:
        message.header.stamp = listener.get_clock().now().to_msg()
        publisher.publish(message)
        return bool(results)

    listener.until(shown, 'a result')
    assert results[0].emotions[0].label == 'happy'
    assert results[0].header.frame_id == 'camera'


def test_a_subscriber_with_another_qos_is_named(listener, start, astronaut: np.ndarray) -> None:
    node = start('emotion_node')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    nothing = listener.collect(EmotionArray, 'emotions', latched)
    results = listener.collect(EmotionArray, 'emotions')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)

    def shown() -> bool:
        publisher.publish(listener.image(astronaut))
        return bool(results) and 'incompatible QoS' in node.output

    listener.until(shown, 'a result, and a word about the other subscriber')
    assert "'emotions'" in node.output
    assert 'DURABILITY' in node.output
    assert nothing == []
