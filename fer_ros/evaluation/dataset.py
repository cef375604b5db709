# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An emotion model measured on labelled faces: what ``fer evaluate dataset`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fer_ros.data.datasets import read_faces
from fer_ros.data.face_set import LABEL_KINDS, NO_LABEL, FaceSet, occurs_in
from fer_ros.data.folders import Cutter, read_unlabelled
from fer_ros.errors import DataError
from fer_ros.evaluation import metrics
from fer_ros.evaluation.groups import (
    STABILITY_CONDITIONS,
    group_figures,
    group_rows,
    group_stability,
    read_groups,
)
from fer_ros.evaluation.protocols import counted_faces, ten_crops
from fer_ros.evaluation.robustness import CONDITIONS, apply_condition
from fer_ros.evaluation.watch import Watch, unwatched
from fer_ros.models.card import EmotionModelCard, OutputHead
from fer_ros.types import EmotionScores, Float32Array, Int64Array, UInt8Array

BATCH = 64
THRESHOLDS = np.linspace(0, 0.95, 20, dtype=np.float32)


class Classifier(Protocol):
    """What is measured; fer_ros.recognition.classifier.EmotionClassifier is one."""

    card: EmotionModelCard

    def classify(self, crops: UInt8Array, head: str = '') -> EmotionScores:
        """Return the probabilities of one head for uint8 (M, S, S) faces."""


@dataclass(frozen=True)
class DatasetReport:
    """Figures of one model on one split with one kind of labels.

    Attributes:
        dataset: name of the data.
        split: one of SPLITS.
        kind: 'fer2013' or 'ferplus': what counted as the target.
        model: id of the model.
        head: the head used.
        probabilities: float32 (N, C), calibrated.
        targets: int64 (N,).
        images: uint8 (N, S, S), the faces.
        in_training: bool (N,): faces that occur among the data's training faces, pixel for pixel.
        agreed: bool (N,): faces of which most votes say the same; None where there are no votes.
        conditions: {condition: confusion matrix, int64 (C, C)}; empty where not measured.
        protocol: see fer_ros.evaluation.protocols.
        flip_tta: whether each face was averaged with its mirror image.
        files: where each face came from, as FaceSet.files says.
        left_out: {class: {reason: files}} that hold no face; see FaceSet.
        summary: a line per class of how many faces it has and what was left out.
    """

    dataset: str
    split: str
    kind: str
    model: str
    head: OutputHead
    probabilities: Float32Array
    targets: Int64Array
    images: UInt8Array
    in_training: np.ndarray
    agreed: np.ndarray | None = None
    conditions: dict[str, Int64Array] = field(default_factory=dict)
    protocol: str = 'plurality'
    flip_tta: bool = False
    files: tuple[str, ...] = ()
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    summary: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the class names in column order."""
        return self.head.labels

    @property
    def matrix(self) -> Int64Array:
        """Return the confusion matrix, int64 (C, C); rows are the target."""
        return self._matrix(slice(None))

    def _matrix(self, rows: Any) -> Int64Array:
        predictions = self.probabilities[rows].argmax(axis=1)
        return metrics.confusion_matrix(self.targets[rows], predictions, len(self.labels))

    def _part(self, rows: np.ndarray) -> dict[str, float | int | None]:
        """Return count and accuracies of the faces that *rows*, bool (N,), selects."""
        matrix = self._matrix(rows)
        return {
            'count': int(matrix.sum()),
            'accuracy': metrics.accuracy(matrix),
            'balanced_accuracy': metrics.balanced_accuracy(matrix),
        }

    def to_json_line(self) -> dict[str, Any]:
        """Return what ``fer evaluate dataset --json`` prints."""
        return {
            'accuracy': metrics.accuracy(self.matrix),
            'balanced_accuracy': metrics.balanced_accuracy(self.matrix),
            'expected_calibration_error': metrics.expected_calibration_error(
                self.probabilities, self.targets
            ),
            'count': len(self.targets),
            'labels': list(self.labels),
            'confusion_matrix': self.matrix.tolist(),
            'per_class': metrics.per_class(self.matrix, self.labels),
            'protocol': self.protocol,
            'flip_tta': self.flip_tta,
        }

    def by_group(self, rows: Mapping[str, Int64Array]) -> dict[str, Any]:
        """Return {group: figures} for {group: rows of its faces}; see group_figures."""
        threshold = self.head.unknown_threshold
        return group_figures(rows, self.probabilities, self.targets, self.labels, threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, for report.json."""
        clean = metrics.accuracy(self.matrix) or 0.0
        threshold = np.array([self.head.unknown_threshold], np.float32)
        return {
            'dataset': self.dataset,
            'split': self.split,
            'targets': self.kind,
            'truth': self.kind,  # its name in 0.1
            'model': self.model,
            'head': self.head.name,
            'left_out': {label: dict(reasons) for label, reasons in self.left_out.items()},
            **self.to_json_line(),
            'without_faces_seen_in_training': self._part(~self.in_training),
            'where_most_votes_agree': None if self.agreed is None else self._part(self.agreed),
            'reliability': metrics.reliability(self.probabilities, self.targets),
            'coverage': metrics.coverage_curve(self.probabilities, self.targets, THRESHOLDS),
            'at_unknown_threshold': metrics.coverage_curve(
                self.probabilities, self.targets, threshold
            )[0],
            'common_confusions': metrics.common_confusions(self.matrix, self.labels),
            'robustness': {
                name: {
                    'what': CONDITIONS[name][1],
                    'accuracy': metrics.accuracy(matrix),
                    'balanced_accuracy': metrics.balanced_accuracy(matrix),
                    'lost': clean - (metrics.accuracy(matrix) or 0.0),
                }
                for name, matrix in self.conditions.items()
            },
        }


