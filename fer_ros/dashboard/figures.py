# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of measurements, as PNG, in the house's style."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

import cv2
import numpy as np

from fer_ros.drawing.plot_style import COLOURS, SEQUENTIAL, plot_style

_DRAWING = Lock()
"""Matplotlib is not made for two threads at once, and every viewer has one."""


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


def confusion_png(matrix: list[list[int]], labels: list[str]) -> bytes:
    """Return a confusion matrix (rows are the target) in percent of its rows."""
    return _confusion_png(json.dumps(matrix), tuple(labels))


@lru_cache(maxsize=32)
def _confusion_png(matrix_json: str, labels: tuple[str, ...]) -> bytes:
    counts = np.array(json.loads(matrix_json), np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    with _DRAWING, plot_style():
        figure = _new_figure((5.6, 5.0))
        axis = figure.add_subplot()
        axis.grid(False)
        axis.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            colour = 'black' if share > 0.5 else 'white'
            axis.text(column, row, f'{100 * share:.0f}', ha='center', va='center', color=colour)
        axis.set_xticks(range(len(labels)), labels, rotation=40, ha='right')
        axis.set_yticks(range(len(labels)), labels)
        axis.set_xlabel('prediction')
        axis.set_ylabel('target')
        return _to_png(figure)


def robustness_png(conditions: dict[str, dict[str, Any]], clean: float | None) -> bytes:
    """Return the accuracy under each condition as bars, and the clean one as a line."""
    pairs = tuple((name, float(found['accuracy'] or 0.0)) for name, found in conditions.items())
    return _robustness_png(pairs, clean)


@lru_cache(maxsize=32)
def _robustness_png(pairs: tuple[tuple[str, float], ...], clean: float | None) -> bytes:
    with _DRAWING, plot_style():
        figure = _new_figure((5.6, 5.0))
        axis = figure.add_subplot()
        names = [name.replace('_', ' ') for name, _ in pairs]
        axis.barh(names, [100 * accuracy for _, accuracy in pairs], color=COLOURS['sad'])
        if clean is not None:
            axis.axvline(100 * clean, color=COLOURS['angry'], linewidth=1.5)
        axis.invert_yaxis()
        axis.grid(axis='y', visible=False)
        axis.set_xlim(0, 100)
        axis.set_xlabel('accuracy in percent')
        return _to_png(figure)


def timeline_png(
    stamps_s: list[float],
    probabilities: np.ndarray,
    labels: tuple[str, ...],
    title: str,
    end_s: float,
) -> bytes:
    """Return one person's probabilities over time, float (T, C), as lines from 0 to *end_s*."""
    with _DRAWING, plot_style():
        figure = _new_figure((9.0, 2.6))
        axis = figure.add_subplot()
        for column, label in enumerate(labels):
            axis.plot(stamps_s, probabilities[:, column], color=COLOURS[label], label=label)
        axis.set_xlim(0, max(end_s, 1e-3))
        axis.set_ylim(0, 1.02)
        axis.set_xlabel('seconds')
        axis.set_title(title)
        axis.legend(loc='center left', bbox_to_anchor=(1.0, 0.5), fontsize=8)
        return _to_png(figure)


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


def _new_figure(size: tuple[float, float]) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=size)


def _to_png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format='png')
    return stream.getvalue()
