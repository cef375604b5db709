# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what a frame says, on a copy, for people to look at."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.drawing.text import Colour, draw_text, text_colour, text_width
from fer_ros.labels import UNKNOWN
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array


class Palette(dict[str, Colour]):
    """Colours of classes, BGR; a class of one's own gets one by its name, always the same."""

    def __missing__(self, label: str) -> Colour:
        """Return a colour for *label*: one of 1080, so that two labels are seldom alike."""
        rest, hue = divmod(zlib.crc32(label.encode()), 180)
        rest, pale = divmod(rest, 3)
        colour = np.array([[[hue, 240 - 70 * pale, 150 + 100 * (rest % 2)]]], np.uint8)
        blue, green, red = cv2.cvtColor(colour, cv2.COLOR_HSV2BGR)[0, 0]
        return int(blue), int(green), int(red)


COLOURS_BGR = Palette(
    {
        'angry': (0, 94, 213),
        'disgust': (115, 158, 0),
        'fear': (167, 121, 204),
        'happy': (66, 228, 240),
        'sad': (178, 114, 0),
        'surprise': (0, 159, 230),
        'neutral': (132, 210, 162),
        'contempt': (255, 99, 138),
        UNKNOWN: (200, 200, 200),
    }
)
"""Okabe and Ito's palette without its second blue, a violet, pale green for neutral and grey for
unknown: told apart with colour blindness too."""

BARS = 3
FULL_PLATE_TEXTS = 6
TITLE_TEXTS = 3
"""Faces from so many heights of a capital on get bars, or their title; smaller ones only corners
in the colour of their label, which a legend explains."""
FARTHER_LINES = (1.5, 3.0)
"""So many titles away from its face, and joined to it by a line, a plate may lie in a crowd."""

PIXELS_A_FACE = 7
"""Squares across a face that is made unrecognisable."""

