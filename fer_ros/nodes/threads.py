# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Slow work beside the executor, for callbacks that are coroutines."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread, get_native_id
from typing import Any

from rclpy.node import Node
from rclpy.task import Future

LOW_PRIORITY = 10
"""Niceness: a tenth of a core where another thread wants it too, so that the work ends on a busy
machine as well."""


def in_thread(node: Node, work: Callable[[], Any], low_priority: bool = False) -> Future:
    """Do *work* in a thread of its own; to be awaited, while the node's other callbacks go on.

    The callback that awaits it needs a ReentrantCallbackGroup, else it holds up its whole group.

    Args:
        node: whose executor goes on with the coroutine.
        work: what to do; what it raises is raised where the future is awaited.
        low_priority: the node's other threads go first; so do those that *work* starts.
    """
    future = Future(executor=node.executor)
    # An executor that sleeps is woken by a future's callback, not by somebody awaiting it.
    future.add_done_callback(lambda _: None)

    def run() -> None:
        if low_priority:
            # On Linux a thread has a niceness of its own.
            os.setpriority(os.PRIO_PROCESS, get_native_id(), LOW_PRIORITY)
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - whoever awaits is to learn of it
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=run, name='slow_work', daemon=True).start()
    return future
