# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings that viewers look for, as sliders with their meaning."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_ros.config import PipelineConfig, flatten
from fer_ros.dashboard.settings import SETTINGS

SLIDERS: dict[str, tuple[str, float, float, float]] = {
    'smoothing.time_constant_s': ('Smoothing (s)', 0.0, 3.0, 0.1),
    'classification.unknown_threshold': ('Unknown below', 0.0, 1.0, 0.01),
    'detection.min_face_px': ('Smallest face (px)', 16, 200, 2),
}
"""Setting to its name on the page, the slider's ends and its step."""


def choose_node_settings(key: str) -> dict[str, Any]:
    """Show the sliders for a running node; return the parameters that were moved just now.

    Args:
        key: of the sliders in the viewer's session.
    """
    chosen, hides_faces = choose_settings(key)
    start = {name: pair[0] for name, pair in flatten(SETTINGS.pipeline).items() if name in SLIDERS}
    values = {**start, **chosen, 'pixelate_faces': hides_faces}
    before = st.session_state.setdefault(f'{key} sent', values)
    st.session_state[f'{key} sent'] = values
    return {name: value for name, value in values.items() if value != before[name]}


def choose_settings(key: str) -> tuple[dict[str, Any], bool]:
    """Show the sliders; return what was moved, named 'section.field', and whether to hide faces.

    Args:
        key: of the sliders in the viewer's session; those of different views are independent.
    """
    defaults = flatten(SETTINGS.pipeline)
    descriptions = flatten(PipelineConfig())
    chosen: dict[str, Any] = {}
    with st.popover('Settings', icon=':material/tune:'):
        for name, (title, low, high, step) in SLIDERS.items():
            default = defaults[name][0]
            kind = type(default)
            # A negative threshold stands for the model card's own.
            start = kind(max(low, min(high, default))) if default >= 0 else _card_threshold()
            value = st.slider(
                title, kind(low), kind(high), start, kind(step), key=f'{key} {name}',
                help=descriptions[name][1].metadata['description'],
            )  # fmt: skip
            if value != start:
                chosen[name] = value
        hides = st.toggle('Make faces unrecognisable', key=f'{key} pixelate')
    return chosen, hides


@st.cache_data
def _card_threshold() -> float:
    from fer_ros.models.card import EmotionModelCard

    card = EmotionModelCard.load(SETTINGS.pipeline.classification.model)
    return round(card.head()[0].unknown_threshold, 2)
