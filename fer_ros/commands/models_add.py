# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer models add``: a card for a model from elsewhere, tried on faces before it is believed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from fer_ros.config import PipelineConfig, replace
from fer_ros.errors import ModelError
from fer_ros.images.demo import demo_photos
from fer_ros.labels import find_label
from fer_ros.models.card import EmotionModelCard, OutputHead, file_sha256
from fer_ros.models.input_format import COLOURS, FER2013_TEMPLATE_48PX, LAYOUTS
from fer_ros.reader import FaceReader

BACKENDS = {'.tflite': 'litert', '.onnx': 'onnx', '.keras': 'keras', '.h5': 'keras'}
RANGES: dict[str, dict[str, Any]] = {
    '0..1': {'normalization': 'mean_std', 'mean': (0.0,), 'std': (255.0,)},
    '-1..1': {'normalization': 'none'},
    '0..255': {'normalization': 'mean_std', 'mean': (0.0,), 'std': (1.0,)},
    'standardize': {'normalization': 'standardize'},
}
"""What the grey levels 0 to 255 become, and how a card says so."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument('file', type=Path, help='.tflite, .onnx, .keras or .h5')
    parser.add_argument('--labels', help='class names in the order of the output, with commas')
    parser.add_argument('--size', type=int, help='height and width of the input in pixels')
    parser.add_argument('--colour', choices=COLOURS, help='what the channels of the input are')
    parser.add_argument('--channels', type=int, choices=(1, 3), help='1, or 3 (also for grey)')
    parser.add_argument('--range', choices=RANGES, help='what the grey levels become')
    parser.add_argument('--layout', choices=LAYOUTS, default='nhwc', help='(default: %(default)s)')
    parser.add_argument('--output', type=Path, help='card to write (default: beside the file)')


def run(options: argparse.Namespace) -> int:
    """Write a card after the model has read the demo's faces; say what it makes of them."""
    path = options.output or options.file.with_name(f'{options.file.stem}.json')
    if path.suffix != '.json' or path.resolve().parent != options.file.resolve().parent:
        raise ModelError(f'{path}: a card is a .json file in the folder of its weights')
    if path.exists():
        raise ModelError(f'{path} exists already; choose another --output')
    card = _card(options, path.stem)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix='.new-') as folder:
        trial = Path(folder) / path.name
        (Path(folder) / options.file.name).symlink_to(options.file.resolve())
        card.write(trial)
        backend = next(iter(card.files))
        chosen = {'classification.model': str(trial), 'classification.backend': backend}
        reader = FaceReader(replace(PipelineConfig(), chosen))
        for number, photo in enumerate(demo_photos(), 1):
            for face in reader.read_photo(photo).faces[:1]:
                print(f'demo photo {number}, a smile: {face.label} {face.confidence:.0%}')
        trial.replace(path)
    print(f'wrote {path}; if the smiles are not happy, labels, colour or range are not as given')
    print(f'  fer live --camera 0 --model {path} --backend {backend}')
    return 0


def _card(options: argparse.Namespace, name: str) -> EmotionModelCard:
    """Return the card that the options, or the replies of whoever runs the command, describe."""
    backend = BACKENDS.get(options.file.suffix.lower())
    if backend is None or not options.file.is_file():
        raise ModelError(f'{options.file}: expected an existing {", ".join(BACKENDS)} file')
    words = _given(options.labels, '--labels', 'class names in the order of the output')
    labels = tuple(find_label(word) or word.strip() for word in words.split(','))
    size = int(_given(options.size, '--size', 'height and width of the input in pixels'))
    colour = _given(options.colour, '--colour', f'one of {", ".join(COLOURS)}')
    levels = _given(options.range, '--range', f'one of {", ".join(RANGES)}')
    if levels not in RANGES:
        raise ModelError(f'--range: expected one of {", ".join(RANGES)}, got {levels!r}')
    return EmotionModelCard(
        id=name,
        files={backend: options.file.name},
        sha256={options.file.name: file_sha256(options.file)},
        size_px=size,
        colour=colour,
        channels=options.channels or (1 if colour == 'grey' else 3),
        layout=options.layout,
        template_px=tuple((x * size / 48, y * size / 48) for x, y in FER2013_TEMPLATE_48PX),
        heads=(OutputHead('own', labels),),
        default_head='own',
        **RANGES[levels],
    )


def _given(value: Any, option: str, meaning: str) -> str:
    """Return an option's value, asked for where there is a terminal to ask at."""
    if value is None and sys.stdin.isatty():
        value = input(f'{meaning}: ').strip()
    if value in (None, ''):
        raise ModelError(f'{option} is needed: {meaning}')
    return str(value)
