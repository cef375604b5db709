# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may see the page: anybody on this computer, elsewhere whoever has the token."""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

COOKIE = 'fer_dashboard_token'
LOOPBACK_NAMES = ('localhost', '127.0.0.1', '[::1]')


def is_loopback(host: str) -> bool:
    """Return whether *host* (a name or address to listen on) is reached from this computer only."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TokenMiddleware:
    """Lets through whoever has the token: once in the address, from then on in a cookie."""

    def __init__(self, app: Any, token: str) -> None:
        """Wrap an ASGI application."""
        self._app = app
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request or WebSocket."""
        if scope['type'] not in ('http', 'websocket') or self._has_cookie(scope):
            await self._app(scope, receive, send)
        elif scope['type'] == 'websocket':
            await send({'type': 'websocket.close', 'code': 1008})
        elif self._is_token(
            parse_qs(scope['query_string'].decode('latin-1')).get('token', [''])[0]
        ):
            # The token leaves the address at once: it would stay in the browser's history.
            cookie = f'{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/'
            await _answer(send, 303, '', [('location', scope['path']), ('set-cookie', cookie)])
        else:
            await _answer(send, 401, 'Open the address with the token that fer dashboard printed.')

    def _has_cookie(self, scope: Any) -> bool:
        for name, value in scope['headers']:
            if name == b'cookie':
                try:
                    morsel = SimpleCookie(value.decode('latin-1')).get(COOKIE)
                except CookieError:
                    return False
                return morsel is not None and self._is_token(morsel.value)
        return False

    def _is_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._token.encode())


async def _answer(
    send: Any, status: int, text: str, headers: list[tuple[str, str]] | None = None
) -> None:
    await send(
        {
            'type': 'http.response.start',
            'status': status,
            'headers': [
                (b'content-type', b'text/plain; charset=utf-8'),
                *((name.encode(), value.encode()) for name, value in headers or ()),
            ],
        }
    )
    await send({'type': 'http.response.body', 'body': text.encode()})
