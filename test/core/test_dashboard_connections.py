# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nobody shuts others out of the page by holding connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

uvicorn = pytest.importorskip('uvicorn', reason='uvicorn is not installed')

from fer_ros.dashboard import connections  # noqa: E402

REQUEST = b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'hello'})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Serve with few connections and little patience."""
    monkeypatch.setattr(connections, 'MAX_PER_ADDRESS', 5)
    monkeypatch.setattr(connections, 'IDLE_S', 0.2)
    connections.bound_connections()
    listening = socket.create_server(('127.0.0.1', 0))
    server = uvicorn.Server(uvicorn.Config(hello, lifespan='off', log_level='error'))
    thread = threading.Thread(target=server.run, kwargs={'sockets': [listening]})
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join()
    listening.close()


def is_closed(connection: socket.socket) -> bool:
    """Return whether the server closes the connection; waits for it."""
    try:
        return connection.recv(1) == b''
    except ConnectionResetError:
        return True


def test_idle_connections_are_bounded_and_closed(address: tuple[str, int]) -> None:
    idle = [socket.create_connection(address, 10) for _ in range(5)]
    idle[0].sendall(b'GET / HTTP/1.1\r\nNever-')
    with socket.create_connection(address, 10) as one_too_many:
        assert is_closed(one_too_many)
    assert all(is_closed(connection) for connection in idle)
    with socket.create_connection(address, 10) as connection:
        connection.sendall(REQUEST)
        assert connection.recv(100).startswith(b'HTTP/1.1 200 OK')
    for connection in idle:
        connection.close()


def test_a_connection_in_use_stays(address: tuple[str, int]) -> None:
    with socket.create_connection(address, 10) as connection:
        for _ in range(3):
            connection.sendall(REQUEST)
            assert connection.recv(1000)
