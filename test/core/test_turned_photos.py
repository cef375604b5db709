# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""People who lie or stand on their head: found on photos, whichever way up."""

from __future__ import annotations

import numpy as np
import pytest

from fer_ros import EmotionPipeline
from fer_ros.detection.turning import detect_any_way_up, lying, turned_back
from fer_ros.reader import FaceReader
from fer_ros.types import FaceDetections


@pytest.mark.parametrize('quarters', range(4))
def test_boxes_and_landmarks_turn_back(quarters: int) -> None:
    image = np.zeros((50, 80))
    image[10:14, 60:66] = 1
    rows, columns = np.nonzero(np.rot90(image, quarters))
    corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    points = np.full((1, 5, 2), np.nan, np.float32)
    points[0, 0] = np.mean([corners[:2], corners[2:]], axis=0)
    turned = FaceDetections(np.array([corners], np.float32), points, np.ones(1, np.float32))
    found = turned_back(turned, quarters, image.shape)
    assert found.boxes_xyxy.tolist() == [[60, 10, 66, 14]]
    assert found.landmarks[0, 0].tolist() == [63, 12]


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


def test_a_doubtful_face_that_fits_better_turned_lies() -> None:
    """A detector that is surer of an image the brighter its last column is."""

    def detect(image: np.ndarray) -> FaceDetections:
        box = np.array([[30, 30, 70, 70]], np.float32)
        score = np.array([image[:, -1].mean() / 255], np.float32)
        return FaceDetections(box, np.zeros((1, 5, 2), np.float32), score)

    image = np.zeros((100, 100, 3), np.uint8)
    image[:20] = 200
    for score, expected in ((0.9, False), (0.84, False), (0.6, True)):
        found = FaceDetections(
            np.array([[30, 30, 70, 70]], np.float32),
            np.zeros((1, 5, 2), np.float32),
            np.array([score], np.float32),
        )
        assert lying(detect, image, found, 40).tolist() == [expected], score


@pytest.mark.parametrize('quarters', [0, 1, 2, 3])
@pytest.mark.parametrize('name', ['astronaut', 'hopper'])
def test_who_lies_in_a_stream_is_not_read_at_random(
    name: str, quarters: int, request: pytest.FixtureRequest
) -> None:
    image = np.ascontiguousarray(np.rot90(request.getfixturevalue(name), quarters))
    pipeline = EmotionPipeline()
    frames = [pipeline.process(image, number / 10) for number in range(3)]
    assert [len(frame.faces) for frame in frames] == [int(quarters == 0)] * 3
