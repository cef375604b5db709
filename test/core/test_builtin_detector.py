# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The package's own detector: decoding by hand, odd images, and faces it must find."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import shutil

import cv2
import numpy as np
import pytest

from fer_ros.config import DetectionConfig
from fer_ros.detection import make_detector
from fer_ros.detection.builtin import OVERLAP_PX, TILE_PX, BuiltinDetector, scales, tiles
from fer_ros.detection.cells import SHARE_POWER, cell_centres, decode, merge
from fer_ros.errors import ModelError
from fer_ros.geometry import pairwise_iou
from fer_ros.models.card import MODELS_DIR
from fer_ros.types import FaceDetections

CONFIG = DetectionConfig(backend='builtin', threads=1)


@pytest.fixture(scope='module')
def detector() -> BuiltinDetector:
    return BuiltinDetector(CONFIG)


@pytest.fixture
def face_crop(astronaut: np.ndarray) -> np.ndarray:
    """The astronaut's head with some room, 240 by 240."""
    return np.ascontiguousarray(astronaut[:240, 105:345])


def cells_with(rows: dict[int, list[float]], count: int = 21) -> np.ndarray:
    cells = np.zeros((count, 15), np.float32)
    cells[:, 0] = -20
    for row, values in rows.items():
        cells[row, : len(values)] = values
    return cells


def test_cells_lie_in_the_middle_of_their_squares() -> None:
    centres, strides = cell_centres((32, 32))
    assert strides.tolist() == [8] * 16 + [16] * 4 + [32]
    assert centres[[0, 1, 4]].tolist() == [[4, 4], [12, 4], [4, 12]]
    assert centres[[16, 19, 20]].tolist() == [[8, 8], [24, 24], [16, 16]]


def test_decode_by_hand() -> None:
    # Row 20 is the one cell of stride 32: middle (16, 16), unit 128 px.
    landmarks = [0.1, 0, -0.1, 0, 0, 0.05, 0, 0, 0, 0]
    cells = cells_with({20: [0.0, 0.0625, 0, np.log(0.25), np.log(0.5), *landmarks]})
    found = decode(cells, (32, 32), 0.4)
    np.testing.assert_allclose(found.boxes_xyxy, [[8, -16, 40, 48]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [0.5])
    np.testing.assert_allclose(
        found.landmarks[0], [[28.8, 16], [3.2, 16], [16, 22.4], [16, 16], [16, 16]], atol=1e-4
    )


@pytest.mark.parametrize(
    'slope, offset, threshold, count',
    [
        pytest.param(1, 0, 0.5, 1, id='plain'),
        pytest.param(1, 0, 0.51, 0, id='too low'),
        pytest.param(1, 1, 0.7, 1, id='offset'),
        pytest.param(2, 1, 0.74, 0, id='slope of zero'),
    ],
)
def test_the_card_maps_scores(slope: float, offset: float, threshold: float, count: int) -> None:
    assert len(decode(cells_with({20: [0.0]}), (32, 32), threshold, slope, offset)) == count


def test_merging_keeps_the_best_of_what_overlaps_and_all_that_does_not() -> None:
    small = [0, 0, np.log(0.25), np.log(0.25)]  # 8 px wide at stride 8: neighbours just touch
    cells = cells_with({0: [1.0, *small], 1: [3.0, *small], 20: [2.0, -0.0625, -0.0625, -4, -4]})
    found = merge([decode(cells, (32, 32), 0.5)])
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp([-3.0, -2.0, -1.0])), rtol=1e-5)


def test_a_face_is_the_mean_of_its_cells() -> None:
    # Both say: in the middle at (8, 4), 16 px high; one says 16 px wide, the other 12.
    high = np.log(0.5)
    first, second = [2.0, 0.125, 0, high, high], [0.0, -0.125, 0, np.log(0.375), high]
    found = merge([decode(cells_with({0: first, 1: second}), (32, 32), 0.4)])
    shares = np.array([1 / (1 + np.exp(-2.0)), 0.5]) ** SHARE_POWER
    shares /= shares.sum()
    half = shares @ [8, 6]
    np.testing.assert_allclose(found.boxes_xyxy, [[8 - half, -4, 8 + half, 12]], atol=1e-4)
    # The first cell's landmarks all lie in its middle (4, 4), the second's in (12, 4).
    np.testing.assert_allclose(found.landmarks[0, 0], [shares @ [4, 12], 4], atol=1e-4)