def predict(
    classifier: Classifier,
    images: UInt8Array,
    head: str,
    watch: Watch = unwatched,
    title: str = 'faces',
) -> Float32Array:
    """Return float32 (N, C) probabilities of grey faces, some at a time."""
    parts = [
        classifier.classify(images[start : start + BATCH], head).probabilities
        for start in watch(range(0, len(images), BATCH), title)
    ]
    return np.concatenate(parts)


def predict_ten_crops(
    classifier: Classifier, images: UInt8Array, head: str, watch: Watch = unwatched
) -> Float32Array:
    """Return float32 (N, C) mean probabilities of ten crops of each face."""
    crops = ten_crops(images)
    parts = [
        predict(classifier, crop, head, watch, f'crop {number} of {len(crops)}')
        for number, crop in enumerate(crops, 1)
    ]
    return np.stack(parts).mean(axis=0)


def evaluate_faces(
    faces: FaceSet,
    split: str,
    kind: str,
    classifier: Classifier,
    robustness: bool = False,
    watch: Watch = unwatched,
    protocol: str = 'plurality',
) -> DatasetReport:
    """Measure a model on faces in memory; see ``evaluate_dataset``."""
    kind = kind or ('ferplus' if faces.split(split).votes.any() else 'fer2013')
    if kind not in LABEL_KINDS:
        raise ValueError(f'labels: expected one of {", ".join(LABEL_KINDS)}, got {kind!r}')
    names = [head.name for head in classifier.card.heads]
    head, _ = classifier.card.head(kind if kind in names else '')
    chosen = faces.split(split)
    classes = chosen.class_targets(kind, head.labels)
    rows = np.flatnonzero((classes != NO_LABEL) & counted_faces(faces, split, kind, protocol))
    if not len(rows):
        raise DataError(
            f'{faces.name}: no face in split {split!r} has {kind} labels that protocol '
            f'{protocol} counts'
        )
    targets = classes[rows]
    images = chosen.images[rows]
    measure = predict_ten_crops if protocol == 'ten-crop' else predict
    conditions = {}
    for name in CONDITIONS if robustness else ():
        changed = measure(classifier, apply_condition(images, name), head.name, watch)
        predictions = changed.argmax(axis=1)
        conditions[name] = metrics.confusion_matrix(targets, predictions, len(head.labels))
    learned = faces.images[faces.splits == 0]
    return DatasetReport(
        dataset=faces.name,
        split=split,
        kind=kind,
        model=classifier.card.id,
        head=head,
        probabilities=measure(classifier, images, head.name, watch),
        targets=targets,
        images=images,
        in_training=np.zeros(len(rows), bool)
        if split == 'training'
        else occurs_in(images, learned),
        agreed=chosen.agreed()[rows] if kind == 'ferplus' else None,
        conditions=conditions,
        protocol=protocol,
        flip_tta=classifier.card.mirror,
        files=chosen[rows].files,
        left_out=faces.left_out,
        summary=tuple(faces.summary()),
    )


