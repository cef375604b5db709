# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Results as a table: a row per face, as ``fer run`` and the page write it."""

from __future__ import annotations

from typing import Any

from fer_ros.types import FrameEmotions

FACE_COLUMNS = ('face', 'x', 'y', 'width', 'height', 'label', 'confidence')
"""Of every row, before one column for each label; boxes in pixels."""


def face_rows(frame: FrameEmotions) -> list[list[Any]]:
    """Return a row per face: FACE_COLUMNS, then the probabilities in the order of the labels."""
    rows: list[list[Any]] = []
    for face in frame.faces:
        left, top, right, bottom = (float(n) for n in face.box_xyxy)
        box = (round(n, 1) for n in (left, top, right - left, bottom - top))
        shares = (round(float(p), 4) for p in face.probabilities)
        rows.append([face.track_id, *box, face.label, round(face.confidence, 4), *shares])
    return rows
