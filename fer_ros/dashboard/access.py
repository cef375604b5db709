# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may see the page: anybody on this computer, elsewhere whoever has the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote

COOKIE = 'fer_dashboard_token'
MAX_GUESSES = 10
GUESS_S = 60.0
"""An address that has tried so many wrong tokens within so many seconds has to wait as long."""

MAX_ADDRESSES = 1000
LOOPBACK_NAMES = ('localhost', '127.0.0.1', '[::1]')


def is_loopback(host: str) -> bool:
    """Return whether *host* (a name or address to listen on) is reached from this computer only."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WrongTokens:
    """Which addresses have tried too many tokens to be heard for the moment."""

    def __init__(self) -> None:
        """Know of none."""
        self._tried: OrderedDict[str, tuple[float, set[bytes]]] = OrderedDict()

    def add(self, address: str, token: str, now_s: float) -> None:
        """Note a wrong token; the same one again, as of an old cookie, is no second guess."""
        since_s, tokens = self._tried.get(address, (now_s, set()))
        if now_s - since_s > GUESS_S:
            since_s, tokens = now_s, set()
        tokens.add(hashlib.sha256(token.encode(errors='replace')).digest())
        self._tried[address] = (since_s, tokens)
        self._tried.move_to_end(address)
        if len(self._tried) > MAX_ADDRESSES:
            self._tried.popitem(last=False)

    def too_many(self, address: str, now_s: float) -> bool:
        """Return whether *address* has to wait before anything it sends is compared."""
        since_s, tokens = self._tried.get(address, (now_s, set()))
        return len(tokens) >= MAX_GUESSES and now_s - since_s <= GUESS_S


class TokenMiddleware:
    """Lets through whoever has the token: once in the address, from then on in a cookie."""

    def __init__(self, app: Any, token: str) -> None:
        """Wrap an ASGI application."""
        self._app = app
        self._token = token
        self._wrong = WrongTokens()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or WebSocket."""
        if scope['type'] not in ('http', 'websocket'):
            await self._app(scope, receive, send)
            return
        address = (scope.get('client') or ('',))[0]
        is_locked = self._wrong.too_many(address, time.monotonic())
        if not is_locked and self._accepts(_cookie(scope), address):
            await self._app(scope, receive, send)
        elif scope['type'] == 'websocket':
            await send({'type': 'websocket.close', 'code': 1008})
        elif is_locked:
            text = f'Too many wrong tokens; try again in {GUESS_S:.0f} seconds.'
            await _respond(send, 429, text)
        elif self._accepts(_query_token(scope), address):
            # The token leaves the address at once: it would stay in the browser's history.
            cookie = f'{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/'
            await _respond(send, 303, '', [('location', _local(scope)), ('set-cookie', cookie)])
        else:
            await _respond(send, 401, 'Open the address with the token that fer dashboard printed.')

    def _accepts(self, token: str, address: str) -> bool:
        if hmac.compare_digest(token.encode(), self._token.encode()):
            return True
        if token:
            self._wrong.add(address, token, time.monotonic())
        return False


def _cookie(scope: Any) -> str:
    for name, value in scope['headers']:
        if name == b'cookie':
            try:
                morsel = SimpleCookie(value.decode('latin-1')).get(COOKIE)
            except CookieError:
                return ''
            return morsel.value if morsel else ''
    return ''


def _query_token(scope: Any) -> str:
    return parse_qs(scope['query_string'].decode('latin-1')).get('token', [''])[0]


def _local(scope: Any) -> str:
    """Return the path asked for, as one of this server: //elsewhere would be another one."""
    return f'/{quote(scope["path"].lstrip("/"))}'


async def _respond(
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
