# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The model card: what the weights are, how good they are, and where they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer_ros.dashboard import figures
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.errors import ModelError
from fer_ros.evaluation.html_report import confusion_svg, robustness_svg
from fer_ros.models.card import MODELS_DIR, EmotionModelCard

_confusion = st.cache_data(max_entries=32)(confusion_svg)
_robustness = st.cache_data(max_entries=32)(robustness_svg)


def show() -> None:
    """Show one of the cards that are there."""
    names = [str(path) for path in SETTINGS.models]
    names += sorted(path.stem for path in MODELS_DIR.glob('emotion*.json'))
    if not names:
        st.info('No model is shipped with this installation.', icon=':material/info:')
        return
    name = st.selectbox('Model', names) if len(names) > 1 else names[0]
    try:
        card = EmotionModelCard.load(name)
    except ModelError as error:
        st.error(str(error), icon=':material/error:')
        return
    st.header(card.id, anchor=False)
    _facts(card)
    measurements = list(figures.find_measurements(card.about))
    for start in range(0, len(measurements), 2):
        for column, (title, measured) in zip(st.columns(2), measurements[start : start + 2]):
            with column:
                _measurement(title.removeprefix('Metrics, '), measured)
    if not any('confusion_matrix' in measured for _, measured in measurements):
        _pictures(name)
    texts = {
        key: value
        for key, value in card.about.items()
        if isinstance(value, str) or (isinstance(value, list) and all_text(value))
    }
    for key, value in texts.items():
        text = value if isinstance(value, str) else ''.join(f'\n- {line}' for line in value)
        st.markdown(f'**{key.replace("_", " ").capitalize()}:** {text}')
    with st.expander('The whole card'):
        st.json(card.about, expanded=1)


def all_text(values: list[Any]) -> bool:
    """Return whether a list holds nothing but text."""
    return bool(values) and all(isinstance(value, str) for value in values)


def _facts(card: EmotionModelCard) -> None:
    head = card.head()[0]
    facts = {
        'Classes': f'{len(head.labels)}',
        'Input': f'{card.size_px} x {card.size_px} px',
        'Runs on': ', '.join(card.files),
        'Unknown below': f'{head.unknown_threshold:.0%}',
    }
    if 'parameters' in card.about:
        facts['Parameters'] = f'{card.about["parameters"]:,}'
    _row(facts)
    st.caption(f'Its classes: {", ".join(head.labels)}')


def _row(figures_by_name: dict[str, str]) -> None:
    """Show figures side by side, as many as there is room for."""
    with st.container(horizontal=True, gap='medium'):
        for name, value in figures_by_name.items():
            st.metric(name, value, width='content')


def _measurement(title: str, measured: dict[str, Any]) -> None:
    """Show a measurement, or say why it cannot be: a card may have been written by anybody."""
    st.subheader(title[:1].upper() + title[1:], anchor=False)
    try:
        _show_measurement(measured)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        st.warning(f'{title} of this card cannot be shown: {type(error).__name__} {error}')


def _show_measurement(measured: dict[str, Any]) -> None:
    named = {
        'Accuracy': measured.get('accuracy'),
        'Balanced accuracy': measured.get('balanced_accuracy'),
        'Calibration error': measured.get('expected_calibration_error'),
    }
    shown = {key: f'{value:.1%}' for key, value in named.items() if value is not None}
    if 'count' in measured:
        shown['Faces'] = f'{measured["count"]:,}'
    _row(shown)
    if 'command' in measured:
        st.caption(f'Printed by `{measured["command"]}`')
    if 'confusion_matrix' in measured:
        matrix = np.array(measured['confusion_matrix'])
        figures.show_plot(_confusion(matrix, tuple(measured['labels'])))
        st.caption('Rows are the target, columns the prediction; colour is the share of the row.')
    if measured.get('robustness'):
        figures.show_plot(_robustness(measured['robustness'], measured.get('accuracy')))
        st.caption('Accuracy when the picture gets worse; the line is the clean picture.')


def _pictures(name: str) -> None:
    """Show the plots that a clone has of a shipped model: docs/figures/NAME_….png."""
    folder = Path(__file__).resolve().parents[2] / 'docs' / 'figures'
    pictures = sorted(folder.glob(f'{name}_*.png')) if name.isidentifier() else []
    for pair in zip(pictures[::2], [*pictures[1::2], None]):
        for column, picture in zip(st.columns(2), pair):
            if picture is not None:
                caption = picture.stem.removeprefix(f'{name}_').replace('_', ', ')
                column.image(str(picture), caption=caption.capitalize(), width='stretch')
