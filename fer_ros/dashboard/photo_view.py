# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos with their faces: one in detail, several as a table, crowds as counts and thumbnails."""

from __future__ import annotations

import csv
import html
import io
import json
from collections import Counter
from itertools import islice
from threading import Lock
from typing import Any

import cv2
import numpy as np
import streamlit as st

from fer_ros.config import replace
from fer_ros.dashboard.camera_view import encode
from fer_ros.dashboard.clip import THUMBNAIL_PX, thumbnail
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.drawing.annotation import annotate
from fer_ros.drawing.plot_style import COLOURS
from fer_ros.errors import ImageError, counted
from fer_ros.images.decoding import decode_image
from fer_ros.labels import UNKNOWN
from fer_ros.messages.csv_rows import FACE_COLUMNS, face_rows
from fer_ros.messages.json_lines import SCHEMA_VERSION, photo_to_dict
from fer_ros.reader import FaceReader
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array

WORKING = Lock()
"""One image at a time: viewers share the computer, and the robot's nodes need it too."""

MAX_PHOTOS = 100
CROWD = 6
"""From so many faces on a photo is summarised."""

BROKEN, DOWNLOAD = ':material/broken_image:', ':material/download:'
NO_FACE = 'No face found. Faces below the smallest height are left out: try less in *Settings*.'


def show_photos(files: dict[str, bytes], settings: dict[str, Any], hide: bool) -> None:
    """Show photos by name; one that cannot be read is named, and the others go on.

    Args:
        files: name to content.
        settings: what differs from the page's own, named 'section.field'.
        hide: make faces unrecognisable.
    """
    if len(files) > MAX_PHOTOS:
        st.warning(f'Only the first {MAX_PHOTOS} of {len(files)} photos are read.')
    frames: dict[str, FrameEmotions] = {}
    for name, data in islice(files.items(), MAX_PHOTOS):
        try:
            # Decoded photos take too much room to be kept.
            frames[name] = _read(decode_image(np.frombuffer(data, np.uint8)), settings)
        except ImageError as error:
            st.error(f'{name} is not a photo that can be read: {error}', icon=BROKEN)
    if not frames:
        return
    if len(frames) == 1:
        chosen = next(iter(frames))
    else:
        st.dataframe(_overview(frames), hide_index=True)
        chosen = st.selectbox('Photo', list(frames))
    image = decode_image(np.frombuffer(files[chosen], np.uint8))
    drawn = _show(image, frames[chosen], chosen, hide)
    _offer_results(frames, drawn, chosen)


def show_photo(image: UInt8Array, name: str, settings: dict[str, Any], hide: bool) -> None:
    """Show one photo beside what its faces say.

    Args:
        image: uint8 (H, W, 3) BGR.
        name: of the file that is offered for download.
        settings: what differs from the page's own, named 'section.field'.
        hide: make faces unrecognisable.
    """
    frame = _read(image, settings)
    _offer_results({name: frame}, _show(image, frame, name, hide), name)


def _overview(frames: dict[str, FrameEmotions]) -> list[dict[str, Any]]:
    """Return a row for each photo: its faces, and how many of them have each label."""
    counts = {name: Counter(face.label for face in frame.faces) for name, frame in frames.items()}
    seen = [label for label, _ in sum(counts.values(), Counter()).most_common()]
    return [
        {'photo': name, 'faces': count.total(), **{label: count[label] for label in seen}}
        for name, count in counts.items()
    ]


@st.cache_resource
def _reader() -> FaceReader:
    return FaceReader(SETTINGS.pipeline)


def _read(image: UInt8Array, settings: dict[str, Any]) -> FrameEmotions:
    with WORKING:
        reader = _reader()
        reader.reconfigure(replace(SETTINGS.pipeline, settings))
        return reader.read_photo(image)


