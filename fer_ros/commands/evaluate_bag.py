# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate bag`` and ``fer evaluate bags``: what recordings say, against labels."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_label_map,
    add_overwrite,
    add_pipeline_options,
    note,
    pipeline_config,
    progress,
)
from fer_ros.data.bag_writer import STORAGES
from fer_ros.data.safe_output import check_outputs, safe_outputs
from fer_ros.errors import counted, printable
from fer_ros.evaluation.bag import BagLabels, evaluate_bag, summarize
from fer_ros.evaluation.bag_report import write_results
from fer_ros.evaluation.bags import (
    SUMMARY,
    BagTask,
    evaluate_here,
    evaluate_on_ray,
    find_bags,
    result_names,
    write_summary,
)
from fer_ros.messages.json_lines import to_json
from fer_ros.pipeline import EmotionPipeline


def add_parser(subjects: Any) -> None:
    """Add both subjects to the parser of ``fer evaluate``."""
    one = add_command(
        subjects,
        'bag',
        run,
        'Read every image of a recording and measure the results.',
        'fer evaluate bag demo_bag --labels demo_bag/labels.csv --output results',
    )
    one.add_argument(
        'bag', type=Path, metavar='BAG', help='a rosbag2: its folder, or a file (.mcap, .db3)'
    )
    labels = one.add_mutually_exclusive_group()
    labels.add_argument(
        '--labels',
        type=Path,
        metavar='CSV',
        help='targets: columns start_s, end_s, label and perhaps track_id; '
        'seconds since the first image, or since 1970',
    )
    labels.add_argument(
        '--label-topic', default='', metavar='TOPIC', help='targets: std_msgs/String'
    )
    one.add_argument(
        '--output',
        type=Path,
        metavar='FOLDER',
        help='write results.json, faces.csv, report.html and the bag emotions/ here',
    )
    one.add_argument(
        '--storage', choices=sorted(STORAGES), default='mcap', help='default: %(default)s'
    )
    many = add_command(
        subjects,
        'bags',
        run_many,
        'Evaluate every rosbag2 in a folder, each with the labels.csv that lies in it.',
        'fer evaluate bags recordings --output results --jobs 4',
    )
    many.add_argument('folder', type=Path, metavar='FOLDER', help='holds bags, at any depth')
    many.add_argument('--output', type=Path, required=True, metavar='FOLDER', help='for results')
    many.add_argument(
        '--jobs',
        type=int,
        default=max(1, (os.cpu_count() or 1) // 2),
        help='processes (default: %(default)s, half of the cores)',
    )
    many.add_argument('--ray', default='', metavar='ADDRESS', help='a Ray cluster instead')
    many.add_argument('--bags', action='store_true', help='also write the emotions as bags')
    for parser in (one, many):
        parser.add_argument('--topic', default='', help='of the images, where there are several')
        parser.add_argument('--json', action='store_true', help='print all figures as one line')
        add_label_map(parser)
        add_overwrite(parser)
        add_pipeline_options(parser)


RESULTS = ('results.json', 'faces.csv', 'report.html', 'emotions')


def run(options: argparse.Namespace) -> int:
    """Evaluate one bag; 1 if no image of it could be read."""
    labels = BagLabels(options.labels, options.label_topic, options.label_map)
    with ExitStack() as stack:
        folder = None
        if options.output:
            inputs = [options.bag, *([options.labels] if options.labels else ())]
            folder = stack.enter_context(
                safe_outputs(options.output, RESULTS, inputs, options.overwrite)
            )
        evaluation = evaluate_bag(
            options.bag,
            EmotionPipeline(pipeline_config(options, recorded=True)),
            labels,
            options.topic,
            folder / 'emotions' if folder else None,
            options.storage,
            lambda images, count: progress(images, count, options.bag.name),
        )
        facts = write_results(evaluation, folder) if folder else summarize(evaluation)
    for remark in (*evaluation.remarks, *_unreadable(facts)):
        note(remark)
    if options.json:
        print(to_json(facts))
    else:
        _print_facts(facts, bool(evaluation.spans))
    if options.output and not options.json:
        print(f'written: {options.output}/report.html, results.json, faces.csv, emotions/')
    return int(not evaluation.frames)


def _unreadable(facts: dict[str, Any]) -> list[str]:
    """Return why images could not be read, a line per reason."""
    return [
        f'{count} of {facts["images"]} images could not be read: {reason}'
        for reason, count in facts['bad_image_reasons'].items()
    ]


def _print_facts(facts: dict[str, Any], is_labelled: bool) -> None:
    print(
        f'{printable(facts["bag"])}: {facts["images"]} images ({facts["bad_images"]} unreadable) '
        f'on {printable(facts["topic"])}, {facts["seconds"]:.1f} s, '
        f'{counted(len(facts["persons"]), "person", "people")}'
    )
    for person in facts['persons']:
        print(
            f'person {person["track_id"]}: {person["first_s"]:.2f} to {person["last_s"]:.2f} s, '
            f'{person["label"]}'
        )
    if is_labelled:
        print(f'accuracy: {_percent(facts["frames"]["accuracy"])} of faces, '
              f'{_percent(facts["spans"]["accuracy"])} of spans')  # fmt: skip


def _percent(share: float | None) -> str:
    return 'not defined (no labelled face)' if share is None else f'{share:.1%}'


def run_many(options: argparse.Namespace) -> int:
    """Evaluate a folder of bags; 1 if one of them failed."""
    config = pipeline_config(options, recorded=True)
    bags, left_out = find_bags(options.folder)
    for reason in left_out:
        note(f'left out: {reason}')
    tasks = [
        BagTask(
            path.resolve(),
            config,
            topic=options.topic,
            write_bag=options.bags,
            label_map=options.label_map,
        )
        for path in bags
    ]
    results = (
        evaluate_on_ray(tasks, options.ray)
        if options.ray
        else evaluate_here(tasks, max(1, options.jobs))
    )
    names = [*result_names(tasks), SUMMARY]
    check_outputs(options.output, names, [options.folder, *bags], options.overwrite)
    summary = write_summary(
        tasks,
        progress(results, len(tasks), options.folder.name),
        options.output,
        lambda line: print(printable(line), file=sys.stderr),
        left_out,
        options.overwrite,
    )
    print(to_json(summary) if options.json else f'{options.output}/summary.json')
    return int(bool(summary['failed']))
