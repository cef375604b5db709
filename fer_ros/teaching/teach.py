# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of photos to a model: a new last layer on the shipped network, and honest figures.

``teach`` is what ``fer train`` and the page call. Nothing but numpy and LiteRT is needed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.face_set import FaceSet
from fer_ros.data.folders import class_folders, read_folder
from fer_ros.data.groups import group_faces
from fer_ros.errors import DataError, counted
from fer_ros.evaluation.photos import face_cutter
from fer_ros.models.card import EmotionModelCard, OutputHead, check_labels
from fer_ros.recognition.classifier import softmax
from fer_ros.teaching.features import FrozenNetwork
from fer_ros.teaching.figures import Share, gain_interval, measurement, share_right
from fer_ros.teaching.fit import choose_pull, fit, fit_temperature, held_back_logits
from fer_ros.teaching.write import check_is_free, write_model
from fer_ros.types import Int64Array

MIN_FACES = 5
"""Of a class, below which the figures say nothing."""
FEW_FACES = 50
"""Below this the threshold for 'unknown' and most of the calibration stay the shipped model's."""
MANY_FACES = 1000
"""From here on it is worth training more than the last layer, which needs Keras."""


@dataclass(frozen=True)
class Lesson:
    """What the photos are, and what can be said of a model made of them.

    Attributes:
        faces: what was read; ``faces.summary()`` says what was left out.
        labels: classes of the new model.
        new_labels: those that the shipped model does not know.
        groups: number of groups of faces that belong together.
        pull: how strongly the layer is held to the shipped one.
        own: the new model's right predictions, each by a model that saw no face of the group.
        shipped: the shipped model's on the same faces, choosing among the classes both know.
        gain: 95 % interval of the difference of the two accuracies.
        warnings: what to bear in mind.
        card: path of the model's card.
    """

    faces: FaceSet
    labels: tuple[str, ...]
    new_labels: tuple[str, ...]
    groups: int
    pull: float
    own: Share
    shipped: Share
    gain: tuple[float, float]
    warnings: tuple[str, ...]
    card: Path

    @property
    def verdict(self) -> str:
        """Return one sentence: whether the new model is better."""
        low, high = (100 * edge for edge in self.gain)
        between = f'(95 % interval of the difference {low:+.0f} to {high:+.0f} points)'
        if low > 0:
            return f'The new model is better than the shipped one on faces like these {between}.'
        if high < 0:
            return f'The new model is worse than the shipped one {between}: keep the shipped one.'
        if self.own.right > self.shipped.right:
            return f'The new model was right more often, but that may be chance {between}.'
        return (
            f'The new model is not shown to be better {between}: more photos would tell, and until '
            'then the shipped model is as good a choice.'
        )

    def to_json(self) -> dict[str, Any]:
        """Return the lesson in plain values."""
        return {
            'schema_version': 1,
            'card': str(self.card),
            'labels': list(self.labels),
            'new_labels': list(self.new_labels),
            'faces': self.faces.counts()['training'],
            'left_out': {label: dict(why) for label, why in self.faces.left_out.items()},
            'groups': self.groups,
            'accuracy': self.own.accuracy,
            'balanced_accuracy': self.own.balanced,
            'accuracy_95_percent': list(self.own.interval),
            'shipped_accuracy': self.shipped.accuracy,
            'gain_95_percent': list(self.gain),
            'better': self.gain[0] > 0,
            'verdict': self.verdict,
            'warnings': list(self.warnings),
        }


