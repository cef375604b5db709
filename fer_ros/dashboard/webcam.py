# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A viewer's own camera: the browser sends JPEG frames over a WebSocket and gets results back.

The browser sends a frame only when the result of the one before is there, so that nothing queues
on a slow network. Frames are read and forgotten. Everything runs through the page's own port and
token, which WebRTC (streamlit-webrtc) would not: it needs UDP ports, and beyond one network a relay
server.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from fer_ros.config import replace
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.errors import FerError, ImageError
from fer_ros.images.decoding import decode_image
from fer_ros.pipeline import EmotionPipeline

MAX_VIEWERS = 4
"""Each has a pipeline of its own on a computer that may have a robot to serve as well."""

MAX_FRAME_BYTES = 2_000_000
FULL = f'{MAX_VIEWERS} viewers use their cameras already; try again when one has left.'


class _Session:
    """One viewer's pipeline and last minutes."""

    def __init__(self) -> None:
        self.pipeline = EmotionPipeline(SETTINGS.pipeline)
        self.view = CameraView('webcam')

    def read(self, jpeg: bytes, stamp_s: float) -> dict[str, Any]:
        """Return the state of the page after one more frame."""
        if len(jpeg) > MAX_FRAME_BYTES:
            raise ImageError(f'a frame of {len(jpeg)} bytes: expected {MAX_FRAME_BYTES} at most')
        image = decode_image(np.frombuffer(jpeg, np.uint8))
        frame = self.pipeline.process(image, stamp_s)
        last_s = self.view.last_sample_s
        self.view.take_frame(frame, self.pipeline.classifier.card.id)
        return self.view.snapshot(last_s)

    def change(self, settings: str) -> None:
        """Adopt settings of the page, a JSON object of names and values."""
        try:
            changes = dict(json.loads(settings))
            self.pipeline.reconfigure(replace(SETTINGS.pipeline, changes))
        except (TypeError, ValueError, RecursionError) as error:
            raise ImageError(f'settings: {error}') from error


async def webcam(socket: WebSocket) -> None:
    """Serve one viewer's camera until they leave."""
    if not _is_same_site(socket):
        await socket.close(1008)
        return
    await socket.accept()
    if _viewers.locked():
        await socket.send_json({'error': FULL})
        await socket.close()
        return
    async with _viewers:
        try:
            session = await asyncio.to_thread(_Session)
        except FerError as error:
            await socket.send_json({'error': str(error)})
            await socket.close()
            return
        try:
            while True:
                await _serve_one(socket, session)
        except WebSocketDisconnect:
            return


async def _serve_one(socket: WebSocket, session: _Session) -> None:
    """Return the result of one frame; settings are adopted without a reply."""
    message = await socket.receive()
    if message['type'] == 'websocket.disconnect':
        raise WebSocketDisconnect
    try:
        if message.get('text') is not None:
            session.change(message['text'])
            return
        stamp_s = asyncio.get_running_loop().time()
        state = await asyncio.to_thread(session.read, message['bytes'], stamp_s)
    except FerError as error:
        state = {'error': str(error)}
    await socket.send_json(state)


def _is_same_site(socket: WebSocket) -> bool:
    """Return whether a page of this server asks: browsers let any page open a WebSocket."""
    origin = urlsplit(socket.headers.get('origin', ''))
    return bool(origin.netloc) and origin.netloc == socket.headers.get('host')


_viewers = asyncio.Semaphore(MAX_VIEWERS)
