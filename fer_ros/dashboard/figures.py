# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurements of a model card, plots on the page, and the page's icon."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import streamlit as st

from fer_ros.drawing.plot_style import COLOURS


def find_measurements(about: Any, title: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, measurement) for all that is measured in a model card's ``about``.

    A measurement is what ``fer evaluate dataset --json`` prints, or part of it: it has an accuracy;
    a confusion matrix with its labels, and ``robustness``, may lie beside it.
    """
    if not isinstance(about, dict):
        return
    if isinstance(about.get('accuracy'), float):
        yield title or 'Measured', about
        return
    for key, value in about.items():
        name = str(key).replace('_', ' ')
        yield from find_measurements(value, f'{title}, {name}' if title else name.capitalize())


@lru_cache(maxsize=1)
def icon() -> Any:
    """Return the page's icon as a Pillow image; Streamlit's own come from the internet."""
    from PIL import Image

    picture = np.zeros((64, 64, 4), np.uint8)
    face = tuple(int(COLOURS['happy'][i : i + 2], 16) for i in (1, 3, 5))
    cv2.circle(picture, (32, 32), 29, (*face, 255), -1, cv2.LINE_AA)
    for x in (22, 42):
        cv2.circle(picture, (x, 26), 4, (20, 20, 20, 255), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (32, 34), (15, 14), 0, 15, 165, (20, 20, 20, 255), 4, cv2.LINE_AA)
    return Image.fromarray(picture)


def show_plot(svg: str) -> None:
    """Show a plot in the colour of the page's text, whichever theme the viewer has.

    Args:
        svg: an ``<svg>`` element.
    """
    ink = '#fafafa' if st.context.theme.type == 'dark' else '#31333f'
    st.image(svg.replace('currentColor', ink), width='stretch')
