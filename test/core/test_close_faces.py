# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A person far away and the same person close by are one person with one expression."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros import EmotionPipeline
from fer_ros.config import PipelineConfig
from fer_ros.evaluation.photos import face_cutter
from fer_ros.reader import FaceReader


@pytest.fixture(scope='module')
def reader() -> FaceReader:
    return FaceReader()


@pytest.fixture(params=['astronaut', 'hopper'])
def photo(request: pytest.FixtureRequest) -> np.ndarray:
    image: np.ndarray = request.getfixturevalue(request.param)
    return image


def as_a_phone_takes_it(image: np.ndarray, scale: float) -> np.ndarray:
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 3, large.shape)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def test_a_large_photo_reads_as_a_small_one(reader: FaceReader, photo: np.ndarray) -> None:
    (small,) = reader.read_photo(photo).faces
    large = reader.read_photo(as_a_phone_takes_it(photo, 3)).faces
    assert [face.label for face in large] == [small.label]
    np.testing.assert_allclose(large[0].box_xyxy, 3 * small.box_xyxy, atol=45)


def test_the_face_cut_out_of_a_large_photo_is_the_whole_face(photo: np.ndarray) -> None:
    cut = face_cutter(48)
    small, large = cut(photo), cut(as_a_phone_takes_it(photo, 3))
    assert small is not None
    assert large is not None
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.8


def test_somebody_who_comes_close_stays_one_person(astronaut: np.ndarray) -> None:
    pipeline = EmotionPipeline(PipelineConfig())
    seen = []
    for frame, scale in enumerate(np.linspace(1.5, 7.5, 9)):  # the face grows from 175 to 870 px
        matrix = np.array([[scale, 0, 960 - scale * 225], [0, scale, 540 - scale * 122]])
        view = cv2.warpAffine(
            astronaut, matrix, (1920, 1080), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        seen.append([face.label for face in pipeline.process(view, frame / 15).faces])
    assert seen == [['happy']] * 9
