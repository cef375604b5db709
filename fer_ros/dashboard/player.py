# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Shows moving annotated images with bars and timeline: a camera's, or a clip's as it is read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.settings import SETTINGS

FOLDER = Path(__file__).parent
BROWSER_TIMEOUT_S = 5.0


@cache
def component(name: str, *more: str) -> Any:
    """Return the Streamlit component of name.html, name.css and name.js, and more scripts."""
    html, css, *scripts = (
        (FOLDER / file).read_text(encoding='utf-8')
        for file in (f'{name}.html', f'{name}.css', f'{name}.js', *(f'{one}.js' for one in more))
    )
    return st.components.v2.component(
        f'fer_{name}', html=html, css=css, js=''.join(scripts), isolate_styles=False
    )


def show_view(name: str, key: str, title: str) -> None:
    """Show the view that the server knows by *name*; *title* stands over its timeline."""
    component('live', 'webcam')(key=key, data={'camera': name, 'title': title})


def show_webcam(
    key: str, settings: dict[str, float | int], hides_faces: bool, record: int = 0
) -> list[list[float]] | None:
    """Show the viewer's own camera.

    Args:
        key: of the view in the viewer's session.
        settings: to read it with, named 'section.field'.
        hides_faces: make them unrecognisable.
        record: another number than before records the largest face.

    Returns:
        Its probabilities, a row per frame, once it has been recorded: for ten seconds, or longer
        where frames are slow; else None.
    """
    data = {
        'camera': 'webcam',
        'title': 'The last minutes',
        'settings': settings,
        'hides_faces': hides_faces,
        'record': record,
    }
    view = component('live', 'webcam')(key=key, data=data, on_recorded_change=lambda: None)
    recorded: list[list[float]] | None = view.recorded
    return recorded


@contextmanager
def playing(title: str) -> Iterator[CameraView]:
    """Show a view that the block fills, and take it off the page when the block has ended."""
    # Its name is a secret: whoever knows it can see the clip.
    name = f'clip {secrets.token_hex(16)}'
    view = SETTINGS.clips[name] = CameraView(name)
    place = st.empty()
    try:
        with place.container():
            show_view(name, name, title)
        _wait_for_browser(view)
        yield view
    finally:
        del SETTINGS.clips[name]
    place.empty()


def _wait_for_browser(view: CameraView) -> None:
    """Return when the browser asks for images, so that it sees the first ones, or in the end."""
    deadline_s = time.monotonic() + BROWSER_TIMEOUT_S
    while not view.is_watched and time.monotonic() < deadline_s:
        time.sleep(0.05)


class Pace:
    """Lets stamps pass no faster than the clock."""

    def __init__(self) -> None:
        """Begin now."""
        self._start_s = time.monotonic()

    def wait(self, stamp_s: float) -> None:
        """Return when *stamp_s* seconds have passed since the beginning."""
        time.sleep(max(0.0, self._start_s + stamp_s - time.monotonic()))
