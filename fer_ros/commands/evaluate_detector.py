# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer evaluate detector``: a face detector on photos with ground truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_ros.commands.options import add_command, add_pipeline_options, pipeline_config, watch
from fer_ros.config import DetectionConfig
from fer_ros.detection import make_detector
from fer_ros.errors import ConfigError
from fer_ros.evaluation.detector import evaluate_detector, format_report
from fer_ros.messages.json_lines import to_json


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'detector',
        run,
        'Measure a face detector on a folder of photos with ground_truth.json.',
        'fer evaluate detector crowds --detector builtin --reference yunet_n_640_640.onnx',
    )
    parser.add_argument('folder', type=Path, metavar='FOLDER', help='photos, ground_truth.json')
    parser.add_argument(
        '--reference',
        metavar='ONNX',
        help="weights of a YuNet whose landmarks are taken for true; 'fetched' for the fetched one",
    )
    parser.add_argument('--iou', type=float, default=0.5, help='overlap (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print one line of JSON')
    add_pipeline_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    if not 0 < options.iou < 1:
        raise ConfigError(f'--iou: expected more than 0 and less than 1, got {options.iou:g}')
    reference = None
    if options.reference:
        weights = '' if options.reference == 'fetched' else options.reference
        reference = make_detector(DetectionConfig(backend='yunet', weights=weights))
    detector = make_detector(pipeline_config(options).detection)
    report = evaluate_detector(detector, options.folder, reference, options.iou, watch)
    print(to_json(report) if options.json else '\n'.join(format_report(report)))
    return 0
