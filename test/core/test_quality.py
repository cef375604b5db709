# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros.config import QualityConfig
from fer_ros.recognition.quality import QUALITY_REASONS, assess_quality
from fer_ros.types import AlignedFaces, FaceDetections

RNG = np.random.default_rng(1)
SHARP = RNG.integers(40, 216, (48, 48), np.uint8)
LANDMARKS = np.array([[30, 40], [70, 40], [50, 60], [34, 78], [66, 78]], np.float32)

NOSE_ASIDE = np.array([[0, 0], [0, 0], [25, 0], [0, 0], [0, 0]], np.float32)


def assess(crop: np.ndarray, box: tuple = (0, 0, 100, 100), landmarks: np.ndarray = LANDMARKS):
    detections = FaceDetections(
        np.array([box], np.float32), landmarks[None].astype(np.float32), np.ones(1, np.float32)
    )
    aligned = AlignedFaces(crop[None], np.zeros((1, 2, 3), np.float32), np.zeros(1, np.int64))
    return assess_quality(detections, aligned, (480, 640), QualityConfig())[0]


@pytest.mark.parametrize(
    'crop, box, landmarks, expected',
    [
        pytest.param(SHARP, (0, 0, 100, 100), LANDMARKS, (), id='good'),
        pytest.param(SHARP, (0, 0, 20, 20), LANDMARKS, ('too_small',), id='small'),
        pytest.param(
            cv2.GaussianBlur(SHARP, (0, 0), 6), (0, 0, 100, 100), LANDMARKS, ('blurred',), id='blur'
        ),
        pytest.param(SHARP // 8, (0, 0, 100, 100), LANDMARKS, ('dark',), id='dark'),
        pytest.param(
            (225 + SHARP // 8).astype(np.uint8),
            (0, 0, 100, 100),
            LANDMARKS,
            ('overexposed',),
            id='bright',
        ),
        pytest.param(
            SHARP, (0, 0, 100, 100), LANDMARKS + NOSE_ASIDE,
            ('turned_away',), id='turned',
        ),
        pytest.param(SHARP, (-40, 0, 60, 100), LANDMARKS, ('cut_off',), id='left edge'),
        pytest.param(SHARP, (600, 0, 700, 100), LANDMARKS, ('cut_off',), id='right edge'),
        pytest.param(
            SHARP, (0, 0, 100, 100), np.full((5, 2), np.nan), (), id='no landmarks say nothing'
        ),
        pytest.param(
            np.zeros((48, 48, 3), np.uint8), (0, 0, 9, 9), LANDMARKS, ('too_small', 'dark'),
            id='several reasons, colour crop',
        ),
    ],
)  # fmt: skip
def test_reasons(crop: np.ndarray, box: tuple, landmarks: np.ndarray, expected: tuple) -> None:
    assert assess(crop, box, landmarks) == expected


def test_no_faces_have_no_reasons() -> None:
    nobody = AlignedFaces(
        np.zeros((0, 48, 48), np.uint8), np.zeros((0, 2, 3), np.float32), np.zeros(0, np.int64)
    )
    assert assess_quality(FaceDetections.empty(), nobody, (9, 9), QualityConfig()) == []


def test_reasons_are_the_bits_of_the_message() -> None:
    from fer_msgs.msg import Emotion

    for bit, name in enumerate(QUALITY_REASONS):
        assert getattr(Emotion, f'QUALITY_{name.upper()}') == 1 << bit


@pytest.mark.parametrize(
    'left, top, cut_off',
    [
        pytest.param(100, 100, False, id='inside'),
        pytest.param(0, 0, False, id='in the corner'),
        pytest.param(-40, 100, True, id='left'),
        pytest.param(100, -40, True, id='above'),
        pytest.param(580, 100, True, id='right'),
        pytest.param(100, 420, True, id='below'),
    ],
)
def test_a_box_around_the_visible_half_is_cut_off_all_the_same(
    left: float, top: float, cut_off: bool
) -> None:
    """A crop of 48 px from 96 image pixels at (left, top); the box ends at the image's border."""
    matrix = np.array([[[0.5, 0, -left / 2], [0, 0.5, -top / 2]]], np.float32)
    aligned = AlignedFaces(SHARP[None], matrix, np.zeros(1, np.int64))
    box = np.array([[max(left, 0), max(top, 0), min(left + 96, 640), min(top + 96, 480)]])
    faces = FaceDetections(
        box.astype(np.float32), np.full((1, 5, 2), np.nan, np.float32), np.ones(1, np.float32)
    )
    (reasons,) = assess_quality(faces, aligned, (480, 640), QualityConfig())
    assert ('cut_off' in reasons) == cut_off
