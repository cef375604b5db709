# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Ids that stay with the person where place alone cannot tell."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import TrackingConfig, replace
from fer_ros.people.appearance import Looks, describe
from fer_ros.people.tracking import MIN_LIKENESS, FaceTracker

ANNA, BERT = (1.0, 0.0), (0.28, 0.96)
"""Looks of unit length with a likeness of 0.28."""
HIDDEN, HALF_HIDDEN = (0.6, -0.8), (0.72, -0.69)
"""Less like Anna than she has to be, and then more so, but not familiar."""
HERE, THERE, AWAY = (100, 100), (400, 100), (400, 300)


def run(frames: list[list[tuple[tuple, tuple]]], rate_hz: float = 10.0) -> list[list[int]]:
    """Return the ids of frames of (look, left and top of a box of 60 px)."""
    tracker = FaceTracker(TrackingConfig(max_lost_s=1.0))
    ids = []
    for number, faces in enumerate(frames):
        boxes = np.array([(x, y, x + 60, y + 60) for _, (x, y) in faces], np.float32)
        looks = np.array([look for look, _ in faces], np.float32)
        found = tracker.update(boxes.reshape(-1, 4), number / rate_hz, looks.reshape(-1, 2))
        ids.append(found.tolist())
    return ids


@pytest.mark.parametrize(
    'frames, expected',
    [
        pytest.param(
            [[(ANNA, HERE)], [(BERT, HERE)], [(BERT, HERE)], [(ANNA, HERE)]],
            [[1], [2], [2], [1]],
            id='the view jumps to another and back',
        ),
        pytest.param(
            [[(ANNA, HERE)], [], [], [(BERT, HERE)]],
            [[1], [], [], [2]],
            id='another stands where one has gone',
        ),
        pytest.param(
            [[(ANNA, HERE)], [], [(ANNA, AWAY)]],
            [[1], [], [1]],
            id='one who returns elsewhere is known again',
        ),
        pytest.param(
            [[(ANNA, HERE)], *[[]] * 11, [(ANNA, HERE)]],
            [[1], *[[]] * 11, [2]],
            id='nobody is known for longer than max_lost_s',
        ),
        pytest.param(
            [[(ANNA, HERE)], [(HIDDEN, HERE)], [(HALF_HIDDEN, HERE)], [(ANNA, HERE)]],
            [[1], [2], [2], [1]],
            id='one who was half hidden gets their id back',
        ),
        pytest.param(
            [[(ANNA, HERE), (BERT, THERE)], [(BERT, HERE), (ANNA, THERE)]],
            [[1, 2], [2, 1]],
            id='two who have changed places',
        ),
    ],
)
def test_ids_go_by_looks_where_place_says_otherwise(frames: list, expected: list) -> None:
    assert run(frames) == expected


def test_a_person_is_compared_with_what_they_looked_like_before() -> None:
    """A head that turns slowly from one look to a quite different one, and suddenly back."""
    angles = np.linspace(0, np.pi / 2, 16)
    turning = [[((np.cos(a), np.sin(a)), HERE)] for a in angles]
    assert run([*turning, [], [(ANNA, HERE)]]) == [[1]] * 16 + [[], [1]]


def test_likeness_is_the_best_of_the_kept_looks() -> None:
    looks = Looks(np.array(ANNA, np.float32), 0.0)
    for stamp_s, look in ((0.1, BERT), (0.5, (0.0, 1.0))):
        looks.add(np.array(look, np.float32), stamp_s)
    assert looks.likeness(np.array([ANNA, (0.0, 1.0)], np.float32)) == pytest.approx([1, 1])
    assert looks.likeness(np.array([BERT], np.float32)) == pytest.approx([0.96])


def heads(astronaut: np.ndarray, hopper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two heads at the same place and size of an image."""
    one, other = astronaut[20:220, 125:325], cv2.resize(hopper[70:330, 130:390], (200, 200))
    return np.ascontiguousarray(one), other


@pytest.mark.parametrize(
    'change, alike',
    [
        pytest.param(lambda image: (image * 0.4).astype(np.uint8), 0.98, id='in the dark'),
        pytest.param(lambda image: cv2.GaussianBlur(image, (0, 0), 4), 0.95, id='out of focus'),
        pytest.param(lambda image: np.roll(image, 6, axis=1), 0.8, id='shifted'),
    ],
)
def test_a_face_looks_like_itself(change, alike: float, astronaut: np.ndarray) -> None:
    face = cv2.resize(astronaut[55:185, 165:285], (48, 48))
    changed = cv2.resize(change(astronaut[55:185, 165:285]), (48, 48))
    looks = describe(np.stack([face, changed]))
    assert np.linalg.norm(looks, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert looks[0] @ looks[1] > alike


def test_nobody_and_a_flat_crop_have_looks_that_are_finite() -> None:
    assert describe(np.zeros((0, 48, 48, 3), np.uint8)).shape[0] == 0
    assert np.isfinite(describe(np.full((1, 48, 48, 3), 128, np.uint8))).all()


@pytest.mark.parametrize('appearance, expected', [(True, [1, 1, 2, 2, 1]), (False, [1] * 5)])
def test_where_the_view_jumps_no_id_passes_to_another(
    appearance: bool, expected: list[int], astronaut: np.ndarray, hopper: np.ndarray
) -> None:
    pipeline = EmotionPipeline(replace(PipelineConfig(), {'tracking.appearance': appearance}))
    one, other = heads(astronaut, hopper)
    shown = (one, one, other, other, one)
    frames = [pipeline.process(image, number / 10) for number, image in enumerate(shown)]
    assert [frame.faces[0].track_id for frame in frames] == expected


def test_two_people_look_less_alike_than_the_limit(
    astronaut: np.ndarray, hopper: np.ndarray
) -> None:
    reader = EmotionPipeline().reader
    crops = [reader.read(image).crops for image in heads(astronaut, hopper)]
    one, other = (describe(crop)[0] for crop in crops)
    assert one @ other < MIN_LIKENESS
