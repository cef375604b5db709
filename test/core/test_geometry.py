# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from fer_ros.geometry import (
    clip_boxes,
    non_maximum_suppression,
    pairwise_iou,
    similarity_transform,
)


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    'first, second, expected',
    [
        pytest.param(boxes(), boxes((0, 0, 1, 1)), np.zeros((0, 1)), id='no boxes'),
        pytest.param(boxes((0, 0, 2, 2)), boxes((0, 0, 2, 2)), [[1]], id='the same'),
        pytest.param(boxes((0, 0, 2, 2)), boxes((1, 0, 3, 2)), [[1 / 3]], id='half over'),
        pytest.param(boxes((0, 0, 2, 2)), boxes((2, 0, 4, 2)), [[0]], id='edges touch'),
        pytest.param(boxes((0, 0, 4, 4)), boxes((1, 1, 3, 3)), [[0.25]], id='inside'),
        pytest.param(boxes((0, 0, 0, 4)), boxes((0, 0, 0, 4)), [[0]], id='no area'),
        pytest.param(boxes((2, 2, 0, 0)), boxes((0, 0, 2, 2)), [[0]], id='inside out'),
    ],
)
def test_iou(first: np.ndarray, second: np.ndarray, expected: object) -> None:
    assert np.allclose(pairwise_iou(first, second), expected)


@pytest.mark.parametrize(
    'rows, scores, expected',
    [
        pytest.param(boxes(), [], [], id='no boxes'),
        pytest.param(boxes((0, 0, 4, 4), (0, 0, 4, 4)), [0.5, 0.9], [1], id='twins'),
        pytest.param(boxes((0, 0, 4, 4), (9, 9, 12, 12)), [0.5, 0.9], [1, 0], id='best first'),
        pytest.param(
            boxes((0, 0, 4, 4), (2, 0, 6, 4), (4, 0, 8, 4)),
            [0.9, 0.8, 0.7],
            [0, 2],
            id='one that is dropped drops nothing itself',
        ),
    ],
)
def test_non_maximum_suppression(rows: np.ndarray, scores: list, expected: list) -> None:
    kept = non_maximum_suppression(pairwise_iou(rows, rows) > 0.3, np.array(scores, np.float32))
    assert kept.tolist() == expected


def test_boxes_are_cut_at_the_border() -> None:
    cut = clip_boxes(boxes((-5, -5, 700, 500)), (480, 640))
    assert cut.tolist() == [[0, 0, 640, 480]]


TEMPLATE = np.array([(15, 18), (32, 18), (23, 28), (16, 37), (30, 37)], np.float32)


@pytest.mark.parametrize(
    'angle_deg, scale, shift',
    [
        pytest.param(0, 1, (0, 0), id='identity'),
        pytest.param(0, 4, (100, 50), id='larger and elsewhere'),
        pytest.param(30, 0.5, (-3, 8), id='turned and smaller'),
        pytest.param(180, 2, (0, 0), id='upside down'),
    ],
)
def test_similarity_undoes_what_moved_the_points(
    angle_deg: float, scale: float, shift: tuple
) -> None:
    angle = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (TEMPLATE @ turn.T + shift).astype(np.float32)
    matrix = similarity_transform(moved[None], TEMPLATE)[0]
    assert np.allclose(moved @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-3)


def test_similarity_never_mirrors() -> None:
    mirrored = TEMPLATE * (-1, 1)
    matrix = similarity_transform(mirrored[None].astype(np.float32), TEMPLATE)[0]
    assert np.linalg.det(matrix[:, :2]) >= 0


def test_points_that_coincide_give_a_finite_matrix() -> None:
    matrix = similarity_transform(np.full((1, 5, 2), 7, np.float32), TEMPLATE)[0]
    assert np.isfinite(matrix).all()
