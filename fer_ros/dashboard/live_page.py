# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The live view: which camera, its node's switches, and the script that shows the rest."""

from __future__ import annotations

import streamlit as st

from fer_ros.config import CLASSIFIERS
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.controls import choose_node_settings
from fer_ros.dashboard.player import show_view
from fer_ros.dashboard.settings import SETTINGS, Feed
from fer_ros.models.card import MODELS_DIR

NO_NODE = (
    'No emotion node is running. Start one and it shows up here by itself: `scripts/demo` on a '
    'bare machine, `ros2 launch fer_ros live.launch.py` on a robot. '
    "Is it running? Then its `ROS_DOMAIN_ID` may differ from this page's."
)


def show() -> None:
    """Show the chosen camera, or say why there is none."""
    feed = SETTINGS.feed
    if feed is None:
        st.info(f'ROS is not installed here ({SETTINGS.no_feed_reason}).', icon=':material/info:')
        _offer_photo()
        return
    cameras = feed.cameras()
    _notice_changes(feed, _seen(feed))
    if not cameras:
        st.info(NO_NODE, icon=':material/videocam_off:')
        _offer_photo()
        return
    topics = list(cameras)
    topic = topics[0]
    with st.container(horizontal=True, vertical_alignment='center', gap='medium'):
        if len(topics) > 1:
            topic = st.selectbox(
                'Camera', topics, format_func=_short_name, width=220, label_visibility='collapsed'
            )
        st.markdown(f'`{cameras[topic].node_name}`', width='content')
        _switches(feed, cameras[topic])
        moved = choose_node_settings(f'live {topic}')
        if moved:
            _say(*feed.set_parameters(topic, moved))
    show_view(topic, 'live', 'The last minutes')


def _short_name(topic: str) -> str:
    return topic.removesuffix('/emotions') or '/'


def _offer_photo() -> None:
    st.markdown(
        'The [playground](/) and [photos and clips](/photo) need neither a robot nor ROS.'
    )


def _seen(feed: Feed) -> dict[str, bool]:
    return {topic: view.is_enabled for topic, view in feed.cameras().items()}


@st.fragment(run_every=2.0)
def _notice_changes(feed: Feed, shown: dict[str, bool]) -> None:
    """Draw the page anew when a camera has come or gone, or was switched by somebody else."""
    if _seen(feed) != shown:
        st.rerun()


def _switches(feed: Feed, view: CameraView) -> None:
    key = f'enabled {view.topic}'
    st.session_state[key] = view.is_enabled

    def switch() -> None:
        is_on = st.session_state[key]
        is_done, message = feed.set_enabled(view.topic, is_on)
        if is_done:
            view.is_enabled = is_on
        _say(is_done, message)

    st.toggle('Processing', key=key, on_change=switch, help='Off: images are not processed.')
    state = view.snapshot(float('inf'))
    with st.popover('Model', icon=':material/neurology:'), st.form('model', border=False):
        st.caption(f'In use: {state["model"] or "not known yet"}')
        cards = sorted(path.stem for path in MODELS_DIR.glob('emotion*.json'))
        model = st.selectbox('Model', cards, accept_new_options=True, help='Or a path of a card.')
        backend = st.selectbox('Runs on', CLASSIFIERS)
        if st.form_submit_button('Use it'):
            with st.spinner('Loading …'):
                is_done, said = feed.set_model(view.topic, model or 'default', backend)
            _say(is_done, f'Now in use: {said}' if is_done else said)


def _say(is_done: bool, message: str) -> None:
    st.toast(message, icon=':material/check:' if is_done else ':material/error:')
