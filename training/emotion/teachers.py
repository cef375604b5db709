# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Targets of which earlier models give a share.

A student's targets are a blend of what people said and of the teachers' mean probabilities
(arXiv 1503.02531), which the teachers give once, before training, for each face and its mirror
image.

FER+'s votes call a sneer anger and a closed-mouth smile neutral, and whoever learns from them does
so too. A model that learned from other labels may be worse on the whole and right there: a second
opinion decides how what the teachers give to the two classes of a pair is split between them, and
only on faces that nobody labelled.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from fer_ros.config import ClassificationConfig
from fer_ros.data.folders import resized
from fer_ros.errors import ConfigError
from fer_ros.geometry import similarity_transform
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.recognition.classifier import make_classifier, softmax
from fer_ros.types import EmotionScores, Float32Array, UInt8Array
from training.emotion.batches import predict_faces
from training.emotion.config import RunConfig, SecondOpinionConfig
from training.emotion.data import LoadedSets
from training.emotion.runs import load_run
from training.engine.fast_torch import fast_layers
from training.engine.run import Checkpoint, read_checkpoint, write_checkpoint

BATCH = 64


def teacher_logits(name: str, images: UInt8Array, student: RunConfig) -> Float32Array:
    """Return float32 (N, columns) mean logits of faces and their mirror images.

    Raises:
        ConfigError: the teacher's heads are not the student's.
    """
    config, model = load_run(name)
    theirs, mine = ([(head.name, head.classes) for head in one.heads] for one in (config, student))
    if mine != theirs:
        raise ConfigError(f'teacher {name} has heads {theirs}, the student {mine}')
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
    logits = teacher_logits(name, images, student)
    write_checkpoint(cache, Checkpoint(0, [logits], [], facts=facts))
    return logits


def soften_targets(
    targets: Float32Array,
    loaded: LoadedSets,
    config: RunConfig,
    folder: Path,
    resume: bool = False,
) -> Float32Array:
    """Return targets, float32 (N, K), of which a share is the teachers' prediction.

    Each row keeps its weight; a face without labels for a head learns from the teachers alone, and
    for the first head from the second opinion as well. The teachers' logits are kept in *folder*,
    that of the run, and used again to *resume* it.
    """
    images, factors = loaded.training.images, loaded.weights[:, None]
    caches = [folder / f'teacher_{place}.npz' for place in range(len(config.teachers))]
    for cache in caches if not resume else ():
        cache.unlink(missing_ok=True)
    teachers = [
        kept_logits(cache, name, images, config) for cache, name in zip(caches, config.teachers)
    ]
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


def second_opinion(faces: UInt8Array, config: SecondOpinionConfig) -> EmotionScores:
    """Return what the other model makes of grey faces in FER2013's framing, uint8 (N, S, S).

    Raises:
        ModelError: it cannot be loaded.
    """
    classifier = make_classifier(ClassificationConfig(model=config.model, backend=config.backend))
    parts = [
        classifier.classify(reframed(faces[start : start + BATCH], classifier.card))
        for start in range(0, len(faces), BATCH)
    ]
    return EmotionScores(np.concatenate([one.probabilities for one in parts]), parts[0].labels)


def reframed(faces: UInt8Array, card: EmotionModelCard) -> UInt8Array:
    """Return faces, uint8 (N, S, S) in FER2013's framing, as crops of another model's card."""
    here = np.array([FER2013_TEMPLATE_48PX], np.float32) * faces.shape[1] / 48
    matrix = similarity_transform(here, np.array(card.template_px, np.float32))[0]
    size = (card.size_px, card.size_px)
    crops = np.stack(
        [cv2.warpAffine(face, matrix, size, borderMode=cv2.BORDER_REPLICATE) for face in faces]
    )
    return crops if card.colour == 'grey' else np.repeat(crops[..., None], 3, axis=3)


def split_anew(
    probabilities: Float32Array,
    labels: tuple[str, ...],
    opinion: EmotionScores,
    config: SecondOpinionConfig,
) -> Float32Array:
    """Return probabilities, float32 (N, C), whose pairs are split as both models think.

    For example, with a share of 0.5 a face that is 0.6 angry and 0.2 disgust becomes 0.4 and 0.4
    where the other model's split is one to three.
    """
    result, theirs = probabilities.copy(), opinion.probabilities
    for first, second in config.pairs:
        if not {first, second} <= set(labels) & set(opinion.labels):
            raise ConfigError(f'second_opinion.pairs: {first} and {second} are not in both models')
        mine = [labels.index(first), labels.index(second)]
        other = [opinion.labels.index(first), opinion.labels.index(second)]
        mass, their_mass = result[:, mine].sum(axis=1), theirs[:, other].sum(axis=1)
        rows = np.flatnonzero((mass >= config.least) & (their_mass >= max(config.least, 1e-6)))
        split = theirs[rows][:, other] / their_mass[rows, None]
        pair = result[rows][:, mine]
        pair += config.share * (mass[rows, None] * split - pair)
        result[rows[:, None], mine] = pair
    return result
