# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""People who lie or stand on their head: found on photos, whichever way up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros import EmotionPipeline
from fer_ros.detection.turning import detect_any_way_up, misread, turn_around, turned_back
from fer_ros.reader import FaceReader
from fer_ros.types import FaceDetections


@pytest.mark.parametrize('degrees', range(0, 360, 45))
def test_boxes_and_landmarks_turn_back(degrees: int) -> None:
    matrix = turn_around(np.array([40, 25], np.float32), degrees, 2.0, (300, 200))
    place = matrix[:, :2] @ [60, 10] + matrix[:, 2]
    if degrees == 90:
        np.testing.assert_allclose(place, [150 - 2 * 15, 100 - 2 * 20], atol=1e-3)
    box = np.concatenate([place - 8, place + 8])[None].astype(np.float32)
    points = np.tile(place, (1, 5, 1)).astype(np.float32)
    found = turned_back(FaceDetections(box, points, np.ones(1, np.float32)), matrix)
    np.testing.assert_allclose(found.boxes_xyxy, [[56, 6, 64, 14]], atol=1e-3)
    np.testing.assert_allclose(found.landmarks[0], [[60, 10]] * 5, atol=1e-3)


def test_an_image_with_an_upright_face_is_looked_at_once() -> None:
    calls = []

    def detect(image: np.ndarray) -> FaceDetections:
        calls.append(image.shape)
        box = np.array([[0, 0, 9, 9]], np.float32)
        return FaceDetections(box, np.zeros((1, 5, 2), np.float32), np.ones(1, np.float32))

    assert len(detect_any_way_up(detect, np.zeros((20, 30, 3), np.uint8))) == 1
    assert calls == [(20, 30, 3)]


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_a_lying_astronaut_reads_as_an_upright_one(astronaut: np.ndarray, quarters: int) -> None:
    reader = FaceReader()
    upright = reader.read_photo(astronaut).faces[0]
    (lying,) = reader.read_photo(np.ascontiguousarray(np.rot90(astronaut, quarters))).faces
    assert lying.label == upright.label
    assert lying.probabilities == pytest.approx(upright.probabilities, abs=0.3)


def test_a_doubtful_face_is_misread_where_it_fits_better_turned_with_other_landmarks() -> None:
    """A detector that sees one face in the sixth of the turned views, that by 270 degrees."""
    scene = np.array([[40, 40], [60, 40], [50, 50], [42, 60], [58, 60]], np.float32)
    turn = turn_around(np.array([50, 50], np.float32), 270, 70 / 40, (160, 160))

    def detect(image: np.ndarray) -> FaceDetections:
        assert image.shape == (160, 7 * 160, 3)
        points = scene @ turn[:, :2].T + turn[:, 2] + np.float32([5 * 160, 0])
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return FaceDetections(box[None], points[None], np.array([0.88], np.float32))

    image = np.zeros((100, 100, 3), np.uint8)
    turned = np.roll(scene, 1, axis=0)
    for score, points, expected in (
        (0.95, turned, False),
        (0.89, turned, False),
        (0.8, turned, True),
        (0.8, scene, False),
    ):
        box = np.array([[30, 30, 70, 70]], np.float32)
        found = FaceDetections(box, points[None], np.array([score], np.float32))
        assert misread(detect, image, found, 40).tolist() == [expected], score


def test_everybody_on_a_photo_is_found_the_way_up_they_are() -> None:
    """Somebody upright on the left, and somebody scored higher upside down on the right."""

    def detect(image: np.ndarray) -> FaceDetections:
        rows, columns = np.nonzero(image[..., 0] == 255)
        if not len(rows) or rows[0] < 60:
            box, score = [0, 0, 20, 20], 0.75
        else:
            box, score = [columns[0] - 10, rows[0] - 10, columns[0] + 10, rows[0] + 10], 0.8
        points = np.zeros((1, 5, 2), np.float32)
        return FaceDetections(np.array([box], np.float32), points, np.array([score], np.float32))

    image = np.zeros((100, 100, 3), np.uint8)
    image[20, 80] = 255
    found = detect_any_way_up(detect, image)
    np.testing.assert_allclose(found.scores, [0.8, 0.75])
    np.testing.assert_allclose(found.boxes_xyxy[1], [0, 0, 20, 20])


@pytest.mark.parametrize('degrees', [-45, 45])
def test_a_tilted_astronaut_reads_as_an_upright_one(astronaut: np.ndarray, degrees: int) -> None:
    reader, centre = FaceReader(), np.array([256, 256], np.float32)
    matrix = turn_around(centre, degrees, 0.7, (512, 512))
    (tilted,) = reader.read_photo(cv2.warpAffine(astronaut, matrix, (512, 512))).faces
    assert tilted.label == reader.read_photo(astronaut).faces[0].label


@pytest.mark.parametrize('quarters', [0, 1, 2, 3])
@pytest.mark.parametrize('name', ['astronaut', 'hopper'])
def test_who_lies_in_a_stream_is_not_read_at_random(
    name: str, quarters: int, request: pytest.FixtureRequest
) -> None:
    image = np.ascontiguousarray(np.rot90(request.getfixturevalue(name), quarters))
    pipeline = EmotionPipeline()
    frames = [pipeline.process(image, number / 10) for number in range(3)]
    assert [len(frame.faces) for frame in frames] == [int(quarters == 0)] * 3
