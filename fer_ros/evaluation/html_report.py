# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A DatasetReport as a page with plots; matplotlib is loaded only here."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_ros.drawing.plot_style import COLOURS, SEQUENTIAL, plot_svg
from fer_ros.messages.json_lines import to_json

if TYPE_CHECKING:
    from fer_ros.evaluation.dataset import DatasetReport

STYLE = (
    ':root{color-scheme:light dark}'
    'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}'
    'h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}'
    'table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto;'
    'font-variant-numeric:tabular-nums}td,th{padding:.25rem .8rem;text-align:right;'
    'border-bottom:1px solid #8884}th{font-weight:600}'
    'td:first-child,th:first-child{text-align:left}'
    'svg{max-width:100%;height:auto}'
    '@media(max-width:40rem){.wide{overflow-x:auto}.wide svg{max-width:none}}'
)
"""Of every report's page."""


REPORT_FILES = ('index.html', 'report.json')


def draw_confusion(axis: Any, matrix: np.ndarray, labels: tuple[str, ...]) -> None:
    """Draw a confusion matrix: colour is the share of the row, figures are counts."""
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    axis.grid(visible=False)
    axis.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1)
    for row in range(len(labels)):
        for column in range(len(labels)):
            axis.text(
                column,
                row,
                str(matrix[row, column]),
                ha='center',
                va='center',
                fontsize=8,
                color='black' if shares[row, column] > 0.5 else 'white',
            )
    axis.set_xticks(range(len(labels)), labels, rotation=40, ha='right')
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel('prediction')
    axis.set_ylabel('target')


def draw_reliability(axis: Any, rows: list[dict[str, float]]) -> None:
    """Draw accuracy against confidence; the diagonal is perfect calibration.

    A bin's point is as large as its share of faces, for a bin of one face says nothing.
    """
    axis.plot([0, 1], [0, 1], '--', color='grey', linewidth=1)
    confidence, accuracy = ([row[name] for row in rows] for name in ('confidence', 'accuracy'))
    axis.plot(confidence, accuracy, '-', color=COLOURS['sad'], linewidth=0.8)
    faces = sum(row['count'] for row in rows)
    sizes = [4 + 800 * row['count'] / faces for row in rows]
    axis.scatter(confidence, accuracy, sizes, color=COLOURS['sad'], clip_on=False)
    axis.set_xlabel('confidence (area: share of faces)')
    axis.set_ylabel('accuracy')
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)


def draw_coverage(axis: Any, rows: list[dict[str, float | None]]) -> None:
    """Draw accuracy against the share of faces above the threshold."""
    known = [row for row in rows if row['accuracy'] is not None]
    axis.plot(
        [row['coverage'] for row in known],
        [row['accuracy'] for row in known],
        'o-',
        color=COLOURS['sad'],
    )
    axis.set_xlabel('share of faces above the threshold')
    axis.set_ylabel('their accuracy')


def draw_robustness(axis: Any, rows: dict[str, dict[str, Any]], clean: float | None) -> None:
    """Draw the accuracy under each condition as a bar, clean as a line."""
    names = [name.replace('_', ' ') for name in rows]
    axis.barh(names, [row['accuracy'] or 0.0 for row in rows.values()], color=COLOURS['sad'])
    if clean is not None:
        axis.axvline(clean, color=COLOURS['angry'], linewidth=1.5)
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.grid(axis='y', visible=False)
    axis.set_xlabel('accuracy (line: clean)')


def html_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return an HTML table; floats with up to four digits, None in words."""

    def cell(value: Any) -> str:
        if value is None:
            return 'not defined'
        return f'{value:.4g}' if isinstance(value, float) else html.escape(str(value))

    lines = ['<table><tr>' + ''.join(f'<th>{html.escape(name)}</th>' for name in head) + '</tr>']
    lines += ['<tr>' + ''.join(f'<td>{cell(v)}</td>' for v in row) + '</tr>' for row in rows]
    return ''.join(lines) + '</table>'


def confusion_svg(matrix: np.ndarray, labels: tuple[str, ...]) -> str:
    """Return a confusion matrix, int (C, C), as an ``<svg>`` element."""
    return plot_svg(lambda axis: draw_confusion(axis, matrix, labels), (6, 5.5))


def robustness_svg(rows: dict[str, dict[str, Any]], clean: float | None) -> str:
    """Return the accuracy under each condition as an ``<svg>`` element."""
    return plot_svg(lambda axis: draw_robustness(axis, rows, clean), (6, 4))


def write_report(report: DatasetReport, folder: Path) -> Path:
    """Write index.html and report.json into *folder*; return the page's path.

    The plots are inside the page, so that it can be sent as one file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = report.to_dict()
    (folder / 'report.json').write_text(to_json(facts, indent=2) + '\n', encoding='utf-8')
    page = folder / 'index.html'
    page.write_text(_page(facts), encoding='utf-8')
    return page


def _page(facts: dict[str, Any]) -> str:
    """Return the page's HTML."""
    title = f'{facts["model"]} on {facts["dataset"]}, {facts["split"]}, {facts["targets"]} labels'
    fresh, unknown = facts['without_faces_seen_in_training'], facts['at_unknown_threshold']
    most_votes = []
    if agreed := facts['where_most_votes_agree']:
        most_votes = [
            ('accuracy where most votes say the same', agreed['accuracy']),
            ('faces of which they do', agreed['count']),
        ]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style><h1>{html.escape(title)}</h1>',
        html_table(
            ('figure', 'value'),
            [
                ('faces', facts['count']),
                ('accuracy', facts['accuracy']),
                ('balanced accuracy', facts['balanced_accuracy']),
                ('expected calibration error', facts['expected_calibration_error']),
                ('accuracy without faces that occur in training', fresh['accuracy']),
                ('faces left then', fresh['count']),
                *most_votes,
                (f'above the threshold {unknown["threshold"]:.3f}', unknown['coverage']),
                ('their accuracy', unknown['accuracy']),
            ],
        ),
        '<h2>Classes</h2>',
        html_table(
            ('class', 'precision', 'recall', 'F1', 'faces'),
            [(name, *row.values()) for name, row in facts['per_class'].items()],
        ),
        confusion_svg(np.array(facts['confusion_matrix']), tuple(facts['labels'])),
        '<h2>Most often mixed up</h2>',
        html_table(
            ('pair', 'first as second', 'second as first', 'share of all errors'),
            [
                (
                    f'{row["first"]} / {row["second"]}',
                    row['first_as_second'],
                    row['second_as_first'],
                    row['share_of_errors'],
                )
                for row in facts['common_confusions']
            ],
        ),
        '<h2>Confidence</h2>',
        plot_svg(lambda axis: draw_reliability(axis, facts['reliability']), (4.5, 4)),
        plot_svg(lambda axis: draw_coverage(axis, facts['coverage']), (4.5, 4)),
    ]
    if facts['robustness']:
        parts += [
            '<h2>Robustness</h2>',
            html_table(
                ('condition', 'what', 'accuracy', 'balanced accuracy', 'lost against clean'),
                [
                    (name, row['what'], row['accuracy'], row['balanced_accuracy'], row['lost'])
                    for name, row in facts['robustness'].items()
                ],
            ),
            robustness_svg(facts['robustness'], facts['accuracy']),
        ]
    return '\n'.join(parts) + '</html>\n'
