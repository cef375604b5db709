# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One look for every plot: the class colours of the annotated images, and little ink besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw everything inside the block in the house's style; files need no display."""
    import matplotlib

    matplotlib.use('Agg')
    with matplotlib.rc_context(STYLE):
        yield
