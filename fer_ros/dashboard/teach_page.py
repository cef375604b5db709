# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Teach the model: photos or camera shots under the right word, and a model of one's own."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from itertools import count
from pathlib import Path

import numpy as np
import streamlit as st

from fer_ros.dashboard.player import show_webcam
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.errors import FerError, counted
from fer_ros.labels import EMOTIONS
from fer_ros.models.store import store_dir
from fer_ros.teaching.baseline import Baseline, take_baseline
from fer_ros.teaching.teach import Lesson, teach

HOW = (
    'Choose a word, add faces that show it (photos, or shots of your camera), do the same for '
    'another word or more, and teach. The network stays as it is; a new last layer learns your '
    'words in seconds. A few dozen faces for each word, of several people, make a useful model.'
)
HOW_AT_REST = (
    'Some faces look sad or angry at rest. Look into the camera with a face at rest for ten '
    'seconds: what the model sees in it then counts as neutral, and nothing else changes. The '
    'model is for this person; frames are read and forgotten.'
)
WORDS, AT_REST = 'Words for faces', 'A face at rest'
WORD = re.compile(r'[a-z][a-z0-9_ -]{0,30}')
MAX_FACES = 2000
Examples = dict[str, list[tuple[str, bytes]]]
"""Word to the name and content of its photos."""


def show() -> None:
    """Make a model of faces with their words, or of the viewer's own face at rest."""
    way = st.segmented_control('Way', (WORDS, AT_REST), default=WORDS, label_visibility='collapsed')
    if way == AT_REST:
        _show_baseline()
    else:
        _show_words()


def _show_baseline() -> None:
    """Record the viewer's face at rest, and offer the model for which it is neutral."""
    st.caption(HOW_AT_REST)
    with st.container(horizontal=True, vertical_alignment='bottom'):
        name = st.text_input('Name of the model', _free_name('my_baseline'), width=240)
        if st.button('Record ten seconds', type='primary'):
            st.session_state['recordings'] = st.session_state.get('recordings', 0) + 1
            st.session_state.pop('baseline', None)
    recordings = st.session_state.get('recordings', 0)
    if not recordings:
        return
    result = st.container()
    every_frame = {'classification.read_period_ms': 0.0}
    rows = show_webcam('at rest', every_frame, hides_faces=False, record=recordings)
    if rows is not None and (output := _place_for(name)):
        try:
            probabilities = np.array(rows, np.float32)
            start = SETTINGS.pipeline.classification.model
            st.session_state['baseline'] = take_baseline(probabilities, output, start)
        except (FerError, OSError) as error:
            result.error(str(error), icon=':material/error:')
    baseline: Baseline | None = st.session_state.get('baseline')
    if baseline is not None and baseline.card.is_file():
        with result:
            st.info(baseline.summary(), icon=':material/balance:')
            _offer(baseline.card)


def _show_words() -> None:
    """Collect faces with their words, teach, and offer the model."""
    st.caption(HOW)
    examples: Examples = st.session_state.setdefault('examples', {})
    word = st.selectbox(
        'What do these faces show?', EMOTIONS, accept_new_options=True, index=None,
        placeholder='A word: happy, sad, or one of your own',
    )  # fmt: skip
    if word:
        _collect(examples, word.strip().lower())
    if not examples:
        return
    for known, photos in examples.items():
        st.markdown(f'**{known}**: {counted(len(photos), "photo")}')
    with st.container(horizontal=True, vertical_alignment='bottom'):
        name = st.text_input('Name of the model', _free_name('my_model'), width=240)
        if st.button('Forget all photos'):
            examples.clear()
            st.rerun()
        is_ready = len(examples) >= 2
        is_pressed = st.button('Teach', type='primary', disabled=not is_ready)
    if not is_ready:
        st.info('At least two words are needed, so that there is something to tell apart.')
    if is_pressed:
        _teach(examples, name)
    lesson: Lesson | None = st.session_state.get('lesson')
    if lesson is not None and lesson.card.is_file():
        _show_lesson(lesson)


def _collect(examples: Examples, word: str) -> None:
    """Add what is dropped or shot to the photos of *word*."""
    if not WORD.fullmatch(word):
        st.error('A word has small letters, digits, spaces, - and _, and begins with a letter.')
        return
    left, right = st.columns(2)
    dropped = left.file_uploader(
        f'Photos of {word}', type=['jpg', 'jpeg', 'png', 'webp'], accept_multiple_files=True,
        key=f'photos {word}',
    )  # fmt: skip
    shot = right.camera_input(f'Or a shot of your camera: {word}', key=f'camera {word}')
    files = [*dropped, *([shot] if shot else [])]
    known = {content for _, content in examples.get(word, [])}
    for file in files:
        content = file.getvalue()
        if content not in known and sum(map(len, examples.values())) < MAX_FACES:
            photos = examples.setdefault(word, [])
            photos.append((f'{len(photos)}{Path(file.name).suffix}', content))


def _free_name(name: str) -> str:
    """Return *name*, with a number behind it where a model is called so already."""
    folder = store_dir() / 'taught'
    names = (f'{name}_{number}' if number else name for number in count())
    return next(free for free in names if not (folder / f'{free}.json').exists())


def _place_for(name: str) -> Path | None:
    """Return where a model of that name is written; None, and say why, where it cannot be."""
    if not re.fullmatch(r'[\w.-]{1,60}', name):
        st.error('The name of a model has letters, digits, points, - and _.')
        return None
    output = store_dir() / 'taught' / name
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        st.error(f'{output.parent}: {error.strerror}')
        return None
    return output


def _teach(examples: Examples, name: str) -> None:
    output = _place_for(name)
    if output is None:
        return
    with tempfile.TemporaryDirectory() as folder, st.spinner('Teaching …'):
        for word, photos in examples.items():
            (Path(folder) / word).mkdir()
            for file, content in photos:
                (Path(folder) / word / file).write_bytes(content)
        start = SETTINGS.pipeline.classification.model
        try:
            st.session_state['lesson'] = teach(Path(folder), output, start)
        except (FerError, OSError) as error:
            # The temporary folder's name means nothing to anybody.
            st.error(str(error).replace(f'{folder}: ', ''), icon=':material/error:')


def _show_lesson(lesson: Lesson) -> None:
    for line in (*lesson.faces.summary(), *lesson.warnings):
        st.caption(line)
    st.markdown(
        f'Right on faces held back: **{lesson.own}**; '
        f'the shipped model on the same faces: **{lesson.shipped}**.'
    )
    st.info(lesson.verdict, icon=':material/balance:')
    _offer(lesson.card)


def _offer(card: Path) -> None:
    """Offer a model for download, and to the nodes that run."""
    st.markdown(f'Saved as `{card}`.')
    with st.container(horizontal=True):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            for path in sorted(card.parent.glob(f'{card.stem}.*')):
                archive.write(path, path.name)
        st.download_button('Download model and card', packed.getvalue(), f'{card.stem}.zip')
        cameras = SETTINGS.feed.cameras() if SETTINGS.feed else {}
        for topic, view in cameras.items():
            if SETTINGS.feed and st.button(f'Use it in {view.node_name}'):
                is_done, said = SETTINGS.feed.set_model(topic, str(card), 'litert')
                st.toast(
                    f'Now in use: {said}' if is_done else said,
                    icon=':material/check:' if is_done else ':material/error:',
                )
