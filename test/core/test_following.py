# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces followed in crops: the same faces as by searching always, with few searches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros.config import DetectionConfig
from fer_ros.detection import FaceDetector, make_detector
from fer_ros.detection.following import FaceFollower
from fer_ros.types import FaceDetections

SHAPE_HW = (480, 640)


@pytest.fixture(scope='module')
def detector() -> FaceDetector:
    return make_detector(DetectionConfig())


class Stream:
    """A follower, and at which images the whole of them was searched."""

    def __init__(self, detector: FaceDetector, period_ms: float = 500.0) -> None:
        self.searched: list[int] = []
        self.number = -1
        self._detector = detector
        self._follower = FaceFollower(self._search, DetectionConfig(search_period_ms=period_ms))

    def _search(self, image: np.ndarray) -> FaceDetections:
        if image is self._image:
            self.searched.append(self.number)
        return self._detector.detect(image)

    def show(self, image: np.ndarray, stamp_s: float | None = None) -> FaceDetections:
        """Detect in the next image; they come ten per second unless they say otherwise."""
        self.number += 1
        self._image = image
        return self._follower.detect(image, self.number / 10 if stamp_s is None else stamp_s)


def scene(astronaut: np.ndarray, *places: tuple[int, int, float]) -> np.ndarray:
    """An image with the astronaut's head (a window of 140 px) at left, top, scaled."""
    image = np.full((*SHAPE_HW, 3), 90, np.uint8)
    head = astronaut[45:205, 155:295]
    for left, top, scale in places:
        window = cv2.resize(head, None, fx=scale, fy=scale)
        height, width = (
            min(n, limit - at) for n, limit, at in zip(window.shape[:2], SHAPE_HW, (top, left))
        )
        image[top : top + height, left : left + width] = window[:height, :width]
    return image


