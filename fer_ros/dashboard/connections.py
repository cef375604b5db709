# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP connections that nobody can hold on to: bounded in number, and closed when idle."""

from __future__ import annotations

import asyncio

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 400
"""Well below the 1024 open files that a process may have."""

MAX_PER_ADDRESS = 100
"""A browser opens six."""

IDLE_S = 10.0


class BoundedProtocol(H11Protocol):
    """Refuses a connection too many, and closes those that send no request.

    uvicorn waits for the first request, and for the end of its header, for ever.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or close it at once."""
        super().connection_made(transport)
        address = self.client and self.client[0]
        others = [getattr(other, 'client', None) for other in self.connections]
        same = sum(other is not None and other[0] == address for other in others)
        if len(others) > MAX_CONNECTIONS or same > MAX_PER_ADDRESS:
            transport.abort()
            return
        self._was_idle = False
        self.loop.call_later(IDLE_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        # A WebSocket has a protocol of its own by now.
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self._was_idle:
            self.transport.close()
            return
        self._was_idle = is_idle
        self.loop.call_later(IDLE_S, self._close_if_idle)


def bound_connections() -> None:
    """Have uvicorn use BoundedProtocol wherever it is not told otherwise."""
    HTTP_PROTOCOLS['auto'] = f'{__name__}:{BoundedProtocol.__name__}'