def _show(image: UInt8Array, frame: FrameEmotions, name: str, hide: bool) -> UInt8Array:
    """Show a photo beside what its faces say; return the annotated one."""
    drawn = annotate(image, frame, hide)
    left, right = st.columns([3, 2])
    height, width = image.shape[:2]
    caption = f'{name}, {width} x {height} px: {counted(len(frame.faces), "face")}'
    left.image(encode(drawn), caption=caption, width='stretch')
    with right:
        if not frame.faces:
            st.info(NO_FACE, icon=':material/face:')
        elif len(frame.faces) < CROWD:
            for face in frame.faces:
                st.html(_bars(face, frame.labels))
        else:
            _show_crowd(image if not hide else drawn, frame)
    return drawn


def _show_crowd(image: UInt8Array, frame: FrameEmotions) -> None:
    """Show how many faces have each label, each with its thumbnails."""
    counts = Counter(face.label for face in frame.faces)
    for label, count in counts.most_common():
        st.html(_title(label, f'{count} of {len(frame.faces)}'))
        faces = [face for face in frame.faces if face.label == label]
        thumbnails = [thumbnail(image, face) for face in faces]
        numbers = [str(face.track_id) for face in faces]
        st.image(thumbnails, caption=numbers, channels='BGR', width=THUMBNAIL_PX)


def _offer_results(frames: dict[str, FrameEmotions], drawn: UInt8Array, chosen: str) -> None:
    """Offer the annotated photo that is *chosen*, and what all of them say, for download."""
    name = chosen if len(frames) == 1 else 'photos'
    found = [
        {'schema_version': SCHEMA_VERSION, **photo_to_dict(path, frame)}
        for path, frame in frames.items()
    ]
    with st.container(horizontal=True):
        png = cv2.imencode('.png', drawn)[1].tobytes()
        st.download_button('Annotated image', png, f'{chosen}.annotated.png', icon=DOWNLOAD)
        lines = json.dumps(found[0] if len(found) == 1 else found, indent=2)
        st.download_button('Result as JSON', lines, f'{name}.json', icon=DOWNLOAD)
        st.download_button('Result as CSV', _to_csv(frames), f'{name}.csv', icon=DOWNLOAD)


def _to_csv(frames: dict[str, FrameEmotions]) -> str:
    """Return a line per face: photo, number, box, label, confidence and all probabilities."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(['photo', *FACE_COLUMNS, *next(iter(frames.values())).labels])
    for name, frame in frames.items():
        writer.writerows([name, *row] for row in face_rows(frame))
    return text.getvalue()


def _title(label: str, more: str) -> str:
    return (
        f'<div style="border-left:.5rem solid {COLOURS[label]};padding:.2rem .8rem">'
        f'<b>{html.escape(label)}</b> {more}</div>'
    )


def _bars(face: FaceEmotion, labels: tuple[str, ...]) -> str:
    """Return one face's probabilities in the live view's look."""
    title = 'unknown (below the threshold)' if face.label == UNKNOWN else html.escape(face.label)
    reasons = ''.join(
        f' <small>({html.escape(reason.replace("_", " "))})</small>' for reason in face.quality
    )
    rows = ''.join(
        f'<span>{html.escape(label)}</span><span style="height:.62rem;border-radius:.2rem;'
        f'background:color-mix(in srgb,currentColor 14%,transparent)">'
        f'<span style="display:block;height:100%;border-radius:.2rem;width:{100 * p:.1f}%;'
        f'background:{COLOURS[label]}"></span></span><span style="text-align:right">'
        f'{100 * p:.0f}</span>'
        for label, p in zip(labels, face.probabilities)
    )
    return (
        f'<div style="border-left:.5rem solid {COLOURS[face.label]};padding:.2rem .8rem;'
        f'margin-bottom:.8rem"><b>{face.track_id} &middot; {title} '
        f'{100 * face.confidence:.0f} %</b>{reasons}<div style="display:grid;gap:.1rem .6rem;'
        f'grid-template-columns:fit-content(45%) 1fr 2.5rem;align-items:center;'
        f'overflow-wrap:anywhere;font-size:.85rem">{rows}</div></div>'
    )
