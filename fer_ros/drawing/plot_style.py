# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One look for every plot: the class colours of the annotated images, and little ink besides."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from fer_ros.drawing.annotation import COLOURS_BGR


class HexPalette(dict[str, str]):
    """Colours of classes, '#rrggbb'."""

    def __missing__(self, label: str) -> str:
        """Return the colour that annotated images give *label*."""
        blue, green, red = COLOURS_BGR[label]
        return f'#{red:02x}{green:02x}{blue:02x}'


_COLOURS = HexPalette()
COLOURS = HexPalette({label: _COLOURS[label] for label in COLOURS_BGR})
"""Label to '#rrggbb', the same as in the annotated images."""

SEQUENTIAL = 'cividis'
"""Colour map for shares, such as a confusion matrix; readable with colour blindness and in grey."""

STYLE: dict[str, object] = {
    'figure.dpi': 120,
    'figure.constrained_layout.use': True,
    'savefig.dpi': 160,
    'font.size': 10,
    'axes.titlesize': 12,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': '#d9d9d9',
    'grid.linewidth': 0.6,
    'lines.linewidth': 1.8,
    'legend.frameon': False,
    'svg.hashsalt': 'fer_ros',
}

_INK = '#010203'
"""Stands for the colour of the text around a plot until the plot is SVG."""

_PAGE_STYLE: dict[str, object] = {
    **dict.fromkeys(
        ('text.color', 'axes.edgecolor', 'axes.labelcolor', 'xtick.color', 'ytick.color'), _INK
    ),
    'grid.color': '#80808055',
    'figure.dpi': 72,
}
_DRAWING = Lock()
"""Matplotlib is not made for two threads at once, and a page has one for every viewer."""


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw everything inside the block in the house's style; files need no display."""
    import matplotlib

    matplotlib.use('Agg')
    with matplotlib.rc_context(STYLE):
        yield


def plot_svg(draw: Callable[[Any], None], size: tuple[float, float]) -> str:
    """Return what *draw* puts on a Matplotlib axis as an ``<svg>`` element.

    Text and lines have the colour of the text around it, and there is no ground: it fits a light
    page as well as a dark one. The same plot is the same text, whatever Matplotlib's version.

    Args:
        draw: draws on the axis that it gets.
        size: width and height in inches.
    """
    stream = io.StringIO()
    with _DRAWING, plot_style():
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context(_PAGE_STYLE):
            figure = Figure(figsize=size)
            draw(figure.add_subplot())
            figure.savefig(
                stream, format='svg', transparent=True, metadata={'Date': None, 'Creator': None}
            )
    text = stream.getvalue()
    return text[text.index('<svg') :].replace(_INK, 'currentColor')
