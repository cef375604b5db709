# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording's evaluation as JSON, csv and a page with a timeline; the same bytes every time."""

from __future__ import annotations

import csv
import html
import io
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.bag_labels import EVERYBODY
from fer_ros.drawing.plot_style import COLOURS, plot_svg
from fer_ros.evaluation.bag import BagEvaluation, summarize
from fer_ros.evaluation.html_report import STYLE, confusion_svg, html_table
from fer_ros.labels import UNKNOWN
from fer_ros.messages.json_lines import to_json

MAX_PEOPLE = 40
"""Rows of the timeline: those seen longest."""


def write_results(evaluation: BagEvaluation, folder: Path) -> dict[str, Any]:
    """Write results.json, faces.csv and report.html; return the figures of results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = summarize(evaluation)
    (folder / 'results.json').write_text(to_json(facts, indent=2) + '\n', encoding='utf-8')
    (folder / 'faces.csv').write_text(faces_csv(evaluation), encoding='utf-8')
    page = report_html(evaluation, facts)
    (folder / 'report.html').write_text(page, encoding='utf-8', errors='replace')
    return facts


def faces_csv(evaluation: BagEvaluation) -> str:
    """Return one line per face and frame; a frame without a face has a line without a face."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator='\n')
    writer.writerow(
        ['frame', 'stamp_s', 'track_id', 'left_px', 'top_px', 'right_px', 'bottom_px', 'label',
         'confidence', 'quality',
         *(f'p_{label}' for label in evaluation.labels),
         *(f'raw_{label}' for label in evaluation.labels)]
    )  # fmt: skip
    for number, frame in enumerate(evaluation.frames):
        start = [number, f'{frame.stamp_s:.6f}']
        if not frame.faces:
            writer.writerow(start)
        for face in frame.faces:
            numbers = (*face.probabilities, *face.raw_probabilities)
            writer.writerow(
                [*start, face.track_id, *(f'{n:.2f}' for n in face.box_xyxy), face.label,
                 f'{face.confidence:.6f}', ' '.join(face.quality),
                 *(f'{n:.6f}' for n in numbers)]
            )  # fmt: skip
    return stream.getvalue()


def report_html(evaluation: BagEvaluation, facts: dict[str, Any]) -> str:
    """Return the page; pictures are inside it, so that it can be sent as one file."""
    title = f'{evaluation.name}: {evaluation.topic}'
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style><h1>{html.escape(title)}</h1>',
        html_table(('', ''), _overview(facts)),
        *_problems(facts),
        f'<h2>Who looked how, and when</h2><div class="wide">{_timeline(evaluation)}</div>',
        '<h2>People</h2>',
        html_table(
            ('person', 'from (s)', 'to (s)', 'images', 'on the whole'),
            [
                [p['track_id'], p['first_s'], p['last_s'], p['images'], p['label']]
                for p in facts['persons']
            ],
        ),
    ]
    if evaluation.spans:
        parts += [
            '<h2>Against the labels</h2>',
            html_table(
                ('', 'count', 'accuracy', 'balanced accuracy', 'calibration error'),
                [
                    [name, *(facts[key][figure] for figure in _FIGURES)]
                    for name, key in _LEVELS.items()
                ],
            ),
            confusion_svg(np.array(facts['frames']['confusion_matrix']), tuple(facts['labels'])),
        ]
    if facts['switches']:
        parts += [
            '<h2>Changes of expression: seconds until the prediction follows</h2>',
            html_table(
                ('at (s)', 'from', 'to', 'this frame alone', 'smoothed'),
                [
                    [s['at_s'], s['from'], s['to'], s['raw_s'], s['smoothed_s']]
                    for s in facts['switches']
                ],
            ),
        ]
    return ''.join([*parts, '</html>\n'])


def _problems(facts: dict[str, Any]) -> list[str]:
    """Return what is wrong with the recording and its images, where something is."""
    reasons = [[count, reason] for reason, count in facts['bad_image_reasons'].items()]
    remarks = ''.join(f'<p>{html.escape(remark)}</p>' for remark in facts['remarks'])
    table = html_table(('images', 'why they could not be read'), reasons) if reasons else ''
    return [f'<h2>Problems</h2>{remarks}{table}'] if remarks or table else []


_FIGURES = ('count', 'accuracy', 'balanced_accuracy', 'expected_calibration_error')
_LEVELS = {
    'faces, smoothed': 'frames',
    'faces, each frame alone': 'frames_unsmoothed',
    'people': 'people',
    'spans of time': 'spans',
}


def _overview(facts: dict[str, Any]) -> list[list[Any]]:
    return [
        ['model', facts['model']],
        ['length (s)', facts['seconds']],
        ['images', facts['images']],
        ['images that could not be read', facts['bad_images']],
        ['faces', facts['faces']],
        ['people', len(facts['persons'])],
        ['share of time without a face', facts['share_of_time_without_face']],
        ['share of face time labelled unknown', facts['share_of_face_time_unknown']],
    ]


def _timeline(evaluation: BagEvaluation) -> str:
    """Draw a row per person, coloured by label, and the target above them."""
    bars = _bars(evaluation)
    names = sorted(bars, key=lambda name: (name != 'target', len(name), name))
    count = max(len(names), 1)

    def draw(axis: Any) -> None:
        from matplotlib.patches import Patch

        for row, name in enumerate(names):
            for label in sorted({label for *_, label in bars[name]}):
                pieces = [(start, length) for start, length, own in bars[name] if own == label]
                axis.broken_barh(pieces, (row - 0.4, 0.8), color=COLOURS[label])
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(count - 0.5, -0.5)
        axis.set_xlim(0, max(float(evaluation.durations_s().sum()), 1e-3))
        axis.set_xlabel('seconds')
        shown = [*evaluation.labels, UNKNOWN]
        axis.legend(
            handles=[Patch(color=COLOURS[label], label=label) for label in shown],
            ncols=5,
            loc='lower center',
            bbox_to_anchor=(0.5, 1.0),
            fontsize=8,
        )

    return plot_svg(draw, (9, 1.2 + 0.32 * count))


def _bars(evaluation: BagEvaluation) -> dict[str, list[tuple[float, float, str]]]:
    """Return {row: [(start, length, label)]} in seconds."""
    people: dict[int, list[tuple[float, float, str]]] = {}
    durations_s = evaluation.durations_s()
    for frame, duration_s in zip(evaluation.frames, durations_s):
        for face in frame.faces:
            pieces = people.setdefault(face.track_id, [])
            pieces.append((frame.stamp_s, float(duration_s), face.label))
    longest = sorted(people, key=lambda key: (-len(people[key]), key))[:MAX_PEOPLE]
    bars = {f'person {key}': people[key] for key in longest}
    end_s = float(durations_s.sum())
    for span in evaluation.spans:
        name = 'target' if span.track_id == EVERYBODY else f'target of {span.track_id}'
        piece = (span.start_s, min(span.end_s, end_s) - span.start_s, span.label)
        bars.setdefault(name, []).append(piece)
    return bars