_PANEL_SHADE = 0.18
_PANEL_COLOUR = (26, 22, 20)
_INK = (245, 245, 245)
_TRACK = (96, 90, 86)
_WARNING_INK = (120, 200, 255)
_HALO = (20, 20, 20)

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, half-open."""


def annotate(image: UInt8Array, frame: FrameEmotions, pixelate_faces: bool = False) -> UInt8Array:
    """Return a copy of *image* with everybody's box, id, label and most likely emotions.

    Args:
        image: uint8 (H, W, 3) BGR that *frame* was made from.
        frame: what is drawn.
        pixelate_faces: make faces unrecognisable.
    """
    canvas = image.copy()
    boxes = [_whole(face) for face in frame.faces]
    if pixelate_faces:
        for box in boxes:
            _pixelate(canvas, box)
    sizes = _Sizes.of(canvas)
    for face, box in zip(frame.faces, boxes):
        _draw_box(canvas, face, box, sizes)
    placed = list(_place(frame, boxes, sizes, canvas.shape[1::-1]))
    for face, plate, corner in placed:
        _draw_leader(canvas, face, _rectangle(plate, corner), sizes)
        _draw_plate(canvas, face, frame.labels, plate, corner, sizes)
    if len(placed) < len(boxes):
        taken = boxes + [_rectangle(plate, corner) for _, plate, corner in placed]
        named = {face.label for face in frame.faces}
        shown = [label for label in (*frame.labels, UNKNOWN) if label in named]
        _draw_legend(canvas, shown, taken, sizes)
    return canvas


def _whole(face: FaceEmotion) -> Rectangle:
    left, top, right, bottom = (round(float(n)) for n in face.box_xyxy)
    return left, top, right, bottom


def _pixelate(canvas: UInt8Array, box: Rectangle) -> None:
    left, top, right, bottom = box
    # Chin, hair and ears tell who it is as well.
    margin_x, margin_y = (right - left) // 8, (bottom - top) // 6
    patch = canvas[
        max(0, top - margin_y) : bottom + margin_y, max(0, left - margin_x) : right + margin_x
    ]
    if patch.size:
        squares = (min(PIXELS_A_FACE, patch.shape[1]), min(PIXELS_A_FACE, patch.shape[0]))
        coarse = cv2.resize(patch, squares, interpolation=cv2.INTER_AREA)
        patch[:] = cv2.resize(coarse, patch.shape[1::-1], interpolation=cv2.INTER_NEAREST)


@dataclass(frozen=True)
class _Sizes:
    """Pixels of what is drawn, from the size of the picture alone.

    Attributes:
        text: capitals of the title.
        small: capitals of the bars' names.
        pad: around text.
        line: thickness of the box.
        bar: length of a full bar, at least.
    """

    text: int
    small: int
    pad: int
    line: int
    bar: int

    @classmethod
    def of(cls, canvas: UInt8Array) -> _Sizes:
        text = max(8, round(min(canvas.shape[0], 0.75 * canvas.shape[1]) / 42))
        return cls(text, max(7, round(0.8 * text)), max(3, text // 2), max(1, text // 6), 5 * text)

    @property
    def title_height(self) -> int:
        return self.text + 2 * self.pad

    @property
    def row_height(self) -> int:
        return self.small + self.pad


@dataclass(frozen=True)
class _Plate:
    """What is written beside one face, and how much room it takes.

    Attributes:
        title: id, label and confidence.
        reasons: what makes the face hard to read, or empty.
        bars: number of bars under the title.
        size_wh: width and height in pixels.
    """

    title: str
    reasons: str
    bars: int
    size_wh: tuple[int, int]


def _make_plates(face: FaceEmotion, labels: tuple[str, ...], sizes: _Sizes) -> list[_Plate]:
    """Return what could be written beside a face, by its height: all, only the title, nothing."""
    height = face.box_xyxy[3] - face.box_xyxy[1]
    if height < TITLE_TEXTS * sizes.text:
        return []
    title = f'{face.track_id}  {face.label}'
    if face.label != UNKNOWN:
        title += f' {100 * face.confidence:.0f}%'
    reasons = ', '.join(face.quality).replace('_', ' ')
    pad, title_width = sizes.pad, text_width(title, sizes.text) + 2 * sizes.pad
    bars_width = 4 * pad + _name_width(labels, sizes) + sizes.bar + _number_width(sizes)
    rows = BARS + bool(reasons)
    full_wh = (
        max(title_width, bars_width, text_width(reasons, sizes.small) + 2 * pad),
        sizes.title_height + pad + rows * sizes.row_height,
    )
    short = _Plate(title, '', 0, (title_width, sizes.title_height))
    if height < FULL_PLATE_TEXTS * sizes.text:
        return [short]
    return [_Plate(title, reasons, BARS, full_wh), short]


def _name_width(labels: tuple[str, ...], sizes: _Sizes) -> int:
    return max(text_width(label, sizes.small) for label in labels)


def _number_width(sizes: _Sizes) -> int:
    return text_width('100', sizes.small)


def _place(
    frame: FrameEmotions, boxes: list[Rectangle], sizes: _Sizes, size_wh: tuple[int, int]
) -> Iterator[tuple[FaceEmotion, _Plate, tuple[int, int]]]:
    """Yield each face with its plate and where that goes, near faces first.

    A plate lies inside the picture and covers neither a face nor another plate; where there is no
    room for all of it, less is written, and in a crowd nothing.
    """
    if not boxes:
        return
    taken = np.array(boxes)
    areas = (taken[:, 2] - taken[:, 0]) * (taken[:, 3] - taken[:, 1])
    for index in np.argsort(-areas, kind='stable'):
        face, box = frame.faces[index], boxes[index]
        plates = _make_plates(face, frame.labels, sizes)
        found = _first_free(plates, box, taken, sizes, size_wh)
        if found is None:
            continue
        plate, corner = found
        x, y = corner
        taken = np.vstack([taken, (x, y, x + plate.size_wh[0], y + plate.size_wh[1])])
        yield face, plate, corner


def _first_free(
    plates: list[_Plate],
    box: Rectangle,
    taken: np.ndarray,
    sizes: _Sizes,
    size_wh: tuple[int, int],
) -> tuple[_Plate, tuple[int, int]] | None:
    for plate in plates:
        for x, y in _corners(plate.size_wh, box, sizes, size_wh):
            right, bottom = x + plate.size_wh[0], y + plate.size_wh[1]
            if x < 0 or y < 0 or right > size_wh[0] or bottom > size_wh[1]:
                continue
            covers = (
                (taken[:, 0] < right) & (taken[:, 2] > x)
                & (taken[:, 1] < bottom) & (taken[:, 3] > y)
            )  # fmt: skip
            if not covers.any():
                return plate, (x, y)
    if len(taken) > 1 or not plates:
        return None
    # A face that fills the picture: the plate goes over its chin.
    x = min(max(0, box[0]), max(0, size_wh[0] - plates[0].size_wh[0]))
    return plates[0], (x, max(0, size_wh[1] - plates[0].size_wh[1]))


def _corners(
    plate_wh: tuple[int, int], box: Rectangle, sizes: _Sizes, size_wh: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Yield the places tried for a plate, best first: under, over, beside its face, farther."""
    left, top, right, bottom = box
    gap = 3 * sizes.line
    x = min(max(0, left), max(0, size_wh[0] - plate_wh[0]))
    y = min(max(0, top), max(0, size_wh[1] - plate_wh[1]))
    yield x, bottom + gap
    yield x, top - gap - plate_wh[1]
    yield right + gap, y
    yield left - gap - plate_wh[0], y
    yield max(0, right - plate_wh[0]), bottom + gap
    yield max(0, right - plate_wh[0]), top - gap - plate_wh[1]
    for lines in FARTHER_LINES:
        yield x, top - gap - plate_wh[1] - round(lines * sizes.title_height)
        yield x, bottom + gap + round(lines * sizes.title_height)


