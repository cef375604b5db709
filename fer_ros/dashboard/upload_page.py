# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos or a clip dropped on the page; needs no ROS."""

from __future__ import annotations

import tempfile
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import streamlit as st

from fer_ros.config import RECORDED, replace
from fer_ros.dashboard.clip import Clip
from fer_ros.dashboard.clip_report import report_html
from fer_ros.dashboard.clip_view import show_clip
from fer_ros.dashboard.controls import choose_settings
from fer_ros.dashboard.photo_view import DOWNLOAD, NO_FACE, WORKING, show_photos
from fer_ros.dashboard.player import Pace, playing
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.data.bag_reader import BAG_SUFFIXES
from fer_ros.data.bag_source import BagSource
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import FerError, ImageError, SourceError
from fer_ros.images.sources import IMAGE_SUFFIXES, VideoSource
from fer_ros.messages.json_lines import frame_to_dict, to_json
from fer_ros.pipeline import EmotionPipeline

CLIP_SUFFIXES = ('.mp4', '.mov', '.avi', '.mkv', '.webm', *BAG_SUFFIXES)
MAX_FRAMES = 1800
PROGRESS_FRAMES = 10
NOTHING_YET = (
    'Drop photos here, or one clip or recording. The [playground](/) has samples, and `fer run` '
    'reads whole folders and longer clips.'
)


def show() -> None:
    """Show what a photo or clip says."""
    kinds = [suffix[1:] for suffix in (*IMAGE_SUFFIXES, *CLIP_SUFFIXES)]
    dropped = st.file_uploader(
        'Photos, a clip or a rosbag; they stay on this computer',
        type=kinds,
        accept_multiple_files=True,
    )
    if not dropped:
        st.caption(NOTHING_YET)
        return
    clips = [file for file in dropped if Path(file.name).suffix.lower() in CLIP_SUFFIXES]
    with st.container(horizontal=True, gap='medium', vertical_alignment='center'):
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
    except FerError as error:
        st.error(str(error), icon=':material/broken_image:')


def _show_clip(
    data: bytes, suffix: str, settings: dict[str, Any], hide: bool, name: str, is_paced: bool
) -> None:
    key = (hash(data), hide, *settings.items())
    if st.session_state.get('clip_key') != key:
        # The one before is forgotten: a viewer keeps one clip at most.
        st.session_state.pop('clip', None)
        st.session_state['clip'] = _read_clip(data, suffix, settings, hide, name, is_paced)
        st.session_state['clip_key'] = key
    clip: Clip = st.session_state['clip']
    for remark in clip.remarks:
        st.warning(remark)
    if not clip.people:
        st.info(NO_FACE, icon=':material/face:')
    show_clip(clip)
    video, page, lines = (f'{name}{kind}' for kind in ('.annotated.mp4', '.html', '.jsonl'))
    results = '\n'.join(to_json(frame_to_dict(f, n)) for n, f in enumerate(clip.frames))
    with st.container(horizontal=True):
        st.download_button('Annotated video', clip.video.content, video, icon=DOWNLOAD)
        st.download_button('Report (HTML)', lambda: report_html(clip), page, icon=DOWNLOAD)
        st.download_button('Result as JSON lines', results, lines, icon=DOWNLOAD)


def _open(path: str, name: str) -> VideoSource | BagSource:
    """Open a clip or recording that viewers know by another name."""
    try:
        is_recording = path.endswith(BAG_SUFFIXES)
        return BagSource(Path(path)) if is_recording else VideoSource(Path(path))
    except SourceError as error:
        raise SourceError(str(error).replace(path, name)) from error


def _read_clip(
    data: bytes, suffix: str, settings: dict[str, Any], hide: bool, name: str, is_paced: bool
) -> Clip:
    """Return what every frame says, played on the page while it is read.

    Raises:
        SourceError: it is not a video that can be read.
        ImageError: it holds no frame.
    """
    pipeline = EmotionPipeline(replace(SETTINGS.pipeline, {**RECORDED, **settings}))
    clip = Clip(name, pipeline.classifier.card.id)
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        with closing(_open(file.name, name)) as source:
            total = min(source.frame_count or MAX_FRAMES, MAX_FRAMES)
            bar = st.progress(0.0, 'Reading the clip …')
            with playing('The clip so far') as view:
                pace = Pace()
                for number, (stamp_s, image) in enumerate(islice(source, MAX_FRAMES)):
                    if is_paced:
                        pace.wait(stamp_s)
                    with WORKING:
                        frame = pipeline.process(image, stamp_s)
                        drawn = annotate(image, frame, hide)
                        clip.add(frame, drawn if hide else image, drawn)
                    view.take_frame(frame, clip.model)
                    view.take_image(drawn)
                    if number % PROGRESS_FRAMES == 0:
                        share = min(1.0, number / total)
                        bar.progress(share, f'Reading frame {number} of {total} …')
            bar.empty()
            if len(clip.frames) == MAX_FRAMES < source.frame_count:
                clip.remarks.append(f'Only the first {MAX_FRAMES} frames were read.')
            elif problem := source.problem():
                clip.remarks.append(problem.replace(file.name, name))
    if not clip.frames:
        raise ImageError(f'{name} holds no frame that can be read')
    clip.finish()
    return clip
