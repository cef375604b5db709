# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate bag`` and ``fer evaluate bags``: what recordings say, against labels."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from fer_ros.commands.options import (
    add_command,
    add_pipeline_options,
    pipeline_config,
    progress,
)
from fer_ros.data.bags import STORAGES
from fer_ros.evaluation.bag import BagLabels, evaluate_bag, summarize
from fer_ros.evaluation.bag_report import write_results
from fer_ros.evaluation.bags import (
    BagTask,
    evaluate_here,
    evaluate_on_ray,
    find_bags,
    write_answers,
)
from fer_ros.pipeline import EmotionPipeline


def add_parser(subjects: Any) -> None:
    """Add both subjects to the parser of ``fer evaluate``."""
    one = add_command(
        subjects,
        'bag',
        run,
        'Answer every image of a rosbag2 and measure the answers.',
        'fer evaluate bag demo_bag --labels demo_bag/labels.csv --output results',
    )
    one.add_argument('bag', type=Path, metavar='BAG', help='folder of the bag')
    labels = one.add_mutually_exclusive_group()
    labels.add_argument(
        '--labels',
        type=Path,
        metavar='CSV',
        help='truth: columns start_s, end_s, label and perhaps track_id; '
        'seconds since the first image',
    )
    labels.add_argument('--label-topic', default='', metavar='TOPIC', help='truth: std_msgs/String')
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
        add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluate one bag."""
    evaluation = evaluate_bag(
        options.bag,
        EmotionPipeline(pipeline_config(options)),
        BagLabels(options.labels, options.label_topic),
        options.topic,
        options.output / 'emotions' if options.output else None,
        options.storage,
        lambda images, count: progress(images, count, options.bag.name),
    )
    facts = write_results(evaluation, options.output) if options.output else summarize(evaluation)
    if options.json:
        print(json.dumps(facts))
        return 0
    print(
        f'{facts["bag"]}: {facts["images"]} images ({facts["bad_images"]} unreadable) on '
        f'{facts["topic"]}, {facts["seconds"]:.1f} s, {len(facts["persons"])} people'
    )
    for person in facts['persons']:
        print(
            f'person {person["track_id"]}: {person["first_s"]:.2f} to {person["last_s"]:.2f} s, '
            f'{person["label"]}'
        )
    if evaluation.spans:
        print(f'accuracy: {_percent(facts["frames"]["accuracy"])} of faces, '
              f'{_percent(facts["spans"]["accuracy"])} of spans')  # fmt: skip
    if options.output:
        print(f'written: {options.output}/report.html, results.json, faces.csv, emotions/')
    return 0


def _percent(share: float | None) -> str:
    return 'not defined (no labelled face)' if share is None else f'{share:.1%}'


def run_many(options: argparse.Namespace) -> int:
    """Evaluate a folder of bags; 1 if one of them failed."""
    config = pipeline_config(options)
    tasks = [
        BagTask(path.resolve(), config, topic=options.topic, write_bag=options.bags)
        for path in find_bags(options.folder)
    ]
    answers = (
        evaluate_on_ray(tasks, options.ray)
        if options.ray
        else evaluate_here(tasks, max(1, options.jobs))
    )
    shown = progress(answers, len(tasks), options.folder.name)
    summary = write_answers(tasks, shown, options.output, lambda line: print(line, file=sys.stderr))
    print(json.dumps(summary) if options.json else f'{options.output}/summary.json')
    return int(bool(summary['failed']))
