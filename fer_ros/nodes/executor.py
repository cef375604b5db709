# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one place that decides what becomes of a callback that fails."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rclpy.executors import ShutdownException, SingleThreadedExecutor, TimeoutException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from fer_ros.errors import shorten
from fer_ros.nodes.base import FerNode, NodeError

RCLError = rclpy_implementation.RCLError
InvalidHandle = rclpy_implementation.InvalidHandle

MAX_ERRORS = 60
"""A minute; so many errors that no message or request has brought about mean a broken node."""

MINUTE_S = 60.0


class ResilientExecutor(SingleThreadedExecutor):
    """Goes on after a callback that failed: its node logs and counts the error.

    A message or a request that brings errors about may be sent a thousand times a second by
    anybody, and never ends a node. Errors that come by themselves, in timers or in rclpy, do so
    when there are too many.
    """

    def __init__(self, **options: Any) -> None:
        """Take rclpy.executors.Executor's options."""
        super().__init__(**options)
        self._errors_s: deque[float] = deque(maxlen=MAX_ERRORS)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for a callback and call it.

        Raises:
            NodeError: a callback says so, or too many have failed.
        """
        entity: Any = None
        node: Node | None = None
        try:
            handler, entity, node = self.wait_for_ready_callbacks(timeout_sec)
            handler()
            handler.result()
        except (TimeoutException, ShutdownException):
            return
        except Exception as error:  # noqa: BLE001 - here it is decided what becomes of it
            self._go_on_after(error, entity, node)

    def _go_on_after(self, error: Exception, entity: Any, node: Node | None) -> None:
        # After a signal whatever is under way finds ROS shut down.
        if isinstance(error, NodeError) or not self.context.ok():
            raise error
        if node is None:
            node = next(iter(self.get_nodes()), None)
        if not isinstance(node, FerNode):
            raise error
        node.caught(error, _name(entity))
        if isinstance(entity, (Subscription, Service)):
            return
        now_s = time.monotonic()
        if len(self._errors_s) == MAX_ERRORS and now_s - self._errors_s[0] < MINUTE_S:
            raise NodeError(
                f'{MAX_ERRORS} errors within a minute; the last one: {shorten(str(error))}'
            ) from error
        self._errors_s.append(now_s)


def _name(entity: Any) -> str:
    """Return what an error is reported under."""
    try:
        if isinstance(entity, Subscription):
            return f'topic {entity.topic_name}'
        if isinstance(entity, Service):
            return f'service {entity.srv_name}'
    except InvalidHandle:
        pass  # It was destroyed in the meantime.
    if isinstance(entity, Timer):
        return f'timer {getattr(entity.callback, "__qualname__", "")}'
    return 'executor'
