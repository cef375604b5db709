# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of the faces that a model gets wrong, to see what kind they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from fer_ros.drawing.text import draw_text
from fer_ros.types import Int64Array, UInt8Array

if TYPE_CHECKING:
    from fer_ros.evaluation.dataset import DatasetReport

FACES_PER_CLASS = 12
_FACE_PX, _GAP_PX, _CAPTION_PX, _CAPITAL_PX = 96, 8, 20, 9
_INK, _PAPER = (40, 40, 40), 255


def worst_mistakes(report: DatasetReport, label: int, count: int) -> Int64Array:
    """Return int64 (up to *count*,): rows of a class predicted wrong, the most confident first."""
    predictions = report.probabilities.argmax(axis=1)
    rows = np.flatnonzero((report.targets == label) & (predictions != label))
    order = np.argsort(-report.probabilities[rows].max(axis=1), kind='stable')
    return rows[order[:count]]


def mistake_sheet(report: DatasetReport, per_class: int = FACES_PER_CLASS) -> UInt8Array:
    """Return a picture with a row for each class that has mistakes, the most confident first.

    Below each face stand the prediction and its confidence in percent.

    Args:
        report: of a measurement.
        per_class: faces per row at most.

    Returns:
        uint8 (H, W, 3), blue, green, red; H depends on how many classes have mistakes.
    """
    strips = []
    for label, name in enumerate(report.labels):
        rows = worst_mistakes(report, label, len(report.targets))
        if len(rows):
            of_class = int((report.targets == label).sum())
            title = f'{name}: {len(rows)} of {of_class} wrong'
            strips.append(_strip(report, title, rows[:per_class], per_class))
    if not strips:
        return _strip(report, 'no face is predicted wrong', np.zeros(0, np.int64), per_class)
    return np.concatenate(strips)


def _strip(report: DatasetReport, title: str, rows: Int64Array, per_class: int) -> UInt8Array:
    """Return one row of faces under a title, uint8 (H, W, 3)."""
    step = _FACE_PX + _GAP_PX
    height = _CAPTION_PX + (_FACE_PX + _CAPTION_PX + _GAP_PX if len(rows) else 0)
    strip = np.full((height, _GAP_PX + per_class * step, 3), _PAPER, np.uint8)
    draw_text(strip, title, (_GAP_PX, _GAP_PX // 2), _CAPITAL_PX + 2, _INK)
    for place, row in enumerate(rows):
        left, bottom = _GAP_PX + place * step, _CAPTION_PX + _FACE_PX
        face = cv2.resize(report.images[row], (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_CUBIC)
        strip[_CAPTION_PX:bottom, left : left + _FACE_PX] = face[..., None]
        best = int(report.probabilities[row].argmax())
        caption = f'{report.labels[best]} {100 * report.probabilities[row, best]:.0f} %'
        draw_text(strip, caption, (left, bottom + 4), _CAPITAL_PX, _INK)
    return strip
