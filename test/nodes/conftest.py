# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Real nodes in processes of their own, and a listener with deadlines instead of sleeps."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from helpers.node_process import DEADLINE_S, NodeProcess
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_ros.messages.images import image_message
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.ros_messages import make
from fer_ros.nodes.runner import run_node

ASK_AGAIN_S = 10.0
"""No service takes so long to respond."""


class Listener(Node):
    """Collects messages and waits for what is expected of them."""

    def __init__(self) -> None:
        super().__init__('listener')
        self.executor_ = SingleThreadedExecutor()
        self.executor_.add_node(self)

    def collect(self, kind: Any, topic: str, qos: Any = 10) -> list[Any]:
        """Return a list that fills as messages come."""
        messages: list[Any] = []
        self.create_subscription(kind, topic, messages.append, qos)
        return messages

    def until(self, condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
        """Spin until *condition* holds and return its value; fail after the deadline."""
        end = time.monotonic() + deadline_s
        while not (value := condition()):
            assert time.monotonic() < end, f'waited {deadline_s:g} s for {what}'
            self.executor_.spin_once(timeout_sec=0.05)
        return value

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """Return a service's response.

        It is asked again when none comes: Fast DDS drops the response to a client of which the
        service has discovered only one half, for longer than 0.1 s.
        """
        client = self.create_client(kind, name)
        self.until(client.service_is_ready, f'service {name}')
        asked_s, future = time.monotonic(), client.call_async(request)

        def arrived() -> bool:
            nonlocal asked_s, future
            if not future.done() and time.monotonic() - asked_s > ASK_AGAIN_S:
                asked_s, future = time.monotonic(), client.call_async(request)
            return future.done()

        self.until(arrived, f'a response of {name}')
        self.destroy_client(client)
        return future.result()

    def image(self, pixels: np.ndarray, frame_id: str = 'camera') -> Image:
        """Return a message stamped now."""
        stamp = self.get_clock().now().to_msg()
        return image_message(make, pixels, Header(stamp=stamp, frame_id=frame_id))


@pytest.fixture
def listener(ros_environment: None) -> Iterator[Listener]:
    prepare_middleware()
    rclpy.init()
    node = Listener()
    yield node
    node.executor_.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def start(tmp_path: Path, ros_environment: None) -> Iterator[Callable[..., NodeProcess]]:
    """Start nodes; whatever still runs at the end is interrupted and must end cleanly."""
    running: list[NodeProcess] = []

    def starter(name: str, *arguments: str) -> NodeProcess:
        running.append(NodeProcess(name, arguments, tmp_path / f'{name}_{len(running)}.log'))
        return running[-1]

    yield starter
    for process in running:
        process.stop()


@pytest.fixture
def refusal(ros_environment: None, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable]:
    """Run a node that cannot start, in this process: that is quick; return what it says."""
    before = signal.getsignal(signal.SIGINT)

    def run(make_node: Callable[[], Node], *arguments: str) -> str:
        assert run_node(make_node, ['--ros-args', *arguments]) == 1
        said = capfd.readouterr().err
        assert 'fer_ros: ' in said
        assert 'Traceback' not in said
        return said

    yield run
    signal.signal(signal.SIGINT, before)
