# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Teachers into a student: ``python -m training distill run.yaml --teachers RUN RUN``.

A student is an ordinary run whose configuration names its teachers' folders. Its targets are a
blend of what people said and of the teachers' mean probabilities (arXiv 1503.02531), which the
teachers give once, before training, for each face and its mirror image.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_ros.data.folders import resized
from fer_ros.errors import ConfigError
from fer_ros.recognition.classifier import softmax
from fer_ros.types import Float32Array, UInt8Array
from training.emotion import config as configuration
from training.emotion.batches import predict_faces
from training.emotion.config import RunConfig
from training.emotion.data import LoadedSets
from training.emotion.runs import load_run
from training.emotion.second_opinion import second_opinion, split_anew
from training.engine.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from training.engine.fast_torch import fast_layers


def teacher_logits(folder: Path, images: UInt8Array, student: RunConfig) -> Float32Array:
    """Return float32 (N, columns) mean logits of faces and their mirror images.

    Raises:
        ConfigError: the teacher's heads are not the student's.
    """
    config, model = load_run(folder)
    mine = [(head.name, head.classes) for head in student.heads]
    theirs = [(head.name, head.classes) for head in config.heads]
    if mine != theirs:
        raise ConfigError(f'teacher {folder} has heads {theirs}, the student {mine}')
    faces = resized(images, config.model.size_px)
    with fast_layers():
        plain, flipped = (
            predict_faces(model.predict_on_batch, view, config.model)
            for view in (faces, faces[:, :, ::-1])
        )
    return (plain + flipped) / np.float32(2)


def kept_logits(cache: Path, name: str, images: UInt8Array, student: RunConfig) -> Float32Array:
    """Return a teacher's logits, from the file *cache*, or computed and kept there.

    A resumed student needs the same logits again, and making them takes minutes.

    Raises:
        ModelError: the file is damaged or cannot be written.
    """
    digest = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
    facts = {'teacher': name, 'faces': digest}
    if cache.is_file():
        kept = read_checkpoint(cache)
        if kept.facts == facts:
            return kept.weights[0]
    logits = teacher_logits(Path(name), images, student)
    write_checkpoint(cache, Checkpoint(0, [logits], [], facts=facts))
    return logits


def soften_targets(
    targets: Float32Array,
    loaded: LoadedSets,
    config: RunConfig,
    folder: Path,
    resume: bool = False,
) -> Float32Array:
    """Return float32 (N, K) targets of which a share is the teachers' prediction.

    Each row keeps its weight; a face without labels for a head learns from the teachers alone.

    Args:
        targets: float32 (N, K), all heads side by side.
        loaded: the N training faces and the factor of each.
        config: of the student; names the teachers and, for unlabelled faces and the first head, a
            second opinion.
        folder: of the run; the teachers' predictions are kept there.
        resume: use logits that were kept before.
    """
    images, factors = loaded.training.images, loaded.weights[:, None]
    teachers = []
    for place, name in enumerate(config.teachers):
        cache = folder / f'teacher_{place}.npz'
        if not resume:
            cache.unlink(missing_ok=True)
        teachers.append(kept_logits(cache, name, images, config))
    blended = targets.copy()
    unlabelled = np.flatnonzero(targets.sum(axis=1) == 0)
    opinion = None
    if config.second_opinion.model and len(unlabelled):
        opinion = second_opinion(images[unlabelled], config.second_opinion)
    for head, columns in config.head_columns():
        chances = np.mean([softmax(logits[:, columns], 1.0) for logits in teachers], axis=0)
        if opinion and head is config.heads[0]:
            chances[unlabelled] = split_anew(
                chances[unlabelled], head.classes, opinion, config.second_opinion
            )
        mass = targets[:, columns].sum(axis=1, keepdims=True)
        share = np.where(mass > 0, config.distillation, 1.0).astype(np.float32)
        weight = np.where(mass > 0, mass, head.weight * factors).astype(np.float32)
        blended[:, columns] = (1 - share) * targets[:, columns] + share * weight * chances
    return blended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training distill', description=__doc__)
    parser.add_argument('config', type=Path, help="the student's YAML file")
    parser.add_argument('--teachers', type=Path, nargs='+', help="the teachers' run folders")
    parser.add_argument('--output', type=Path, help="the run's folder (default: runs/NAME)")
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    options = parser.parse_args(arguments)
    from training.emotion.train import train

    config = configuration.load(options.config)
    if options.teachers:
        teachers = tuple(str(folder.resolve()) for folder in options.teachers)
        config = dataclasses.replace(config, teachers=teachers)
    if not config.teachers:
        raise ConfigError('a student needs at least one teacher')
    train(config, options.output or Path('runs') / config.name, options.resume)
    return 0
