# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from fer_ros.types import AlignedFaces, EmotionScores, FaceDetections, check_image


def detections(count: int) -> FaceDetections:
    return FaceDetections(
        np.arange(4 * count, dtype=np.float32).reshape(count, 4),
        np.zeros((count, 5, 2), np.float32),
        np.linspace(1, 0.5, count, dtype=np.float32),
    )


@pytest.mark.parametrize(
    'image, message',
    [
        pytest.param([[1]], 'expected a numpy array, got list', id='list'),
        pytest.param(np.zeros((4, 4), np.uint8), r'got uint8 \(4, 4\)', id='grey'),
        pytest.param(np.zeros((4, 4, 4), np.uint8), r'got uint8 \(4, 4, 4\)', id='four channels'),
        pytest.param(np.zeros((4, 4, 3), np.float32), 'got float32', id='float'),
        pytest.param(np.zeros((0, 4, 3), np.uint8), 'at least one pixel', id='no rows'),
        pytest.param(np.zeros((4, 0, 3), np.uint8), 'at least one pixel', id='no columns'),
    ],
)
def test_an_image_of_the_wrong_kind_is_named(image: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_image(image)  # type: ignore[arg-type]


def test_empty_detections_have_all_shapes() -> None:
    empty = FaceDetections.empty()
    assert len(empty) == 0
    assert empty.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize(
    'index, rows',
    [
        pytest.param(slice(0, 2), [0, 1], id='slice'),
        pytest.param(np.array([2, 0]), [2, 0], id='indices in their order'),
        pytest.param(np.array([False, True, False]), [1], id='mask'),
        pytest.param(np.zeros(0, np.int64), [], id='nothing'),
    ],
)
def test_selecting_keeps_boxes_landmarks_and_scores_together(index: object, rows: list) -> None:
    chosen = detections(3)[index]  # type: ignore[index]
    assert chosen.boxes_xyxy[:, 0].tolist() == [4.0 * row for row in rows]
    assert np.allclose(chosen.scores, [1 - 0.25 * row for row in rows])


@pytest.mark.parametrize(
    'boxes, landmarks, scores, message',
    [
        pytest.param(
            (1, 4), (2, 5, 2), (1,), r'landmarks: expected float32 \(1, 5, 2\)', id='rows'
        ),
        pytest.param((1, 5), (1, 5, 2), (1,), r'boxes_xyxy: expected float32 \(N, 4\)', id='width'),
        pytest.param((1, 4), (1, 5, 2), (1, 1), r'scores: expected float32 \(1\)', id='rank'),
    ],
)
def test_arrays_that_drift_apart_are_refused(
    boxes: tuple, landmarks: tuple, scores: tuple, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FaceDetections(*(np.zeros(shape, np.float32) for shape in (boxes, landmarks, scores)))


def test_crops_may_be_grey_or_colour() -> None:
    matrices, index = np.zeros((2, 2, 3), np.float32), np.arange(2)
    assert len(AlignedFaces(np.zeros((2, 48, 48), np.uint8), matrices, index)) == 2
    assert len(AlignedFaces(np.zeros((2, 48, 48, 3), np.uint8), matrices, index)) == 2


@pytest.mark.parametrize(
    'rows, message',
    [
        pytest.param([[0.5, 0.5, 0.0]], r'expected float32 \(N, 2\)', id='one column too many'),
        pytest.param([[0.5, 0.4]], 'rows that sum to 1', id='sum'),
        pytest.param([[np.nan, 1.0]], 'rows that sum to 1', id='not a number'),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(rows: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EmotionScores(np.array(rows, np.float32), ('happy', 'sad'))