def teach(folder: Path, output: Path, base: str = 'default', model_id: str = '') -> Lesson:
    """Make an emotion model of folders of photos, one folder per class.

    Args:
        folder: ``CLASS/photo`` or ``CLASS/PERSON/photo``. Words for the shipped classes are
            understood; any other word is a class of one's own.
        output: path without suffix, for ``.tflite`` and ``.json``.
        base: card of the model to start from; the shipped one by default.
        model_id: for the card; the name of *output* by default.

    Raises:
        DataError: too few classes or faces, or the photos cannot be read.
        ModelError: the base cannot be built on, or the model cannot be written.
    """
    check_is_free(output)
    network = FrozenNetwork(EmotionModelCard.load(base))
    faces, labels = read_photos(folder, network.card)
    targets = np.array([labels.index(faces.classes[label]) for label in faces.labels])
    features, groups = network.features(faces.images), group_faces(faces.images, faces.files)
    start = network.layer_for(labels)
    held_back = held_back_logits(features, targets, groups, start)
    temperature = fit_temperature(held_back, targets)
    pull = choose_pull(features, targets, groups, start)
    layer = fit(features, targets, start, pull)
    new_labels = tuple(label for label in labels if label not in network.card.head()[0].labels)
    shipped_logits = start.logits(features)
    shipped_logits[:, [labels.index(label) for label in new_labels]] = -np.inf
    own, shipped = (one.argmax(axis=1) == targets for one in (held_back, shipped_logits))
    lesson = Lesson(
        faces=faces,
        labels=labels,
        new_labels=new_labels,
        groups=int(groups.max()) + 1,
        pull=pull,
        own=share_right(held_back, targets),
        shipped=share_right(shipped_logits, targets),
        gain=gain_interval(own, shipped, groups),
        warnings=tuple(_warnings(labels, targets, groups)),
        card=Path(),
    )
    figures = measurement(softmax(held_back, temperature), targets, labels)
    card = _new_card(network.card, lesson, temperature, model_id or output.name, figures)
    path = write_model(network, card, layer, faces.images, output)
    return dataclasses.replace(lesson, card=path)


def read_photos(folder: Path, card: EmotionModelCard) -> tuple[FaceSet, tuple[str, ...]]:
    """Return the faces in a folder of classes, and the classes: the card's order, then new ones.

    Raises:
        DataError: not a folder of at least two classes with faces.
    """
    if not folder.is_dir():
        raise DataError(f'{folder} is not a folder')
    found = class_folders(folder)
    known = card.head()[0].labels
    labels = (*(one for one in known if one in found), *(one for one in found if one not in known))
    try:
        check_labels(labels)
    except ValueError as error:
        raise DataError(
            f'{folder}: one folder of photos for each class is needed; {error}'
        ) from error
    own = [label for label in found if label not in FaceSet.classes]
    faces = read_folder(
        folder, cut=face_cutter(card.size_px), size_px=card.size_px, own_classes=own
    )
    return faces, labels


def _warnings(labels: tuple[str, ...], targets: Int64Array, groups: Int64Array) -> list[str]:
    """Return sentences about what is too small or too much alike."""
    said = []
    for place, label in enumerate(labels):
        rows = targets == place
        if rows.sum() < MIN_FACES:
            said.append(
                f'{label} has {counted(rows.sum(), "face")}: with fewer than {MIN_FACES} it is '
                'a guess'
            )
        elif len(np.unique(groups[rows])) == 1:
            said.append(
                f'all faces of {label} belong together (copies, one video or one folder), so '
                'nothing is known of how it does on others'
            )
    if len(targets) < FEW_FACES:
        said.append(
            f"{len(targets)} faces are few: the threshold for unknown is the shipped model's"
        )
    if len(targets) >= MANY_FACES:
        said.append(
            f'with {len(targets)} faces all layers can learn: see "The training engine" in '
            'docs/train_on_your_own_faces.md (start: shipped)'
        )
    joined = len(targets) - int(groups.max()) - 1
    if joined:
        said.append(f'{joined} faces are copies or neighbours of others and were tested with them')
    return said


def _new_card(
    base: EmotionModelCard,
    lesson: Lesson,
    temperature: float,
    model_id: str,
    figures: dict[str, Any],
) -> EmotionModelCard:
    """Return the card of the new model, without files."""
    threshold = base.head()[0].unknown_threshold
    return dataclasses.replace(
        base,
        id=model_id,
        heads=(OutputHead('own', lesson.labels, temperature, threshold),),
        default_head='own',
        about={
            'started_from': base.id,
            'trained': 'the last layer',
            'pull': lesson.pull,
            'faces': lesson.faces.counts()['training'],
            'left_out': {label: dict(why) for label, why in lesson.faces.left_out.items()},
            'groups': lesson.groups,
            'shipped_accuracy': lesson.shipped.accuracy,
            'gain_95_percent': list(lesson.gain),
            'warnings': list(lesson.warnings),
            'metrics': {'held_back': figures},
        },
    )