def test_decode_of_nothing_is_empty() -> None:
    found = merge([decode(cells_with({}), (32, 32), 0.1)])
    assert (len(found), found.landmarks.shape) == (0, (0, 5, 2))


def detections(*rows: tuple[float, ...]) -> FaceDetections:
    """Rows of left, top, right, bottom, score."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    landmarks = np.zeros((len(table), 5, 2), np.float32)
    return FaceDetections(table[:, :4], landmarks, table[:, 4])


@pytest.mark.parametrize(
    'boxes, kept',
    [
        pytest.param([(0, 0, 100, 100, 0.7), (20, 20, 40, 40, 0.9)], [0.7], id='an eye'),
        pytest.param([(0, 0, 100, 100, 0.4), (20, 20, 40, 40, 0.9)], [0.9, 0.4], id='unlikely'),
        pytest.param([(0, 0, 100, 100, 0.7), (90, 0, 110, 20, 0.9)], [0.9, 0.7], id='half inside'),
        pytest.param([(0, 0, 100, 100, 0.7), (4, 0, 104, 100, 0.9)], [0.9], id='the same face'),
    ],
)
def test_parts_of_a_face_are_no_faces(boxes: list[tuple[float, ...]], kept: list[float]) -> None:
    for looks in ([detections(*boxes)], [detections(one) for one in boxes]):
        np.testing.assert_allclose(merge(looks).scores, kept)


@pytest.mark.parametrize(
    'shape, first, expected',
    [
        ((240, 320), 1.0, [1.0]),
        ((480, 640), 1.0, [1.0, 0.25]),
        ((1080, 1920), 1.0, [1.0, 0.25, 0.0625]),
        ((480, 640), 0.5, [0.5]),
        ((1, 8192), 1.0, [0.5, 0.125, 0.03125]),
    ],
)
def test_looks_go_on_until_no_face_is_too_large(
    shape: tuple[int, int], first: float, expected: list[float]
) -> None:
    assert list(scales(shape, first)) == expected


@pytest.mark.parametrize('length', [1, 480, 2176, 2177, 3840, 4032, 4033, 4096])
def test_tiles_cover_a_side_and_hold_the_faces_of_their_share(length: int) -> None:
    windows, shares = zip(*tiles(length))
    assert (windows[0][0], windows[-1][1]) == (0, length)
    assert (shares[0][0], shares[-1][1]) == (-np.inf, np.inf)
    assert all(end - begin <= TILE_PX for begin, end in windows)
    for before, after in itertools.pairwise(shares):
        assert before[1] == after[0]
    for window, share in zip(windows, shares):
        assert window[0] <= max(0, share[0] - OVERLAP_PX / 2)
        assert window[1] >= min(length, share[1] + OVERLAP_PX / 2)
    assert len(windows) == 1 or length > TILE_PX


def test_faces_on_the_border_of_two_tiles_are_found_once(
    detector: BuiltinDetector, face_crop: np.ndarray
) -> None:
    view = np.full((320, 3840, 3), 90, np.uint8)
    (border,) = {share[0] for _, share in tiles(3840)} - {-np.inf}
    for x in range(-120, 121, 30):
        image = view.copy()
        left = border + x - 120
        image[40:280, left : left + 240] = face_crop
        box, _ = the_face(detector, image)
        alone, _ = the_face(detector, cv2.copyMakeBorder(face_crop, *[40] * 4, cv2.BORDER_CONSTANT))
        expected = alone + np.float32([left - 40, 0] * 2)
        assert pairwise_iou(box[None], expected[None])[0, 0] > 0.8, x


@pytest.mark.parametrize(
    'image',
    [
        pytest.param(np.full((1, 1, 3), 90, np.uint8), id='1x1'),
        pytest.param(np.full((1, 4000, 3), 90, np.uint8), id='1x4000'),
        pytest.param(np.full((4000, 1, 3), 90, np.uint8), id='4000x1'),
        pytest.param(np.zeros((480, 640, 3), np.uint8), id='black'),
        pytest.param(np.full((480, 640, 3), 255, np.uint8), id='white'),
        pytest.param(
            np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8), id='noise'
        ),
    ],
)
def test_images_without_faces_give_none(detector: BuiltinDetector, image: np.ndarray) -> None:
    assert len(detector.detect(image)) == 0


def the_face(detector: BuiltinDetector, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = detector.detect(image)
    assert len(found) == 1
    return found.boxes_xyxy[0], found.landmarks[0]


def test_the_astronaut_is_found_where_she_is(
    detector: BuiltinDetector, astronaut: np.ndarray
) -> None:
    box, landmarks = the_face(detector, astronaut)
    assert pairwise_iou(box[None], np.array([[175, 65, 271, 192]], np.float32))[0, 0] > 0.5
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_mirrored_image_gives_mirrored_face(
    detector: BuiltinDetector, face_crop: np.ndarray
) -> None:
    _, plain = the_face(detector, face_crop)
    _, mirrored = the_face(detector, np.ascontiguousarray(face_crop[:, ::-1]))
    mirrored[:, 0] = face_crop.shape[1] - mirrored[:, 0]
    eyes = np.linalg.norm(plain[0] - plain[1])
    assert np.abs(mirrored[[1, 0, 2, 4, 3]] - plain).max() < 0.15 * eyes


def test_a_grey_image_is_as_good(detector: BuiltinDetector, face_crop: np.ndarray) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(face_crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    box, _ = the_face(detector, grey)
    plain, _ = the_face(detector, face_crop)
    assert pairwise_iou(box[None], plain[None])[0, 0] > 0.7


@pytest.mark.parametrize('height_px', [120, 200, 280, 320])
def test_a_face_that_fills_the_view_keeps_its_one_box(
    detector: BuiltinDetector, astronaut: np.ndarray, height_px: int
) -> None:
    box, _ = the_face(detector, astronaut)
    scale = height_px / (box[3] - box[1])
    for left_px in range(-60, 61, 20):
        middle = np.array([320 + left_px, 180])
        shift = middle - scale * (box[:2] + box[2:]) / 2
        matrix = np.column_stack([scale * np.eye(2), shift])
        view = cv2.warpAffine(astronaut, matrix, (640, 360), borderMode=cv2.BORDER_REPLICATE)
        close, _ = the_face(detector, view)
        expected = (scale * box + np.tile(shift, 2)).astype(np.float32)
        assert pairwise_iou(close[None], expected[None])[0, 0] > 0.75, left_px


@pytest.mark.parametrize('degrees', [-25, 25])
def test_landmarks_turn_with_the_face(
    detector: BuiltinDetector, face_crop: np.ndarray, degrees: int
) -> None:
    _, plain = the_face(detector, face_crop)
    matrix = cv2.getRotationMatrix2D((120, 120), degrees, 1.0)
    turned = cv2.warpAffine(face_crop, matrix, (240, 240), borderMode=cv2.BORDER_REPLICATE)
    _, landmarks = the_face(detector, turned)
    expected = plain @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(plain[0] - plain[1])
    assert np.linalg.norm(landmarks - expected, axis=1).mean() < 0.3 * eyes


def test_sixty_faces_in_one_image(detector: BuiltinDetector, face_crop: np.ndarray) -> None:
    tile = cv2.resize(face_crop, (120, 120), interpolation=cv2.INTER_AREA)
    image = np.tile(tile, (6, 10, 1))
    found = detector.detect(image)
    cells = {(int(x // 120), int(y // 120)) for x, y in found.landmarks[:, 2]}
    assert len(cells) == 60
    assert len(found) == 60


def test_max_faces_keeps_the_best(face_crop: np.ndarray) -> None:
    tile = cv2.resize(face_crop, (120, 120), interpolation=cv2.INTER_AREA)
    few = BuiltinDetector(dataclasses.replace(CONFIG, max_faces=3))
    found = few.detect(np.tile(tile, (2, 4, 1)))
    assert len(found) == 3
    assert (np.diff(found.scores) <= 0).all()


def test_settings_can_change_between_images(face_crop: np.ndarray) -> None:
    one = BuiltinDetector(CONFIG)
    assert len(one.detect(face_crop)) == 1
    one.config = dataclasses.replace(CONFIG, min_face_px=2000)
    assert len(one.detect(face_crop)) == 0
    one.config = dataclasses.replace(CONFIG, score_threshold=1.0)
    assert len(one.detect(face_crop)) == 0


@pytest.mark.parametrize('height_px', [120, 200, 300, 450, 600, 1000])
def test_a_face_of_any_height_is_one_box(
    detector: BuiltinDetector, astronaut: np.ndarray, height_px: int
) -> None:
    box, _ = the_face(detector, astronaut)
    scale = height_px / (box[3] - box[1])
    shift = height_px - scale * (box[:2] + box[2:]) / 2
    matrix = np.column_stack([scale * np.eye(2), shift])
    size = 2 * height_px, 2 * height_px
    view = cv2.warpAffine(astronaut, matrix, size, flags=cv2.INTER_CUBIC)
    close, _ = the_face(detector, view)
    expected = (scale * box + np.tile(shift, 2)).astype(np.float32)
    assert pairwise_iou(close[None], expected[None])[0, 0] > 0.75


@pytest.mark.parametrize('face_px, least_px', [(60, 40), (60, 80), (30, 40), (30, 20)])
def test_no_face_shorter_than_asked_is_returned(
    detector: BuiltinDetector, astronaut: np.ndarray, face_px: int, least_px: int
) -> None:
    scale = face_px / 117
    small = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    detector.config = dataclasses.replace(CONFIG, min_face_px=least_px)
    found = detector.detect(small)
    detector.config = CONFIG
    assert len(found) == (face_px >= least_px)


def test_make_detector_gives_it() -> None:
    assert make_detector(CONFIG).name == 'builtin'


@pytest.mark.parametrize(
    'change, said',
    [
        pytest.param({'schema': 9}, 'schema 9', id='schema'),
        pytest.param({'kind': 'emotion'}, "of kind 'detector'", id='kind'),
        pytest.param({'files': {}}, 'no weights for litert, only for nothing', id='no file'),
        pytest.param({'score_slope': -1}, 'score_slope > 0', id='slope'),
        pytest.param({'least_face_px': 'many'}, 'could not convert', id='not a number'),
        pytest.param({'least_face_px': float('nan')}, 'finite numbers', id='nan'),
        pytest.param({'sha256': {'detector.tflite': 'ab'}}, 'damaged or not the file', id='digest'),
        pytest.param(
            {'files': {'litert': 70}, 'sha256': 'text'}, r'detector\.json', id='digest of no table'
        ),
        pytest.param(
            {'files': {'litert': '../x'}, 'sha256': {'../x': ''}}, 'plain file name', id='path'
        ),
        pytest.param(
            {'files': {'litert': 'no.tflite'}, 'sha256': {'no.tflite': ''}}, 'missing', id='gone'
        ),
    ],
)
def test_a_card_that_is_wrong_is_refused(tmp_path, change: dict, said: str) -> None:
    for suffix in ('json', 'tflite'):
        shutil.copy(MODELS_DIR / f'detector.{suffix}', tmp_path)
    card = tmp_path / 'detector.json'
    card.write_text(json.dumps({**json.loads(card.read_text()), **change}))
    with pytest.raises(ModelError, match=said):
        BuiltinDetector(dataclasses.replace(CONFIG, weights=str(card)))


def test_weights_that_are_no_model_are_refused(tmp_path) -> None:
    (tmp_path / 'd.tflite').write_bytes(b'no model')
    card = json.loads((MODELS_DIR / 'detector.json').read_text())
    card['files'] = {'litert': 'd.tflite'}
    card['sha256'] = {'d.tflite': hashlib.sha256(b'no model').hexdigest()}
    (tmp_path / 'd.json').write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r'd\.tflite of .*Flatbuffer'):
        BuiltinDetector(dataclasses.replace(CONFIG, weights=str(tmp_path / 'd.json')))
