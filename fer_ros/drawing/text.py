# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Smooth text in any size from OpenCV's stroke font, kept once drawn."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from fer_ros.types import UInt8Array

Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL_PX = 21
"""Height of a capital of OpenCV's stroke font at scale 1."""
_OVERSAMPLING = 4
_STROKE = 0.145
"""Width of a stroke as a share of a capital's height."""


@lru_cache(maxsize=1024)
def text_mask(text: str, capital_px: int) -> UInt8Array:
    """Return how much of each pixel *text* covers.

    Args:
        text: printable ASCII; others are drawn as question marks.
        capital_px: height of a capital in pixels.

    Returns:
        uint8 (H, W), 0 to 255, read-only; H is 1.4 times *capital_px*, with room for descenders.
    """
    text = text.encode('ascii', 'replace').decode()
    big = capital_px * _OVERSAMPLING
    scale, stroke = big / _CAPITAL_PX, max(1, round(_STROKE * big))
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, stroke)
    pad = -(-stroke // (2 * _OVERSAMPLING)) * _OVERSAMPLING
    height = round(1.4 * capital_px)
    columns = -(-(width + 2 * pad) // _OVERSAMPLING)
    canvas = np.zeros((height * _OVERSAMPLING, columns * _OVERSAMPLING), np.uint8)
    cv2.putText(canvas, text, (pad, big + pad // 2), _FONT, scale, 255, stroke, cv2.LINE_AA)
    mask = cv2.resize(canvas, (columns, height), interpolation=cv2.INTER_AREA)
    mask.setflags(write=False)
    return mask


def text_width(text: str, capital_px: int) -> int:
    """Return how many pixels wide *text* is."""
    return int(text_mask(text, capital_px).shape[1])


def draw_text(
    canvas: UInt8Array, text: str, corner_xy: tuple[int, int], capital_px: int, colour: Colour
) -> None:
    """Write *text* into *canvas*, uint8 (H, W, 3); what lies outside is cut off.

    Args:
        canvas: is changed.
        text: see text_mask.
        corner_xy: left edge, and top edge of the capitals, in pixels.
        capital_px: height of a capital in pixels.
        colour: blue, green, red.
    """
    x, y = corner_xy
    mask = text_mask(text, capital_px)
    top, left = max(0, -y), max(0, -x)
    mask = mask[top : canvas.shape[0] - y, left : canvas.shape[1] - x]
    if not mask.size:
        return
    patch = canvas[y + top : y + top + mask.shape[0], x + left : x + left + mask.shape[1]]
    cover = mask[..., None].astype(np.uint16)
    patch[:] = (patch * (255 - cover) + np.array(colour, np.uint16) * cover + 127) // 255


def text_colour(background: Colour) -> Colour:
    """Return black or white, whichever stands out more on *background* (blue, green, red)."""
    black, white = (0, 0, 0), (255, 255, 255)
    return max(black, white, key=lambda colour: contrast_ratio(colour, background))


def contrast_ratio(first: Colour, second: Colour) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, 1 to 21."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [n / 255 / 12.92 if n <= 10 else ((n / 255 + 0.055) / 1.055) ** 2.4 for n in colour]
    return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]
