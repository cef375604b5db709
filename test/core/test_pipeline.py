# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import replace
from fer_ros.images.demo import DemoSource
from fer_ros.labels import EMOTIONS, UNKNOWN
from fer_ros.reader import FaceReader
from fer_ros.recognition.classifier import MAX_BATCH


@pytest.fixture(scope='module')
def pipeline() -> EmotionPipeline:
    return EmotionPipeline()


def test_the_astronaut_is_happy(pipeline: EmotionPipeline, astronaut: np.ndarray) -> None:
    before = astronaut.copy()
    frame = pipeline.reader.read_photo(astronaut)
    (face,) = frame.faces
    assert face.label == 'happy'
    assert frame.labels == EMOTIONS
    assert frame.shape_hw == (512, 512)
    left, top, right, bottom = face.box_xyxy
    assert left < 224 < right
    assert top < 115 < bottom
    assert np.array_equal(astronaut, before)
    assert set(frame.timings_ms) == {'detection', 'alignment', 'classification'}


def test_nobody_in_view_is_a_normal_frame(pipeline: EmotionPipeline) -> None:
    frame = pipeline.reader.read_photo(np.full((480, 640, 3), 90, np.uint8))
    assert frame.faces == ()
    assert frame.labels == EMOTIONS


@pytest.mark.parametrize(
    'shape, value',
    [
        pytest.param((1, 1, 3), 0, id='one pixel'),
        pytest.param((1, 4000, 3), 128, id='one row'),
        pytest.param((4000, 1, 3), 128, id='one column'),
        pytest.param((480, 640, 3), 0, id='black'),
        pytest.param((480, 640, 3), 255, id='white'),
    ],
)
def test_odd_images_hold_nobody(pipeline: EmotionPipeline, shape: tuple, value: int) -> None:
    assert pipeline.reader.read_photo(np.full(shape, value, np.uint8)).faces == ()


def test_ten_seconds_of_the_demo_keep_two_people_apart() -> None:
    pipeline, source = EmotionPipeline(), DemoSource(rate_hz=10.0)
    seen: dict[int, list[str]] = {}
    empty = 0
    for number in range(100):
        frame = pipeline.process(source.at(number / 10), number / 10)
        empty += not frame.faces
        for face in frame.faces:
            seen.setdefault(face.track_id, []).append(face.label)
    lasting = {key: labels for key, labels in seen.items() if len(labels) > 5}
    assert sorted(lasting) == [1, 2], {key: len(labels) for key, labels in seen.items()}
    assert lasting[1].count('happy') > len(lasting[1]) / 2
    assert empty >= 10


def test_time_that_jumps_back_counts_people_anew_and_jitter_does_not(
    astronaut: np.ndarray,
) -> None:
    pipeline = EmotionPipeline()
    stamps = (10.0, 10.1, 10.099, 10.1, 2.0)
    frames = [pipeline.process(astronaut, stamp) for stamp in stamps]
    assert [frame.faces[0].track_id for frame in frames] == [1, 1, 1, 1, 2]
    assert tuple(frame.stamp_s for frame in frames) == stamps
    assert (pipeline.people.clock.late_stamps, pipeline.people.clock.jumps_back) == (1, 1)


def test_a_threshold_takes_effect_between_two_frames(astronaut: np.ndarray) -> None:
    pipeline = EmotionPipeline()
    sure = replace(PipelineConfig(), {'classification.unknown_threshold': 0.0})
    none = replace(PipelineConfig(), {'classification.unknown_threshold': 1.0})
    labels = []
    for config in (sure, none, sure):
        pipeline.reconfigure(config)
        labels.append(pipeline.reader.read_photo(astronaut).faces[0].label)
    assert labels == ['happy', UNKNOWN, 'happy']