def evaluate_dataset(
    path: Path,
    split: str,
    kind: str,
    classifier: Classifier,
    *,
    votes: Path | None = None,
    label_map: Mapping[str, str] | None = None,
    cut: Cutter | None = None,
    robustness: bool = False,
    watch: Watch = unwatched,
    protocol: str = 'plurality',
) -> DatasetReport:
    """Measure a model on labelled faces on disk.

    Args:
        path: an .npz, a .csv or a folder of classes (see fer_ros.data.datasets).
        split: one of SPLITS; a folder without split folders counts as whatever is asked for.
        kind: 'fer2013' (one label per face) or 'ferplus' (the plurality of the votes; a folder's
            label counts as its only vote); '' for 'ferplus' where there are votes. The head of
            that name is used, else the default head.
        classifier: the model.
        votes: FER+'s csv, for a .csv of faces.
        label_map: what the data's own labels mean; see fer_ros.labels.find_label.
        cut: finds the face of each photo of a folder; without it images are faces already cut out.
        robustness: also measure under every condition of fer_ros.evaluation.robustness.
        watch: wraps each pass over the faces, as a progress bar does.
        protocol: one of fer_ros.evaluation.protocols.PROTOCOLS.

    Raises:
        DataError: the data cannot be read or holds no such face.
        ConfigError: protocol and labels do not go together.
        ValueError: an unknown split, kind of labels or protocol.
    """
    faces = read_faces(
        Path(path),
        votes=votes,
        label_map=label_map,
        cut=cut,
        size_px=classifier.card.size_px,
        default_split=split,
    )
    return evaluate_faces(faces, split, kind, classifier, robustness, watch, protocol)


def evaluate_unlabelled(
    path: Path,
    groups: Path,
    classifier: Classifier,
    *,
    cut: Cutter | None = None,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Measure what needs no labels, by group: how often a model is confident, and how steadily.

    Args:
        path: folder of faces, at any depth.
        groups: csv, see read_groups.
        classifier: the model; its default head predicts.
        cut: finds the face of each photo; without it images are faces already cut out.
        watch: wraps each pass over the faces.

    Returns:
        count, without_group and groups, as group_stability gives them.

    Raises:
        DataError: faces or groups cannot be read, or have nothing in common.
    """
    faces = read_unlabelled(path, cut, classifier.card.size_px)
    rows = group_rows(faces.files, read_groups(groups), groups)
    changed = {
        name: predict(classifier, apply_condition(faces.images, name), '', watch, name)
        for name in STABILITY_CONDITIONS
    }
    threshold = classifier.card.head()[0].unknown_threshold
    probabilities = predict(classifier, faces.images, '', watch)
    return {
        'count': len(faces),
        'without_group': len(faces) - sum(map(len, rows.values())),
        'groups': group_stability(rows, probabilities, changed, threshold),
    }
