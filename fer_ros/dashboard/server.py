# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Serves the Streamlit pages, and beside them what the live page's script asks for."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from fer_ros.dashboard.access import LOOPBACK_NAMES, TokenMiddleware
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.connections import bound_connections
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.dashboard.webcam import webcam

APP = Path(__file__).parent / 'app.py'
NEW_IMAGE_TIMEOUT_S = 1.0
POLL_S = 0.008
MAX_UPLOAD_MB = 200


def serve(host: str, port: int, token: str) -> None:
    """Serve until interrupted.

    Args:
        host: address to listen on.
        port: number to listen on.
        token: needed by every viewer; empty for none, which is for loopback addresses only.
    """
    bound_connections()
    guard = (
        Middleware(TokenMiddleware, token=token)
        if token
        # A page elsewhere whose name is made to point here must not read what is shown here.
        else Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK_NAMES, host])
    )
    app = st.App(
        APP,
        routes=[
            Route('/live/state', _state),
            Route('/live/image.jpg', _image),
            Route('/live/clip.mp4', _clip),
            WebSocketRoute('/live/webcam', webcam),
        ],
        middleware=[guard],
    )
    app.run(
        config={
            'server.address': host,
            'server.port': port,
            'server.headless': True,
            'server.fileWatcherType': 'none',
            'server.maxUploadSize': MAX_UPLOAD_MB,
            'browser.gatherUsageStats': False,
            'client.toolbarMode': 'minimal',
            'client.showErrorDetails': 'none',
            'logger.level': 'error',
            # Its address would lack the token; ours is printed before.
            'logger.hideWelcomeMessage': True,
            'theme.light.primaryColor': '#0072b2',
            'theme.dark.primaryColor': '#56b4e9',
        }
    )


def _view(request: Request) -> CameraView | None:
    return SETTINGS.view(request.query_params.get('camera', ''))


async def _state(request: Request) -> Response:
    view = _view(request)
    if view is None:
        return JSONResponse({'topic': None})
    try:
        since_s = float(request.query_params.get('since', '0'))
    except ValueError:
        return JSONResponse({'error': 'since: expected a number'}, status_code=400)
    return JSONResponse(view.snapshot(since_s), headers={'Cache-Control': 'no-store'})


async def _image(request: Request) -> Response:
    """Send the first image after the one numbered ``after``, or 204 if none has come."""
    view = _view(request)
    if view is None:
        return Response(status_code=204)
    try:
        after = int(request.query_params.get('after', '0'))
    except ValueError:
        return JSONResponse({'error': 'after: expected a whole number'}, status_code=400)
    view.watch()
    deadline_s = time.monotonic() + NEW_IMAGE_TIMEOUT_S
    while view.image_number == after:
        if time.monotonic() > deadline_s:
            return Response(status_code=204)
        await asyncio.sleep(POLL_S)
    number, jpeg = await asyncio.to_thread(view.jpeg)
    headers = {'X-Image-Number': str(number), 'Cache-Control': 'no-store'}
    return Response(jpeg, media_type='image/jpeg', headers=headers)


async def _clip(request: Request) -> Response:
    """Send a clip's annotated video, whose name is a secret of its viewer."""
    video = SETTINGS.videos.get(request.query_params.get('clip', ''))
    if video is None:
        return Response(status_code=404)
    headers = {'Cache-Control': 'no-store'}
    return Response(video.content, media_type='video/mp4', headers=headers)
