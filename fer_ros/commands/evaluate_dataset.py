# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate dataset``: an emotion model on labelled faces."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2

from fer_ros.commands.options import (
    add_command,
    add_label_map,
    add_overwrite,
    add_pipeline_options,
    note,
    pipeline_config,
    watch,
)
from fer_ros.data.face_set import LABEL_KINDS, SPLITS
from fer_ros.data.safe_output import check_outputs, safe_output, safe_outputs
from fer_ros.errors import ConfigError
from fer_ros.evaluation.dataset import DatasetReport, evaluate_dataset, evaluate_unlabelled
from fer_ros.evaluation.groups import group_rows, read_groups
from fer_ros.evaluation.html_report import REPORT_FILES, write_report
from fer_ros.evaluation.mistakes import mistake_sheet
from fer_ros.evaluation.photos import face_cutter
from fer_ros.evaluation.protocols import PROTOCOLS
from fer_ros.messages.json_lines import to_json
from fer_ros.recognition.classifier import make_classifier
from fer_ros.types import Int64Array


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'dataset',
        run,
        'Measure an emotion model on labelled faces: FER2013 as npz or csv, or class folders.',
        'fer evaluate dataset fer2013.npz --split private_test --labels ferplus --html report',
    )
    parser.add_argument('path', type=Path, metavar='FILE|FOLDER', help='.npz, .csv or folder')
    parser.add_argument(
        '--split', choices=SPLITS, default='private_test', help='default: %(default)s'
    )
    parser.add_argument(
        '--labels',
        choices=(*LABEL_KINDS, 'none'),
        default='',
        help="targets: FER2013's own labels or the plurality of FER+'s votes (default: ferplus "
        'where there are votes); none measures, with --groups, how steadily unlabelled faces are '
        'read',
    )
    parser.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        default=PROTOCOLS[0],
        help='which faces count and how each is predicted, to compare with published figures '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--groups',
        type=Path,
        metavar='CSV',
        help='columns file and group: figures for each group, with 95 %% bootstrap intervals',
    )
    parser.add_argument('--votes', type=Path, metavar='CSV', help="FER+'s csv, for a csv of faces")
    parser.add_argument(
        '--photos',
        action='store_true',
        help='the folder holds photos: faces are found, aligned and cut out first',
    )
    parser.add_argument(
        '--robustness', action='store_true', help='also in low light, noise, blur and so on'
    )
    parser.add_argument('--json', action='store_true', help='print one line of JSON')
    parser.add_argument(
        '--html', type=Path, metavar='FOLDER', help='write a report with plots and report.json'
    )
    parser.add_argument(
        '--mistakes',
        type=Path,
        metavar='PNG',
        help='save the most confident mistakes of each class as one picture',
    )
    add_label_map(parser)
    add_overwrite(parser)
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    _check_options(options)
    config = pipeline_config(options)
    classifier = make_classifier(config.classification)
    if config.classification.flip_tta and options.protocol != 'ten-crop':
        classifier = classifier.with_flip_tta()
    cut = face_cutter(classifier.card.size_px, config.detection) if options.photos else None
    if options.labels == 'none':
        figures = evaluate_unlabelled(
            options.path, options.groups, classifier, cut=cut, watch=watch
        )
        print(to_json(figures)) if options.json else _print_groups(**figures)
        return 0
    groups = read_groups(options.groups) if options.groups else {}
    report = evaluate_dataset(
        options.path,
        options.split,
        options.labels,
        classifier,
        votes=options.votes,
        label_map=options.label_map,
        cut=cut,
        robustness=options.robustness,
        watch=watch,
        protocol=options.protocol,
    )
    rows = group_rows(report.files, groups, options.groups) if groups else {}
    for sentence in report.summary if report.left_out else ():
        note(sentence)
    _write_files(report, options)
    if options.json:
        print(to_json(_json_line(report, options.robustness, rows)))
        return 0
    _print_table(report)
    if rows:
        _print_groups(**_by_group(report, rows))
    if options.html:
        print(f'\nreport: {options.html / "index.html"}')
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Refuse what does not go together, and outputs that cannot be written, before the work."""
    if options.labels == 'none' and not options.groups:
        raise ConfigError('--labels none compares groups: it needs --groups')
    if options.html:
        check_outputs(options.html, REPORT_FILES, [options.path], options.overwrite)
    if picture := options.mistakes:
        if picture.suffix.lower() != '.png':
            raise ConfigError(f'--mistakes: expected a name that ends in .png, got {picture}')
        check_outputs(picture.parent, [picture.name], [options.path], options.overwrite)


def _write_files(report: DatasetReport, options: argparse.Namespace) -> None:
    if options.html:
        with safe_outputs(options.html, REPORT_FILES, overwrite=options.overwrite) as folder:
            write_report(report, folder)
    if options.mistakes:
        with safe_output(options.mistakes, overwrite=options.overwrite) as path:
            path.write_bytes(cv2.imencode('.png', mistake_sheet(report))[1].tobytes())


def _by_group(report: DatasetReport, rows: dict[str, Int64Array]) -> dict[str, Any]:
    grouped = sum(map(len, rows.values()))
    return {
        'count': len(report.targets),
        'without_group': len(report.targets) - grouped,
        'groups': report.by_group(rows),
    }


def _json_line(
    report: DatasetReport, robustness: bool, rows: dict[str, Int64Array]
) -> dict[str, Any]:
    line = report.to_json_line()
    if robustness:
        line['robustness'] = report.to_dict()['robustness']
    if rows:
        by_group = _by_group(report, rows)
        line |= {'groups': by_group['groups'], 'without_group': by_group['without_group']}
    return line


def _print_groups(count: int, without_group: int, groups: dict[str, Any]) -> None:
    print(f'{count} faces, {without_group} of them in no group; 95 % bootstrap intervals')
    for group, figures in groups.items():
        print(f'{group}:')
        for name, figure in figures.items():
            for label, one in figure.items() if 'value' not in figure else [('', figure)]:
                low, high = one['interval']
                title = f'{name.replace("_", " ")} {label}'
                print(f'  {title:32} {one["value"]:.3f} ({low:.3f} to {high:.3f}, {one["count"]})')


def _shown(value: float | None) -> str:
    return 'undefined' if value is None else f'{value:.4f}'


def _print_table(report: DatasetReport) -> None:
    facts = report.to_dict()
    print(f'{facts["model"]} on {facts["dataset"]}, {facts["split"]}, {facts["targets"]} labels, '
          f'protocol {facts["protocol"]}')  # fmt: skip
    if facts['flip_tta']:
        print('  each face with its mirror image, as photos are read; for streams: '
              '--set classification.flip_tta=false')  # fmt: skip
    print(f'  faces                      {facts["count"]}')
    print(f'  accuracy                   {_shown(facts["accuracy"])}')
    print(f'  balanced accuracy          {_shown(facts["balanced_accuracy"])}')
    print(f'  expected calibration error {_shown(facts["expected_calibration_error"])}')
    fresh = facts['without_faces_seen_in_training']
    print(f'  accuracy without {facts["count"] - fresh["count"]} faces that training also holds '
          f'{_shown(fresh["accuracy"])}')  # fmt: skip
    agreed = facts['where_most_votes_agree']
    if agreed:
        print(f'  accuracy on {agreed["count"]} faces of which most votes say the same '
              f'{_shown(agreed["accuracy"])}')  # fmt: skip
    for label, row in facts['per_class'].items():
        print(
            f'  {label:9} precision {_shown(row["precision"])}  recall {_shown(row["recall"])}  '
            f'F1 {_shown(row["f1"])}  ({row["support"]})'
        )
    for name, row in facts['robustness'].items():
        print(f'  {name:22} accuracy {_shown(row["accuracy"])}  lost {_shown(row["lost"])}')
