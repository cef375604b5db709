# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what a frame says, on a copy, for people to look at."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.labels import EMOTIONS, UNKNOWN
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array

Colour = tuple[int, int, int]

COLOURS_BGR: dict[str, Colour] = {
    'angry': (0, 94, 213),
    'disgust': (115, 158, 0),
    'fear': (167, 121, 204),
    'happy': (66, 228, 240),
    'sad': (178, 114, 0),
    'surprise': (0, 159, 230),
    'neutral': (233, 180, 86),
    'contempt': (187, 153, 136),
    UNKNOWN: (150, 150, 150),
}
"""Okabe and Ito's palette, which people with colour blindness can tell apart; grey is unsure."""

FONT = cv2.FONT_HERSHEY_DUPLEX
BARS = 3


def annotate(image: UInt8Array, frame: FrameEmotions, pixelate_faces: bool = False) -> UInt8Array:
    """Return a copy of *image* with everybody's box, id, label and most likely emotions.

    Args:
        image: uint8 (H, W, 3) BGR that *frame* was made from.
        frame: what is drawn.
        pixelate_faces: make faces unrecognisable.
    """
    canvas = image.copy()
    if pixelate_faces:
        for face in frame.faces:
            _pixelate(canvas, face)
    for face in frame.faces:
        _draw_face(canvas, face, frame.labels)
    return canvas


def _pixelate(canvas: UInt8Array, face: FaceEmotion) -> None:
    left, top, right, bottom = face.box_xyxy.round().astype(int)
    patch = canvas[top:bottom, left:right]
    if patch.size:
        coarse = cv2.resize(patch, (8, 8), interpolation=cv2.INTER_AREA)
        patch[:] = cv2.resize(coarse, patch.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def _draw_face(canvas: UInt8Array, face: FaceEmotion, labels: tuple[str, ...]) -> None:
    height = canvas.shape[0]
    line = max(1, round(height / 240))
    scale = max(0.4, height / 900)
    colour = COLOURS_BGR[face.label]
    left, top, right, bottom = (int(n) for n in face.box_xyxy.round())
    _draw_corners(canvas, (left, top, right, bottom), colour, line)
    for x, y in face.landmarks[np.isfinite(face.landmarks).all(axis=1)]:
        cv2.circle(canvas, (round(float(x)), round(float(y))), line, colour, -1, cv2.LINE_AA)
    title = f'{face.track_id} {face.label}'
    if face.label != UNKNOWN:
        title += f' {face.confidence:.0%}'
    if face.quality:
        title += f' ({", ".join(face.quality).replace("_", " ")})'
    _draw_tag(canvas, title, (left, top), colour, scale)
    _draw_bars(canvas, face, labels, (left, bottom + 2 * line), scale)


def _draw_corners(
    canvas: UInt8Array, box: tuple[int, int, int, int], colour: Colour, line: int
) -> None:
    left, top, right, bottom = box
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colour, line, cv2.LINE_AA)
    reach = max(4, (right - left) // 6)
    for x, step_x in ((left, reach), (right - 1, -reach)):
        for y, step_y in ((top, reach), (bottom - 1, -reach)):
            cv2.line(canvas, (x, y), (x + step_x, y), colour, 3 * line, cv2.LINE_AA)
            cv2.line(canvas, (x, y), (x, y + step_y), colour, 3 * line, cv2.LINE_AA)


def _text_colour(background: Colour) -> Colour:
    blue, green, red = background
    return (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 128 else (255, 255, 255)


def _draw_tag(
    canvas: UInt8Array, text: str, corner: tuple[int, int], colour: Colour, scale: float
) -> None:
    """Write *text* on a filled tag above *corner*, moved so that it stays in the picture."""
    (width, height), descent = cv2.getTextSize(text, FONT, scale, 1)
    pad = max(2, round(6 * scale))
    full_width, full_height = width + 2 * pad, height + descent + pad
    x = max(0, min(corner[0], canvas.shape[1] - full_width))
    y = max(0, corner[1] - full_height)
    cv2.rectangle(canvas, (x, y), (x + full_width, y + full_height), colour, -1)
    place = (x + pad, y + height + pad // 2)
    cv2.putText(canvas, text, place, FONT, scale, _text_colour(colour), 1, cv2.LINE_AA)


def _draw_bars(
    canvas: UInt8Array,
    face: FaceEmotion,
    labels: tuple[str, ...],
    corner: tuple[int, int],
    scale: float,
) -> None:
    """Draw the likeliest classes as bars under the face, or inside it where there is no room."""
    small = 0.8 * scale
    (text_width, text_height), descent = cv2.getTextSize(max(EMOTIONS, key=len), FONT, small, 1)
    row = text_height + descent + max(2, round(4 * scale))
    bar_px = max(24, round(110 * scale))
    width, height = text_width + bar_px + round(16 * scale), BARS * row + round(6 * scale)
    x = max(0, min(corner[0], canvas.shape[1] - width))
    y = max(0, min(corner[1], canvas.shape[0] - height))
    panel = canvas[y : y + height, x : x + width]
    panel[:] = (panel * 0.35).astype(np.uint8)
    for rank, index in enumerate(np.argsort(-face.probabilities, kind='stable')[:BARS]):
        base = y + (rank + 1) * row - descent
        start = x + text_width + round(10 * scale)
        filled = round(bar_px * float(face.probabilities[index]))
        label = labels[index]
        cv2.putText(
            canvas,
            label,
            (x + round(4 * scale), base),
            FONT,
            small,
            (255, 255, 255),
            1,
            cv2.LINE_AA,
        )
        cv2.rectangle(canvas, (start, base - text_height), (start + bar_px, base), (90, 90, 90), 1)
        cv2.rectangle(
            canvas, (start, base - text_height), (start + filled, base), COLOURS_BGR[label], -1
        )
