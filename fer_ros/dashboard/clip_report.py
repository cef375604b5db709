# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A clip's people as lanes with thumbnails and curves, on the page and as a report in one file."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.dashboard.clip import Clip, Person
from fer_ros.drawing.plot_style import COLOURS
from fer_ros.evaluation.html_report import STYLE, html_table

MAX_PEOPLE = 20
MAX_POINTS = 600
"""Of a curve: more than the screen has columns for."""

GAP_S = 1.0
"""Somebody who was not seen for so long has a gap in their curves."""

FLAT = 0.05
"""A class that never has so much probability has no curve."""

LANE_STYLE = Path(__file__).with_name('clip.css').read_text(encoding='utf-8')


def lanes_html(clip: Clip) -> str:
    """Return a lane for each of the people seen longest, a scale in seconds, and a legend."""
    labels = clip.frames[0].labels
    shown = sorted(clip.longest_seen[:MAX_PEOPLE], key=lambda person: person.track_id)
    lanes = [_lane(person, labels, clip.length_s) for person in shown]
    ticks = ''.join(f'<span>{clip.length_s * share:.1f} s</span>' for share in (0, 0.5, 1))
    keys = ''.join(
        f'<span><i style="background:{COLOURS[label]}"></i>{html.escape(label)}</span>'
        for label in labels
    )
    more = len(clip.people) - len(shown)
    left_out = f'<p>{more} more people were in view for a shorter time.</p>' if more else ''
    return (
        f'{"".join(lanes)}<div class="fer-ticks">{ticks}</div>'
        f'<div class="fer-keys">{keys}</div>{left_out}'
    )


def report_html(clip: Clip) -> str:
    """Return a page about the clip that needs no other file."""
    title = html.escape(clip.name)
    people = [
        [person.track_id, person.stamps_s[0], person.stamps_s[-1], len(person.stamps_s),
         _shares(person, len(person.labels))]
        for person in clip.longest_seen
    ]  # fmt: skip
    overview: list[list[Any]] = [
        ['model', clip.model],
        ['length (s)', clip.length_s],
        ['frames', len(clip.frames)],
        ['people', len(clip.people)],
        ['share of frames without a face', np.mean([not frame.faces for frame in clip.frames])],
    ]
    remarks = ''.join(f'<p>{html.escape(remark)}</p>' for remark in clip.remarks)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><style>{STYLE}{LANE_STYLE}</style><h1>{title}</h1>'
        f'{html_table(("", ""), overview)}{remarks}<h2>Who looked how, and when</h2>'
        f'<div class="fer-lanes">{lanes_html(clip)}</div><h2>People</h2>'
        f'{html_table(("person", "from (s)", "to (s)", "frames", "labels"), people)}</html>\n'
    )


def _lane(person: Person, labels: Sequence[str], length_s: float) -> str:
    picture = base64.b64encode(person.thumbnail).decode()
    return (
        f'<div class="fer-lane"><img alt="" src="data:image/jpeg;base64,{picture}">'
        f'<div><b>person {person.track_id}</b> {_shares(person, 2)}</div>'
        f'<div class="fer-curve"><svg viewBox="0 0 1000 100" preserveAspectRatio="none" '
        f'role="img" aria-label="probabilities of person {person.track_id} over time">'
        f'{"".join(_curves(person, labels, length_s))}</svg></div></div>'
    )


def _shares(person: Person, most: int) -> str:
    total = person.labels.total()
    return ', '.join(f'{label} {n / total:.0%}' for label, n in person.labels.most_common(most))


def _curves(person: Person, labels: Sequence[str], length_s: float) -> Iterator[str]:
    """Yield each class's probability as lines in a picture of 1000 x 100, 1 at the top."""
    step = -(-len(person.rows) // MAX_POINTS)
    stamps_s, shares = np.array(person.stamps_s)[::step], np.array(person.rows)[::step]
    x = 1000 * stamps_s / max(length_s, 1e-3)
    stays = np.split(np.arange(len(x)), np.flatnonzero(np.diff(stamps_s) > GAP_S) + 1)
    for column, label in enumerate(labels):
        if shares[:, column].max() < FLAT:
            continue
        y = 100 * (1 - shares[:, column])
        for stay in stays:
            points = ' '.join(f'{x[n]:.1f},{y[n]:.1f}' for n in stay)
            yield f'<polyline points="{points}" stroke="{COLOURS[label]}"/>'
