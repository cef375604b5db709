# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Slow work beside the executor, for callbacks that are coroutines."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

from rclpy.node import Node
from rclpy.task import Future


def in_thread(node: Node, work: Callable[[], Any]) -> Future:
    """Do *work* in a thread of its own; to be awaited, while the node's other callbacks go on.

    The callback that awaits it needs a ReentrantCallbackGroup, else it holds up its whole group.

    Args:
        node: whose executor goes on with the coroutine.
        work: what to do; what it raises is raised where the future is awaited.
    """
    future = Future(executor=node.executor)
    # An executor that sleeps is woken by a future's callback, not by somebody awaiting it.
    future.add_done_callback(lambda _: None)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - whoever awaits is to learn of it
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=run, name='slow_work', daemon=True).start()
    return future