def test_two_people_who_move_and_grow_are_followed(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream = Stream(detector, 2000.0)
    for n in range(15):
        image = scene(astronaut, (20 + 12 * n, 30, 0.5), (350 - 5 * n, 150 - 8 * n, 1 + 0.05 * n))
        found, expected = stream.show(image), detector.detect(image)
        order, wanted = (np.argsort(d.boxes_xyxy[:, 0]) for d in (found, expected))
        eyes = np.linalg.norm(expected.landmarks[wanted, 0] - expected.landmarks[wanted, 1], axis=1)
        apart = np.linalg.norm(found.landmarks[order] - expected.landmarks[wanted], axis=2).mean(
            axis=1
        )
        assert (apart < 0.2 * eyes).all(), (n, apart, eyes)
    assert stream.searched == [0]


@pytest.mark.parametrize(
    'period_ms, searched', [(0.0, [0, 1, 2, 3, 4, 5]), (200.0, [0, 2, 4]), (1000.0, [0])]
)
def test_the_whole_image_is_searched_once_a_period(
    detector: FaceDetector, astronaut: np.ndarray, period_ms: float, searched: list[int]
) -> None:
    stream, image = Stream(detector, period_ms), scene(astronaut, (200, 100, 1.0))
    for n in range(6):
        assert len(stream.show(image, 0.1 * n + 1e-6 * n)) == 1
    assert stream.searched == searched


def test_a_newcomer_is_found_within_the_period(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream = Stream(detector, 300.0)
    empty, one = scene(astronaut), scene(astronaut, (40, 60, 1.0))
    two = scene(astronaut, (40, 60, 1.0), (400, 200, 1.0))
    counts = [len(stream.show(image)) for image in (empty, one, one, one, two, two, two, two)]
    assert counts[3] == 1
    assert counts[-1] == 2


def test_a_tall_newcomer_is_seen_half_way_at_half_the_size(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    """Faces of 55 and 110 px come in image 1; the tall one is found after 0.5 s."""
    stream = Stream(detector, 1000.0)
    places = (40, 60, 1.0), (250, 200, 1.0), (500, 60, 0.5)
    shown = [scene(astronaut, *places[:1])] + [scene(astronaut, *places)] * 10
    assert [len(stream.show(image)) for image in shown] == [1] * 5 + [2] * 5 + [3]
    assert stream.searched == [0, 10]


def test_who_is_lost_is_searched_for_at_once(detector: FaceDetector, astronaut: np.ndarray) -> None:
    stream = Stream(detector, 5000.0)
    here, there = scene(astronaut, (40, 60, 1.0)), scene(astronaut, (450, 250, 1.0))
    for image, middle in ((here, (105, 150)), (here, (105, 150)), (there, (515, 340))):
        (box,) = stream.show(image).boxes_xyxy
        assert (box[:2] + box[2:]) / 2 == pytest.approx(middle, abs=20)
    assert len(stream.show(scene(astronaut))) == 0
    assert stream.searched == [0, 2, 3]


def test_who_is_missed_for_a_moment_is_found_again_without_a_search(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream = Stream(detector, 5000.0)
    face, nothing = scene(astronaut, (200, 100, 1.0)), scene(astronaut)
    shown = (face, nothing, nothing, face, face)
    counts = [len(stream.show(image, n * 0.03)) for n, image in enumerate(shown)]
    assert counts == [1, 0, 0, 1, 1]
    assert stream.searched == [0, 1]


def test_who_is_lost_is_searched_for_ten_times_a_second_for_a_second(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream = Stream(detector, 5000.0)
    for n in range(50):
        stream.show(scene(astronaut, *((200, 100, 1.0),) * (n < 3)), n / 20 + 1e-6 * n)
    assert stream.searched == [0, *range(3, 24, 2)]


@pytest.mark.parametrize(
    'stamps',
    [
        pytest.param((5.0, 5.0, 5.0), id='stands still'),
        pytest.param((5.0, 4.9, 3.0), id='runs backward'),
        pytest.param((5.0, 1e9, 1e300), id='leaps ahead'),
    ],
)
def test_stamps_that_do_not_go_on_are_searched(
    detector: FaceDetector, astronaut: np.ndarray, stamps: tuple[float, ...]
) -> None:
    stream, image = Stream(detector), scene(astronaut, (200, 100, 1.0))
    assert [len(stream.show(image, stamp)) for stamp in stamps] == [1, 1, 1]
    assert stream.searched == [0, 1, 2]


def test_an_image_of_another_size_is_searched(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream, image = Stream(detector), scene(astronaut, (200, 100, 1.0))
    for shown in (image, np.ascontiguousarray(image[:, :500]), image):
        assert len(stream.show(shown)) == 1
    assert stream.searched == [0, 1, 2]


def test_many_faces_in_a_small_image_are_searched(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    """Thirty-four crops of 96x96 are more pixels than 640x480."""
    stream = Stream(detector)
    image = scene(astronaut, *((78 * n, 92 * m, 0.55) for n in range(8) for m in range(5)))
    counts = [len(stream.show(image)) for _ in range(2)]
    assert counts[0] == counts[1] >= 34
    assert stream.searched == [0, 1]


def test_a_face_that_leaves_the_image_is_followed_beyond_its_border(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    stream = Stream(detector, 5000.0)
    for n in range(4):
        found = stream.show(scene(astronaut, (520 + 10 * n, 100, 1.0)))
        assert len(found) == 1
    assert stream.searched == [0]
    assert found.boxes_xyxy[0, 2] > 635


def test_a_newcomer_has_to_be_surer_than_somebody_known() -> None:
    """Scores of one face, frame by frame, against a threshold of 0.7."""
    scores = iter([0.75, 0.8, 0.72, 0.72])

    def search(image: np.ndarray) -> FaceDetections:
        box = np.array([[100, 100, 180, 180]], np.float32)
        score = np.full(1, next(scores, 0.72) if image.shape[:2] == SHAPE_HW else 0.0, np.float32)
        return FaceDetections(box, np.zeros((1, 5, 2), np.float32), score)

    follower = FaceFollower(search, DetectionConfig(search_period_ms=0.0))
    image = np.zeros((*SHAPE_HW, 3), np.uint8)
    assert [len(follower.detect(image, number / 30)) for number in range(4)] == [0, 1, 1, 1]