def _rectangle(plate: _Plate, corner: tuple[int, int]) -> Rectangle:
    return (*corner, corner[0] + plate.size_wh[0], corner[1] + plate.size_wh[1])


def _draw_leader(canvas: UInt8Array, face: FaceEmotion, plate: Rectangle, sizes: _Sizes) -> None:
    """Join a plate that lies apart from its face to it by a line."""
    box = _whole(face)
    (start_x, end_x), (start_y, end_y) = (
        _nearest((box[axis], box[axis + 2]), (plate[axis], plate[axis + 2])) for axis in (0, 1)
    )
    if max(abs(start_x - end_x), abs(start_y - end_y)) > 4 * sizes.line:
        ends = ((start_x, start_y), (end_x, end_y))
        cv2.line(canvas, *ends, _HALO, 2 * sizes.line + 2, cv2.LINE_AA)
        cv2.line(canvas, *ends, COLOURS_BGR[face.label], sizes.line, cv2.LINE_AA)


def _nearest(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Return the points of two spans that are nearest; the middle of what both cover.

    >>> _nearest((0, 10), (14, 20)), _nearest((0, 10), (4, 20))
    ((10, 14), (7, 7))
    """
    low, high = max(one[0], other[0]), min(one[1], other[1])
    if low <= high:
        return (low + high) // 2, (low + high) // 2
    return (high, low) if one[1] < other[0] else (low, high)


def _draw_legend(
    canvas: UInt8Array, labels: list[str], taken: list[Rectangle], sizes: _Sizes
) -> None:
    """Write what the colours mean into the corner of the picture where it covers least."""
    pad, row = sizes.pad, sizes.row_height
    width = 3 * pad + sizes.small + max(text_width(label, sizes.small) for label in labels)
    height = 2 * pad + len(labels) * row
    right, bottom = max(0, canvas.shape[1] - width), max(0, canvas.shape[0] - height)
    x, y = min(
        ((x, y) for y in (bottom, 0) for x in (0, right)),
        key=lambda corner: _covered((*corner, corner[0] + width, corner[1] + height), taken),
    )
    panel = canvas[y : y + height, x : x + width]
    cv2.addWeighted(
        panel, _PANEL_SHADE, np.full_like(panel, _PANEL_COLOUR), 1 - _PANEL_SHADE, 0, panel
    )
    for number, label in enumerate(labels):
        top = y + pad + number * row
        corner = (x + pad + sizes.small - 1, top + sizes.small - 1)
        cv2.rectangle(canvas, (x + pad, top), corner, COLOURS_BGR[label], -1)
        draw_text(canvas, label, (x + 2 * pad + sizes.small, top), sizes.small, _INK)


def _covered(rectangle: Rectangle, taken: list[Rectangle]) -> int:
    """Return how many pixels of what is drawn already *rectangle* would cover."""
    left, top, right, bottom = rectangle
    return sum(
        max(0, min(right, other[2]) - max(left, other[0]))
        * max(0, min(bottom, other[3]) - max(top, other[1]))
        for other in taken
    )


def _draw_box(canvas: UInt8Array, face: FaceEmotion, box: Rectangle, sizes: _Sizes) -> None:
    """Draw the box with strong corners on a dark rim, so that it shows on any ground."""
    left, top, right, bottom = box
    colour, line = COLOURS_BGR[face.label], sizes.line
    reach = max(4, min(right - left, bottom - top) // 5)
    corners = [
        np.array([(x, y + step_y), (x, y), (x + step_x, y)], np.int32)
        for x, step_x in ((left, reach), (right - 1, -reach))
        for y, step_y in ((top, reach), (bottom - 1, -reach))
    ]
    if bottom - top < TITLE_TEXTS * sizes.text:
        cv2.polylines(canvas, corners, False, _HALO, line + 2, cv2.LINE_AA)
        cv2.polylines(canvas, corners, False, colour, max(1, line), cv2.LINE_AA)
        return
    cv2.polylines(canvas, corners, False, _HALO, 3 * line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colour, line, cv2.LINE_AA)
    cv2.polylines(canvas, corners, False, colour, 3 * line, cv2.LINE_AA)
    if bottom - top < FULL_PLATE_TEXTS * sizes.text:
        return
    for x, y in face.landmarks[np.isfinite(face.landmarks).all(axis=1)]:
        centre = (round(16 * float(x)), round(16 * float(y)))
        cv2.circle(canvas, centre, 16 * line + 24, _HALO, -1, cv2.LINE_AA, shift=4)
        cv2.circle(canvas, centre, 16 * line + 8, colour, -1, cv2.LINE_AA, shift=4)


def _draw_plate(
    canvas: UInt8Array,
    face: FaceEmotion,
    labels: tuple[str, ...],
    plate: _Plate,
    corner: tuple[int, int],
    sizes: _Sizes,
) -> None:
    (x, y), (width, height), pad = corner, plate.size_wh, sizes.pad
    colour = COLOURS_BGR[face.label]
    base = y + sizes.title_height
    if height > sizes.title_height:
        panel = canvas[base : y + height, x : x + width]
        cv2.addWeighted(
            panel, _PANEL_SHADE, np.full_like(panel, _PANEL_COLOUR), 1 - _PANEL_SHADE, 0, panel
        )
    cv2.rectangle(canvas, (x, y), (x + width - 1, base - 1), colour, -1)
    draw_text(canvas, plate.title, (x + pad, y + pad), sizes.text, text_colour(colour))
    base += pad
    if plate.reasons:
        draw_text(canvas, plate.reasons, (x + pad, base), sizes.small, _WARNING_INK)
        base += sizes.row_height
    if plate.bars:
        _draw_bars(canvas, face, labels, (x + pad, base), width - 2 * pad, sizes)


def _draw_bars(
    canvas: UInt8Array,
    face: FaceEmotion,
    labels: tuple[str, ...],
    corner: tuple[int, int],
    width: int,
    sizes: _Sizes,
) -> None:
    """Draw the likeliest classes: name, bar and percent, *width* pixels in all."""
    x, y = corner
    start = x + _name_width(labels, sizes) + sizes.pad
    full = x + width - _number_width(sizes) - sizes.pad - start
    for index in np.argsort(-face.probabilities, kind='stable')[:BARS]:
        probability, bottom = float(face.probabilities[index]), y + sizes.small - 1
        draw_text(canvas, labels[index], (x, y), sizes.small, _INK)
        cv2.rectangle(canvas, (start, y), (start + full - 1, bottom), _TRACK, -1)
        filled = round(full * probability)
        if filled:
            colour = COLOURS_BGR[labels[index]]
            cv2.rectangle(canvas, (start, y), (start + filled - 1, bottom), colour, -1)
        number = f'{100 * probability:.0f}'
        number_x = x + width - text_width(number, sizes.small)
        draw_text(canvas, number, (number_x, y), sizes.small, _INK)
        y += sizes.row_height
