# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos or a clip dropped on the page; needs no ROS."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer_ros.config import replace
from fer_ros.dashboard import figures
from fer_ros.dashboard.camera_view import encode
from fer_ros.dashboard.clip_video import to_mp4
from fer_ros.dashboard.controls import choose_settings
from fer_ros.dashboard.photo_view import WORKING, show_photos
from fer_ros.dashboard.player import Pace, playing
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import FerError, ImageError, SourceError
from fer_ros.images.sources import IMAGE_SUFFIXES, VideoSource
from fer_ros.messages.json_lines import frame_to_dict, to_json
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import FrameEmotions

VIDEO_SUFFIXES = ('.mp4', '.mov', '.avi', '.mkv', '.webm')
MAX_FRAMES = 1800
PROGRESS_FRAMES = 10
SHOWN_PEOPLE = 8
SHOWN_FRAMES = 600
"""So many annotated frames of a clip are kept to be viewed."""

def show() -> None:
    """Show what a photo or clip says."""
    kinds = [suffix[1:] for suffix in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)]
    dropped = st.file_uploader(
        'Photos or a clip; they stay on this computer', type=kinds, accept_multiple_files=True
    )
    if not dropped:
        return
    clips = [file for file in dropped if Path(file.name).suffix.lower() in VIDEO_SUFFIXES]
    with st.container(horizontal=True, gap='large'):
        settings, hide = choose_settings('upload')
        is_paced = bool(clips) and st.toggle(
            "At the clip's own speed", True, help='Off: as fast as this computer can read it.'
        )
    if not clips:
        show_photos({file.name: file.getvalue() for file in dropped}, settings, hide)
        return
    clip = clips[0]
    if len(dropped) > 1:
        st.info(f'One clip at a time, without photos: this is {clip.name}.')
    try:
        suffix = Path(clip.name).suffix.lower()
        _show_clip(clip.getvalue(), suffix, settings, hide, clip.name, is_paced)
    except SourceError:
        st.error(
            f'{clip.name} is damaged, or of an unknown format', icon=':material/broken_image:'
        )
    except FerError as error:
        st.error(str(error), icon=':material/broken_image:')


@dataclass(frozen=True)
class _Clip:
    """What was read of a clip.

    Attributes:
        frames: one a picture of the clip.
        pictures: annotated, as JPEG; every so-manyth.
        every: so many frames lie between two pictures.
        is_cut: whether the clip is longer than what was read.
    """

    frames: list[FrameEmotions]
    pictures: list[bytes]
    every: int
    is_cut: bool


def _show_clip(
    data: bytes, suffix: str, settings: dict[str, Any], hide: bool, name: str, is_paced: bool
) -> None:
    key = (hash(data), hide, *settings.items())
    if st.session_state.get('clip_key') != key:
        # The one before is forgotten: a viewer keeps one clip at most.
        st.session_state.pop('clip', None)
        st.session_state['clip'] = _read_clip(data, suffix, settings, hide, name, is_paced)
        st.session_state['clip_key'] = key
    clip: _Clip = st.session_state['clip']
    if clip.is_cut:
        st.warning(f'Only the first {MAX_FRAMES} frames were read.')
    with st.container(horizontal=True):
        again = st.button('Play again', icon=':material/replay:')
        lines = '\n'.join(to_json(frame_to_dict(f, n)) for n, f in enumerate(clip.frames))
        st.download_button('Result as JSON lines', lines, f'{name}.jsonl')
        stamps_s = [frame.stamp_s for frame in clip.frames[:: clip.every]]
        st.download_button(
            'Annotated video', lambda: to_mp4(clip.pictures, stamps_s), f'{name}.annotated.mp4'
        )
    if again:
        _replay(clip)
    _show_result(clip)


def _show_result(clip: _Clip) -> None:
    fullest = max(range(len(clip.pictures)), key=lambda n: len(clip.frames[n * clip.every].faces))
    left, right = st.columns(2)
    last = len(clip.pictures) - 1
    number = left.slider('Picture', 0, last, fullest) if last else 0
    left.image(clip.pictures[number], width='stretch')
    people = _by_person(clip.frames)
    longest = sorted(people, key=lambda who: -len(people[who][0]))[:SHOWN_PEOPLE]
    for track_id in sorted(longest):
        stamps_s, rows = people[track_id]
        labels, end_s = clip.frames[0].labels, clip.frames[-1].stamp_s
        picture = figures.timeline_png(
            stamps_s, np.array(rows), labels, f'person {track_id}', end_s
        )
        right.image(picture, width='stretch')
    if not people:
        right.info('No face found.', icon=':material/face:')


def _replay(clip: _Clip) -> None:
    with playing('The clip so far') as view:
        pace = Pace()
        for picture, frame in zip(clip.pictures, clip.frames[:: clip.every]):
            pace.wait(frame.stamp_s)
            view.take_frame(frame, '')
            view.take_jpeg(picture)


def _read_clip(
    data: bytes, suffix: str, settings: dict[str, Any], hide: bool, name: str, is_paced: bool
) -> _Clip:
    """Return what every frame says, played on the page while it is read.

    Raises:
        SourceError: it is not a video that can be read.
        ImageError: it holds no frame.
    """
    frames: list[FrameEmotions] = []
    pictures: list[bytes] = []
    pipeline = EmotionPipeline(replace(SETTINGS.pipeline, settings))
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        with closing(VideoSource(Path(file.name))) as source:
            total = min(source.frame_count or MAX_FRAMES, MAX_FRAMES)
            every = -(-total // SHOWN_FRAMES)
            bar = st.progress(0.0, 'Reading the clip …')
            with playing('The clip so far') as view:
                pace = Pace()
                for stamp_s, image in islice(source, MAX_FRAMES):
                    if is_paced:
                        pace.wait(stamp_s)
                    with WORKING:
                        frame = pipeline.process(image, stamp_s)
                        picture = encode(annotate(image, frame, hide))
                    view.take_frame(frame, pipeline.classifier.card.id)
                    view.take_jpeg(picture)
                    if len(frames) % every == 0:
                        pictures.append(picture)
                    frames.append(frame)
                    if len(frames) % PROGRESS_FRAMES == 0:
                        share = min(1.0, len(frames) / total)
                        bar.progress(share, f'Reading frame {len(frames)} of {total} …')
            bar.empty()
            is_cut = len(frames) == MAX_FRAMES < source.frame_count
    if not frames:
        raise ImageError(f'{name} holds no frame that can be read')
    return _Clip(frames, pictures, every, is_cut)


def _by_person(frames: list[FrameEmotions]) -> dict[int, tuple[list[float], list[np.ndarray]]]:
    people: dict[int, tuple[list[float], list[np.ndarray]]] = defaultdict(lambda: ([], []))
    for frame in frames:
        for face in frame.faces:
            people[face.track_id][0].append(frame.stamp_s)
            people[face.track_id][1].append(face.probabilities)
    return dict(people)
