# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from fer_ros.evaluation import metrics
from fer_ros.evaluation.robustness import CONDITIONS, apply_condition

# Three classes; the third never occurs, and is predicted once.
TRUTH = np.array([0, 0, 0, 0, 1, 1])
PREDICTIONS = np.array([0, 0, 0, 1, 1, 2])
MATRIX = np.array([[3, 1, 0], [0, 1, 1], [0, 0, 0]])
EMPTY = np.zeros((2, 2), np.int64)


def test_confusion_has_the_truth_in_rows() -> None:
    np.testing.assert_array_equal(metrics.confusion_matrix(TRUTH, PREDICTIONS, 3), MATRIX)


@pytest.mark.parametrize(
    'matrix, accuracy, balanced',
    [
        pytest.param(EMPTY, None, None, id='no faces'),
        pytest.param(MATRIX, 4 / 6, (3 / 4 + 1 / 2) / 2, id='a class that never occurs'),
        pytest.param(np.diag([5, 1]), 1.0, 1.0, id='all right'),
    ],
)
def test_accuracies(matrix: np.ndarray, accuracy: float | None, balanced: float | None) -> None:
    assert metrics.accuracy(matrix) == pytest.approx(accuracy)
    assert metrics.balanced_accuracy(matrix) == pytest.approx(balanced)


def test_undefined_figures_of_a_class_are_none() -> None:
    rows = metrics.per_class(MATRIX, ('angry', 'fear', 'sad'))
    assert rows['angry'] == pytest.approx(
        {'precision': 1.0, 'recall': 0.75, 'f1': 6 / 7, 'support': 4}
    )
    assert rows['fear'] == pytest.approx({'precision': 0.5, 'recall': 0.5, 'f1': 0.5, 'support': 2})
    assert rows['sad'] == {'precision': 0.0, 'recall': None, 'f1': None, 'support': 0}
    never = metrics.per_class(np.array([[0, 2], [0, 1]]), ('angry', 'fear'))['angry']
    assert never == {'precision': None, 'recall': 0.0, 'f1': None, 'support': 2}


def table(*confidences: float) -> np.ndarray:
    return np.array([[c, 1 - c] for c in confidences], np.float32)


@pytest.mark.parametrize(
    'probabilities, truth, expected',
    [
        pytest.param(table(), [], None, id='no faces'),
        pytest.param(table(1, 1), [0, 0], 0.0, id='sure and right'),
        pytest.param(table(1, 1), [0, 1], 0.5, id='sure, half right'),
        # Two bins: 0.6 with accuracy 0 and 0.9 with accuracy 1: (0.6 + 0.1) / 2.
        pytest.param(table(0.6, 0.9), [1, 0], 0.35, id='two bins'),
    ],
)
def test_calibration_error(
    probabilities: np.ndarray, truth: list[int], expected: float | None
) -> None:
    probabilities = probabilities.reshape(-1, 2)
    found = metrics.expected_calibration_error(probabilities, np.array(truth, np.int64), bins=10)
    assert found == pytest.approx(expected)


def test_coverage_falls_and_accuracy_rises_with_the_threshold() -> None:
    rows = metrics.coverage_curve(
        table(0.6, 0.9), np.array([1, 0]), np.array([0.0, 0.7, 0.95], np.float32)
    )
    assert [row['coverage'] for row in rows] == [1.0, 0.5, 0.0]
    assert [row['accuracy'] for row in rows] == [0.5, 1.0, None]


def test_pairs_are_counted_both_ways_the_worst_first() -> None:
    matrix = np.array([[5, 2, 0], [3, 5, 0], [1, 0, 5]])
    rows = metrics.common_confusions(matrix, ('sad', 'neutral', 'fear'))
    assert [(row['first'], row['second']) for row in rows] == [('sad', 'neutral'), ('sad', 'fear')]
    assert (rows[0]['first_as_second'], rows[0]['second_as_first']) == (2, 3)
    assert rows[0]['share_of_errors'] == pytest.approx(5 / 6)


@pytest.mark.parametrize('name', CONDITIONS)
def test_every_condition_changes_faces_the_same_way_each_time(name: str) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    changed = apply_condition(faces, name)
    assert changed.shape == faces.shape
    assert not np.array_equal(changed, faces)
    np.testing.assert_array_equal(changed, apply_condition(faces, name))
    assert apply_condition(faces[:0], name).shape == (0, 48, 48)


def test_low_light_follows_its_formula() -> None:
    faces = np.full((1, 48, 48), 204, np.uint8)
    dark = apply_condition(faces, 'low_light_middle')
    assert dark.mean() == pytest.approx(255 * 0.25 * 0.8**2.2, abs=0.3)
    assert dark.std() == pytest.approx(2.0, abs=0.2)


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(ValueError, match="got 'fog'"):
        apply_condition(np.zeros((1, 48, 48), np.uint8), 'fog')
