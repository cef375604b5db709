# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The first page where no robot is: the demo's people, one's own camera, sample photos."""

from __future__ import annotations

import streamlit as st

from fer_ros.dashboard.controls import choose_settings
from fer_ros.dashboard.demo_player import DemoPlayer
from fer_ros.dashboard.photo_view import show_photo
from fer_ros.dashboard.player import show_view, show_webcam
from fer_ros.errors import SourceError
from fer_ros.images.demo import DemoSource, demo_photos
from fer_ros.types import UInt8Array

DEMO, CAMERA, PHOTOS = 'Demo', "This computer's camera", 'Samples'
PRIVACY = (
    'Frames go to the computer that serves this page, are read in memory and forgotten. Nothing is '
    'stored.'
)


def show() -> None:
    """Show what was chosen, moving."""
    with st.container(horizontal=True, vertical_alignment='center', gap='medium'):
        source = st.segmented_control(
            'Source', (DEMO, CAMERA, PHOTOS), default=DEMO, label_visibility='collapsed'
        )
        settings, hides_faces = choose_settings('playground')
    if source == CAMERA:
        st.caption(PRIVACY)
        show_webcam('webcam', settings, hides_faces)
    elif source == PHOTOS:
        photos = _sample_photos()
        name = st.pills('Photo', list(photos), default=next(iter(photos)))
        if name:
            show_photo(photos[name], f'{name}.png', settings, hides_faces)
    else:
        _show_demo(settings, hides_faces)


def _show_demo(settings: dict[str, float | int], hides_faces: bool) -> None:
    try:
        player = _demo_player()
    except SourceError as error:
        st.error(str(error), icon=':material/broken_image:')
        return
    player.change(settings)
    player.hides_faces = hides_faces
    show_view('demo', 'demo', 'The last minutes')


@st.cache_resource
def _demo_player() -> DemoPlayer:
    return DemoPlayer()


@st.cache_resource
def _sample_photos() -> dict[str, UInt8Array]:
    astronaut, hopper = demo_photos()
    return {
        'Eileen Collins': astronaut,
        'Grace Hopper': hopper,
        'Both': DemoSource(size_wh=(960, 720)).at(5.0),
    }
