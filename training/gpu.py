# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training on a machine that is borrowed for minutes and reaches nothing outside itself.

A run, with its faces, targets and first weights, is packed into one small folder to be carried
there, and trained by the clock.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_ros.data.face_set import FaceSet
from fer_ros.errors import ConfigError, DataError
from fer_ros.types import Float32Array, UInt8Array
from training.commands import command, option
from training.emotion import config as configuration
from training.emotion.config import RunConfig
from training.emotion.data import LoadedSets, load_sets
from training.emotion.runs import new_model, start_from, write_run
from training.emotion.train import make_targets, train
from training.engine import settings

SHEET_ROWS = 64
"""Faces along each side of a sheet."""
LOSSLESS = 101
"""OpenCV's word for a WebP without loss."""
MEMBERS = ('name', 'splits', 'labels', 'votes', 'classes')


def pack(config: RunConfig, folder: Path, quality: int = LOSSLESS) -> int:
    """Write all that *config* trains on to *folder*; return the size in bytes.

    Teachers give their predictions here, and the weights that the run starts from become a run in
    ``start``, so that neither is needed where the pack is trained.

    Args:
        config: of the run.
        folder: to make.
        quality: of the sheets of training faces, WebP's from 1 to 100, or LOSSLESS; validation
            faces never lose anything.

    Raises:
        ConfigError: the folder exists, or see ``training.emotion.train.train``.
        DataError: a set cannot be read.
    """
    if folder.exists():
        raise ConfigError(f'{folder} is already there; choose another folder')
    loaded = load_sets(config)
    folder.mkdir(parents=True)
    targets = make_targets(loaded, config, folder)
    for cache in folder.glob('teacher_*.npz'):
        cache.unlink()
    if config.start:
        model = new_model(config, config.model.size_px)
        start_from(model, config)
        write_run(folder / 'start', dataclasses.replace(config, start='', teachers=()), model)
        config = dataclasses.replace(config, start='start')
    settings.save(config, folder / 'config.yaml')
    (folder / 'data.json').write_text(json.dumps(loaded.data, indent=2) + '\n', encoding='utf-8')
    arrays: dict[str, np.ndarray] = {
        'targets': targets.astype(np.float16),
        'weights': loaded.weights,
    }
    for place, faces in enumerate((loaded.training, *loaded.validation)):
        arrays |= {f'{place}_{name}': np.array(getattr(faces, name)) for name in MEMBERS}
        for number, sheet in enumerate(sheets(faces.images, LOSSLESS if place else quality)):
            arrays[f'{place}_sheet_{number:03d}'] = sheet
    np.savez_compressed(folder / 'arrays.npz', allow_pickle=False, **arrays)
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


def unpack(folder: Path) -> tuple[RunConfig, LoadedSets, Float32Array]:
    """Return a packed run's configuration, its data sets and its targets, float32 (N, K).

    Raises:
        ConfigError: *folder* holds no packed run.
        DataError: a part of it is missing or damaged.
    """
    config = configuration.load(folder / 'config.yaml')
    try:
        data = json.loads((folder / 'data.json').read_text(encoding='utf-8'))
        with (folder / 'arrays.npz').open('rb') as stream, np.load(stream) as content:
            arrays = {name: content[name] for name in content.files}
        places = range(sum(name.endswith('_name') for name in arrays))
        first, *others = (_face_set(arrays, place) for place in places)
    except Exception as error:  # bytes of a file may be anything
        raise DataError(f'{folder} is no packed run, or damaged; pack it again: {error}') from error
    loaded = LoadedSets(first, arrays['weights'], tuple(others), data, ())
    return config, loaded, arrays['targets'].astype(np.float32)


def _face_set(arrays: dict[str, np.ndarray], place: int) -> FaceSet:
    """Return one of the data sets of a pack."""
    name, splits, labels, votes, classes = (arrays[f'{place}_{member}'] for member in MEMBERS)
    sheets = [arrays[one] for one in sorted(arrays) if one.startswith(f'{place}_sheet_')]
    faces = faces_of(sheets, len(labels))
    return FaceSet(str(name), faces, splits, labels, votes, classes=tuple(map(str, classes)))


def sheets(faces: UInt8Array, quality: int) -> Iterator[UInt8Array]:
    """Yield WebP files, uint8 (bytes,), of 64 by 64 faces each, rows first, uint8 (N, S, S)."""
    count, side = SHEET_ROWS**2, faces.shape[1]
    for start in range(0, len(faces), count):
        some = faces[start : start + count]
        rows = -(-len(some) // SHEET_ROWS)
        padded = np.zeros((rows * SHEET_ROWS, side, side), np.uint8)
        padded[: len(some)] = some
        tiled = padded.reshape(rows, SHEET_ROWS, side, side).swapaxes(1, 2)
        sheet = tiled.reshape(rows * side, SHEET_ROWS * side)
        file = cv2.imencode('.webp', sheet, [cv2.IMWRITE_WEBP_QUALITY, quality])[1]
        yield np.asarray(file, np.uint8)


def faces_of(files: Sequence[UInt8Array], count: int) -> UInt8Array:
    """Return uint8 (count, S, S) from the WebP files of ``sheets``."""
    parts = []
    for file in files:
        sheet = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
        side = sheet.shape[1] // SHEET_ROWS
        faces = sheet.reshape(-1, side, SHEET_ROWS, side).swapaxes(1, 2)
        parts.append(faces.reshape(-1, side, side))
    return np.concatenate(parts)[:count]


@command(
    option('config', type=Path, help="the run's YAML file"),
    option('folder', type=Path, help='folder to make'),
    option(
        '--quality', type=int, default=LOSSLESS, help='of training faces, 1 to 100; default: exact'
    ),
    option('--limit-mib', type=float, default=60.0, help='largest size of the folder'),
)
def pack_run(config: Path, folder: Path, quality: int, limit_mib: float) -> None:
    """Pack a run into one folder, to be trained on another machine."""
    size_mib = pack(configuration.load(config), folder, quality) / 2**20
    print(f'{folder}: {size_mib:.1f} MiB')
    if size_mib > limit_mib:
        raise ConfigError(
            f'{folder} has {size_mib:.1f} MiB, more than {limit_mib:g}: '
            'give --quality 90 or set max_faces'
        )


@command(
    option('packed', type=Path, metavar='pack', help='what `python -m training pack` made'),
    option('run', type=Path, help="the run's folder"),
    option('--minutes', type=float, required=True, help='end by then'),
    option('--workers', type=int, default=(os.cpu_count() or 1) - 1, help='processes; 0 for none'),
    option('--precision', default='bfloat16', help='of activations'),
    option('--resume', action='store_true', help='go on from the last checkpoint'),
)
def train_packed(
    packed: Path, run: Path, minutes: float, workers: int, precision: str, resume: bool
) -> None:
    """Train a packed run by the clock, with batches made by processes of their own."""
    config, loaded, targets = unpack(packed)
    optimization = dataclasses.replace(config.optimization, minutes=minutes, precision=precision)
    config = dataclasses.replace(config, optimization=optimization, workers=workers)
    train(config, run, resume, (loaded, targets))
