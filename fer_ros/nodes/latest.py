# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A queue of one that keeps the newest, between the middleware's thread and the working one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread
from typing import Generic, TypeVar

Item = TypeVar('Item')


class LatestWorker(Generic[Item]):
    """Hands the newest item to a function in a thread of its own; older ones are dropped.

    Whoever offers items is never held up, so that services and parameters stay quick while a
    frame is being worked on.
    """

    def __init__(self, work: Callable[[Item], None], name: str) -> None:
        """Start the thread.

        Args:
            work: is called with one item at a time; must not raise.
            name: of the thread.
        """
        self._work = work
        self._ready = Condition()
        self._item: Item | None = None
        self._stopping = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, item: Item) -> bool:
        """Make *item* the next one; returns False if another was waiting and is dropped."""
        with self._ready:
            was_free = self._item is None
            self._item = item
            self._ready.notify()
            return was_free

    def stop(self) -> None:
        """Let the items being worked on and waiting be finished; end the thread."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._item is not None or self._stopping)
                item, self._item = self._item, None
            if item is None:
                return
            self._work(item)