def test_smoothing_holds_back_a_change(astronaut: np.ndarray) -> None:
    """With the mouth painted over, the raw probability of a smile falls; the smoothed follows."""
    config = replace(PipelineConfig(), {'classification.read_period_ms': 0.0})
    pipeline, serious = EmotionPipeline(config), astronaut.copy()
    serious[128:180, 180:275] = astronaut[110, 240]
    happy = EMOTIONS.index('happy')
    (before,) = pipeline.process(astronaut, 0.0).faces
    (after,) = pipeline.process(serious, 0.05).faces
    assert before.raw_probabilities[happy] == before.probabilities[happy] > 0.9
    assert after.raw_probabilities[happy] < 0.9
    weight = 1 - np.exp(-0.05 / pipeline.config.smoothing.time_constant_s)
    expected = before.probabilities + weight * (after.raw_probabilities - before.probabilities)
    assert after.probabilities == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    'image, said',
    [
        pytest.param(np.zeros((4, 4), np.uint8), r'got uint8 \(4, 4\)', id='one channel'),
        pytest.param(np.zeros((4, 4, 3), np.float32), 'got float32', id='float'),
        pytest.param(np.zeros((0, 4, 3), np.uint8), 'at least one pixel', id='empty'),
    ],
)
def test_what_is_no_image_is_refused(
    pipeline: EmotionPipeline, image: np.ndarray, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        pipeline.process(image, 0.0)


@pytest.mark.parametrize('backend', ['builtin', 'haar'])
def test_a_face_that_leaves_the_image_is_cut_off(backend: str, astronaut: np.ndarray) -> None:
    """The astronaut's face spans columns 175 to 275; the crop ends in the middle of it."""
    reader = FaceReader(replace(PipelineConfig(), {'detection.backend': backend}))
    whole = reader.read_photo(astronaut).faces
    assert 'cut_off' not in whole[0].quality
    found = [
        face
        for column in range(195, 260, 15)
        for face in reader.read_photo(np.ascontiguousarray(astronaut[:, :column])).faces
    ]
    assert any('cut_off' in face.quality for face in found)
    assert all(0 <= face.box_xyxy[0] < face.box_xyxy[2] < 260 for face in found)


@pytest.mark.parametrize(
    'name, value',
    [
        ('detection.backend', 'haar'),
        ('detection.threads', 1),
        ('classification.model', 'other'),
    ],
)
def test_what_is_read_at_start_cannot_change_while_running(name: str, value: object) -> None:
    pipeline = EmotionPipeline()
    with pytest.raises(ValueError, match=f'{name}: cannot change while running'):
        pipeline.reconfigure(replace(PipelineConfig(), {name: value}))
    assert pipeline.config == PipelineConfig()


def test_photos_are_numbered_from_one(astronaut: np.ndarray, hopper: np.ndarray) -> None:
    reader = FaceReader()
    assert [
        [face.track_id for face in reader.read_photo(photo).faces] for photo in (astronaut, hopper)
    ] == [[1], [1]]


@pytest.mark.parametrize('flip_tta', [True, False])
def test_a_photo_but_no_stream_is_read_with_its_mirror_image(
    astronaut: np.ndarray, flip_tta: bool
) -> None:
    pipeline = EmotionPipeline(replace(PipelineConfig(), {'classification.flip_tta': flip_tta}))
    logits = pipeline.classifier.logits
    crops = pipeline.reader.find(astronaut).crops
    one_look, mean = logits(crops), (logits(crops) + logits(crops[:, :, ::-1])) / 2
    still = pipeline.reader.still_classifier
    assert still.logits(crops) == pytest.approx(mean if flip_tta else one_look, abs=1e-4)
    photo = pipeline.reader.read_photo(astronaut).faces[0].raw_probabilities
    assert photo == pytest.approx(still.classify(crops).probabilities[0], abs=1e-5)
    stream = pipeline.process(astronaut, 0.0).faces[0].raw_probabilities
    assert stream == pytest.approx(pipeline.classifier.classify(crops).probabilities[0], abs=1e-5)


def test_equal_input_gives_equal_output(astronaut: np.ndarray) -> None:
    first, second = (FaceReader().read_photo(astronaut).faces[0] for _ in range(2))
    for item in dataclasses.fields(first):
        np.testing.assert_equal(getattr(first, item.name), getattr(second, item.name), item.name)


def test_many_crops_are_worked_off_in_batches_of_bounded_size(astronaut: np.ndarray) -> None:
    classifier = FaceReader().classifier
    runtime, sizes = classifier.runtime, []

    class Counting:
        name = runtime.name

        def logits(self, batch: np.ndarray) -> np.ndarray:
            sizes.append(len(batch))
            return runtime.logits(batch)

    face = cv2.resize(cv2.cvtColor(astronaut[55:185, 165:285], cv2.COLOR_BGR2GRAY), (48, 48))
    crops = np.stack([np.roll(face, n % 5, axis=0) for n in range(2 * MAX_BATCH + 3)])
    alone = classifier.classify(crops[:5]).probabilities
    classifier.runtime = Counting()
    found = classifier.classify(crops).probabilities
    assert len(sizes) == 3
    assert max(sizes) <= 2 * MAX_BATCH, 'each with its mirror image'
    assert found == pytest.approx(alone[np.arange(len(crops)) % 5], abs=1e-3)
