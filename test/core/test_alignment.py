# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.recognition.alignment import LANDMARKS_IN_BOX, align_faces
from fer_ros.types import FaceDetections

TEMPLATE = np.array(FER2013_TEMPLATE_48PX, np.float32)
DOT = 200


def face_with_dots(scale: float, angle_deg: float, shift: tuple[float, float]) -> tuple:
    """An image with a white disc on each landmark, and its detection."""
    angle = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE @ turn.T + shift).astype(np.float32)
    image = np.zeros((480, 640, 3), np.uint8)
    for x, y in points:
        cv2.circle(image, (round(float(x)), round(float(y))), round(1.5 * scale), (DOT,) * 3, -1)
    low, high = points.min(axis=0), points.max(axis=0)
    box = np.concatenate([low - 10 * scale, high + 10 * scale]).astype(np.float32)
    return image, FaceDetections(box[None], points[None], np.ones(1, np.float32))


@pytest.mark.parametrize(
    'scale, angle_deg, shift',
    [
        pytest.param(1.0, 0, (200, 200), id='as large as the crop'),
        pytest.param(6.0, 0, (100, 100), id='six times as large'),
        pytest.param(4.0, 25, (300, 100), id='tilted'),
        pytest.param(3.0, -70, (100, 300), id='lying'),
    ],
)
def test_landmarks_land_on_the_template(scale: float, angle_deg: float, shift: tuple) -> None:
    image, detections = face_with_dots(scale, angle_deg, shift)
    crop = align_faces(image, detections, FER2013_TEMPLATE_48PX, 48).crops[0]
    assert crop.shape == (48, 48)
    for x, y in TEMPLATE:
        column, row = round(float(x)), round(float(y))
        patch = crop[row - 1 : row + 2, column - 1 : column + 2]
        assert patch.max() > 0.8 * DOT, (x, y)
    assert crop[3, 3] == 0


def test_a_large_face_is_averaged_not_sampled() -> None:
    """One pixel in eight of a fine checkerboard is black or white; its mean is grey."""
    board = (np.indices((480, 480)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(board[..., None], 3, axis=2)
    points = (TEMPLATE * 8 + 40).astype(np.float32)
    box = np.array([[80, 80, 400, 400]], np.float32)
    detections = FaceDetections(box, points[None], np.ones(1, np.float32))
    crop = align_faces(image, detections, FER2013_TEMPLATE_48PX, 48).crops[0]
    assert abs(float(crop[8:40, 8:40].mean()) - 127) < 3
    assert float(crop[8:40, 8:40].std()) < 12


def test_without_landmarks_the_box_places_the_face() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    nothing = np.full((1, 5, 2), np.nan, np.float32)
    box = np.array([[50, 60, 150, 170]], np.float32)
    guessed = (box[:, None, :2] + np.array(LANDMARKS_IN_BOX) * (100, 110)).astype(np.float32)
    both = [
        align_faces(
            image, FaceDetections(box, points, np.ones(1, np.float32)), FER2013_TEMPLATE_48PX, 48
        ).image_to_crop
        for points in (nothing, guessed)
    ]
    assert np.allclose(both[0], both[1], atol=1e-3)


@pytest.mark.parametrize(
    'box',
    [
        pytest.param((10, 10, 10, 50), id='no width'),
        pytest.param((50, 50, 10, 10), id='inside out'),
        pytest.param((np.nan, 0, 10, 10), id='not a number'),
    ],
)
def test_a_box_without_area_is_left_out_and_the_next_keeps_its_index(box: tuple) -> None:
    good = (100, 100, 160, 170)
    detections = FaceDetections(
        np.array([box, good], np.float32),
        np.full((2, 5, 2), np.nan, np.float32),
        np.ones(2, np.float32),
    )
    aligned = align_faces(np.zeros((200, 200, 3), np.uint8), detections, FER2013_TEMPLATE_48PX, 48)
    assert aligned.source_index.tolist() == [1]


@pytest.mark.parametrize('channels, shape', [(1, (0, 48, 48)), (3, (0, 48, 48, 3))])
def test_no_faces_give_no_crops(channels: int, shape: tuple) -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    aligned = align_faces(image, FaceDetections.empty(), FER2013_TEMPLATE_48PX, 48, channels)
    assert aligned.crops.shape == shape


def test_a_face_outside_the_picture_gives_a_crop_all_the_same() -> None:
    box = np.array([[-300, -300, -200, -200]], np.float32)
    detections = FaceDetections(box, np.full((1, 5, 2), np.nan, np.float32), np.ones(1, np.float32))
    aligned = align_faces(np.full((20, 20, 3), 9, np.uint8), detections, FER2013_TEMPLATE_48PX, 48)
    assert aligned.crops.shape == (1, 48, 48)
