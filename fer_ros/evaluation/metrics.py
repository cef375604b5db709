# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a table of probabilities is worth against labels; undefined values are None, never 0."""

from __future__ import annotations

import numpy as np

from fer_ros.types import Float32Array, Int64Array

ECE_BINS = 15


def confusion_matrix(targets: Int64Array, predictions: Int64Array, classes: int) -> Int64Array:
    """Return int64 (C, C): rows are the targets, columns the predictions."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predictions), 1)
    return matrix


def accuracy(matrix: Int64Array) -> float | None:
    """Return the share of correct predictions, None without faces."""
    total = int(matrix.sum())
    return float(np.trace(matrix)) / total if total else None


def balanced_accuracy(matrix: Int64Array) -> float | None:
    """Return the mean recall over the classes that occur, None without faces."""
    support = matrix.sum(axis=1)
    there = support > 0
    if not there.any():
        return None
    return float(np.mean(np.diag(matrix)[there] / support[there]))


def per_class(matrix: Int64Array, labels: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
    """Return {label: {precision, recall, f1, support}}.

    Precision is None where a class was never predicted, recall where it never occurs, F1 where
    either is undefined.
    """
    result: dict[str, dict[str, float | None]] = {}
    for index, label in enumerate(labels):
        right = int(matrix[index, index])
        predicted, support = int(matrix[:, index].sum()), int(matrix[index].sum())
        precision = right / predicted if predicted else None
        recall = right / support if support else None
        f1 = None
        if precision is not None and recall is not None:
            f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        result[label] = {'precision': precision, 'recall': recall, 'f1': f1, 'support': support}
    return result


def reliability(
    probabilities: Float32Array, targets: Int64Array, bins: int = ECE_BINS
) -> list[dict[str, float | int]]:
    """Return, for each confidence bin that has faces, its mean confidence, accuracy and count."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        {
            'confidence': float(confidence[index == bin_].mean()),
            'accuracy': float(right[index == bin_].mean()),
            'count': int((index == bin_).sum()),
        }
        for bin_ in range(bins)
        if (index == bin_).any()
    ]


def expected_calibration_error(
    probabilities: Float32Array, targets: Int64Array, bins: int = ECE_BINS
) -> float | None:
    """Return the mean gap between confidence and accuracy over equal bins (arXiv 1706.04599)."""
    if not len(targets):
        return None
    rows = reliability(probabilities, targets, bins)
    gaps = sum(row['count'] * abs(row['confidence'] - row['accuracy']) for row in rows)
    return float(gaps / len(targets))


def coverage_curve(
    probabilities: Float32Array, targets: Int64Array, thresholds: Float32Array
) -> list[dict[str, float | None]]:
    """Return, for each confidence threshold, the share of faces above it and their accuracy."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    curve: list[dict[str, float | None]] = []
    for threshold in thresholds:
        confident = confidence >= threshold
        curve.append(
            {
                'threshold': float(threshold),
                'coverage': float(confident.mean()) if len(confident) else None,
                'accuracy': float(right[confident].mean()) if confident.any() else None,
            }
        )
    return curve


def common_confusions(
    matrix: Int64Array, labels: tuple[str, ...], count: int = 8
) -> list[dict[str, str | int | float]]:
    """Return the pairs of classes most often taken for each other, both ways counted together."""
    pairs = [
        (int(matrix[i, j] + matrix[j, i]), i, j)
        for i in range(len(labels))
        for j in range(i + 1, len(labels))
    ]
    wrong = max(int(matrix.sum() - np.trace(matrix)), 1)
    return [
        {
            'first': labels[i],
            'second': labels[j],
            'first_as_second': int(matrix[i, j]),
            'second_as_first': int(matrix[j, i]),
            'share_of_errors': total / wrong,
        }
        for total, i, j in sorted(pairs, reverse=True)[:count]
        if total
    ]
