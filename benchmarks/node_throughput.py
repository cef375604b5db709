# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera process -> DDS -> emotion node -> DDS -> this process: frames sent, received, answered.

usage: python benchmarks/node_throughput.py [--seconds 20] [--rate 30] [--size 640x480]
Prints one JSON line. The camera plays a video made of the demo's pictures, so that the number of
frames sent is known exactly.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor

from fer_msgs.msg import EmotionArray
from fer_ros.image_source import DemoSource
from fer_ros.nodes.conversions import stamp_seconds
from fer_ros.nodes.demo import NodeProcess
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.video_writer import VideoWriter

SETTLE_S = 3.0
"""The last frames are awaited, and the last diagnostics, for this long."""


def make_video(path: Path, size_wh: tuple[int, int], rate_hz: float, frames: int) -> None:
    """Write *frames* pictures of the demo."""
    source = DemoSource(size_wh, rate_hz)
    with VideoWriter(path, rate_hz) as writer:
        for number in range(frames):
            writer.write(source.at(number / rate_hz))


def measure(folder: Path, size_wh: tuple[int, int], rate_hz: float, frames: int) -> dict:
    """Run both nodes; return counts, and latencies from the image's stamp to receipt here."""
    make_video(folder / 'demo.mp4', size_wh, rate_hz, frames)
    node = rclpy.create_node('throughput')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    latencies_s: list[float] = []
    faces: list[int] = []
    counts: dict[str, str] = {}

    def on_emotions(message: EmotionArray) -> None:
        latencies_s.append(time.time() - stamp_seconds(message.header))
        faces.append(len(message.emotions))

    def on_diagnostics(message: DiagnosticArray) -> None:
        counts.update({v.key: v.value for v in message.status[0].values})

    node.create_subscription(EmotionArray, 'emotions', on_emotions, 100)
    node.create_subscription(DiagnosticArray, '/diagnostics', on_diagnostics, 10)
    emotion_node = NodeProcess('emotion_node', folder / 'emotion.log', '-r', 'image:=image_raw')
    while not node.count_subscribers('image_raw') and emotion_node.running():
        executor.spin_once(timeout_sec=0.1)
    camera = NodeProcess(
        'camera_node', folder / 'camera.log', '-p', f'source:={folder}/demo.mp4',
        '-p', f'rate_hz:={rate_hz:.3f}', '-p', 'loop:=false',
    )  # fmt: skip
    while camera.running():
        executor.spin_once(timeout_sec=0.1)
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    emotion_node.stop()
    ended = re.search(r'has ended after (\d+) images', (folder / 'camera.log').read_text())
    milliseconds = 1e3 * np.array(latencies_s)
    return {
        'size': f'{size_wh[0]}x{size_wh[1]}',
        'rate_hz': rate_hz,
        'frames': {
            'sent': int(ended[1]) if ended else 0,
            'received': int(counts['received frames']),
            'dropped': int(counts['dropped frames']),
            'answered': len(latencies_s),
        },
        'latency_ms': {
            name: round(float(np.percentile(milliseconds, q)), 1)
            for name, q in (('median', 50), ('p95', 95), ('p99', 99))
        },
        'faces_mean': round(float(np.mean(faces)), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=30.0, metavar='HZ')
    parser.add_argument('--size', default='640x480', metavar='WxH')
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split('x'))
    prepare_middleware()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    rclpy.init()
    with tempfile.TemporaryDirectory() as folder:
        frames = round(options.seconds * options.rate)
        print(json.dumps(measure(Path(folder), (width, height), options.rate, frames)))
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
