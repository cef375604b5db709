# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the detector learns from: labels, photos, cut-out faces, collages and mosaics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip('keras', reason='training needs Keras: see requirements/train.txt')

from helpers.detector_faces import drawn_face, faces, small_stock  # noqa: E402

from fer_ros.errors import DataError  # noqa: E402
from training.detector.batches import CollageBatches  # noqa: E402
from training.detector.collage import FacePaster, in_light, turned  # noqa: E402
from training.detector.collage_maker import CollageConfig, CollageMaker, within  # noqa: E402
from training.detector.labels import PhotoLabels, merge_passes, run_teacher  # noqa: E402
from training.detector.mosaic import MosaicConfig, MosaicMaker  # noqa: E402
from training.detector.photos import read_fer2013, read_folder  # noqa: E402


def teacher_row(left: float, score: float, size: float = 40) -> np.ndarray:
    one = faces((left, 10, left + size, 10 + size))
    return np.concatenate([one.boxes_xyxy[0], one.landmarks[0].ravel(), [score]]).astype(np.float32)


def test_passes_that_agree_become_one_face() -> None:
    passes = [
        np.stack([teacher_row(10, 0.9), teacher_row(200, 0.4)]),
        np.stack([teacher_row(14, 0.3)]),
        np.zeros((0, 15), np.float32),
    ]
    merged = merge_passes(passes, [1.0, 1.0, 1.0])
    assert merged.shape == (2, 16)
    assert merged[0, 0] == pytest.approx((10 * 0.9 + 14 * 0.3) / 1.2)
    np.testing.assert_allclose(merged[:, 14], [0.6, 0.4], rtol=1e-5)
    np.testing.assert_allclose(merged[:, 15], [2 / 3, 1 / 3], rtol=1e-5)


def test_passes_in_which_a_face_is_too_small_have_no_vote() -> None:
    passes = [np.stack([teacher_row(10, 0.9, 10)]), np.zeros((0, 15), np.float32)]
    assert merge_passes(passes, [1.0, 0.5])[0, 15] == 1.0


def test_no_candidates_at_all() -> None:
    assert merge_passes([np.zeros((0, 15), np.float32)], [1.0]).shape == (0, 16)


class Degenerate:
    """A teacher whose second box has no width and whose third is not finite."""

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, image: np.ndarray) -> tuple[int, np.ndarray]:
        rows = np.tile(np.append(np.array([10, 10, 20, 20]), np.full(11, 15.0)), (3, 1))
        rows[:, 14] = 0.9
        rows[1, 2], rows[2, 3] = 0.0, np.inf
        return 1, rows.astype(np.float32)


def test_boxes_without_extent_are_no_votes() -> None:
    rows = run_teacher(Degenerate(), np.zeros((64, 64, 3), np.uint8), 1.0, False)
    assert rows[:, :4].tolist() == [[10, 10, 30, 30]]


def test_labels_come_back_as_they_were_saved(tmp_path: Path) -> None:
    one = faces((1, 2, 3, 4))
    labels = PhotoLabels(
        np.array(['a.jpg']), np.zeros(1, np.int64), one.boxes_xyxy, one.landmarks,
        np.ones(1, np.float32), np.ones(1, np.float32),
    )  # fmt: skip
    labels.save(tmp_path / 'l.npz')
    assert PhotoLabels.load(tmp_path / 'l.npz').names.tolist() == ['a.jpg']
    with pytest.raises(DataError, match=r'labels .*gone\.npz'):
        PhotoLabels.load(tmp_path / 'gone.npz')


@pytest.mark.parametrize(
    'read, name, said',
    [(read_folder, 'nothing', 'no images in'), (read_fer2013, 'no.npz', 'No such file')],
    ids=['folder', 'fer2013'],
)
def test_photos_that_are_not_there(tmp_path: Path, read, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(read(tmp_path / name))


def test_mirrored_faces_swap_sides() -> None:
    mirrored = faces((10, 0, 30, 20)).mirrored(100)
    assert mirrored.boxes_xyxy.tolist() == [[70, 0, 90, 20]]
    right_eye, left_eye = mirrored.landmarks[0, :2]
    assert right_eye[0] < left_eye[0]


def test_faces_at_the_border_are_cut_and_those_mostly_gone_are_left_open() -> None:
    cut = within(faces((-10, 0, 30, 40), (90, 0, 130, 40), (150, 0, 190, 40)), 100, 100)
    assert cut.boxes_xyxy.tolist() == [[0, 0, 30, 40], [90, 0, 100, 40]]
    assert cut.sure.tolist() == [True, False]


@pytest.mark.parametrize('seed', range(6))
def test_a_pasted_face_lies_where_it_is_said_to(seed: int) -> None:
    canvas = np.zeros((256, 256, 3), np.uint8)
    placed = FacePaster(np.random.default_rng(seed)).paste(canvas, drawn_face(), (120, 130), 60)
    left, top, right, bottom = placed.boxes_xyxy[0]
    assert (left + right) / 2 == pytest.approx(120, abs=0.1)
    assert (top + bottom) / 2 == pytest.approx(130, abs=0.1)
    assert canvas[int(top) : int(bottom), int(left) : int(right)].mean() > 10


@pytest.mark.parametrize('seed', range(4))
def test_an_exchanged_face_takes_the_place_and_the_light_of_the_old_one(seed: int) -> None:
    canvas = np.full((200, 200, 3), (40, 80, 120), np.uint8)
    before = canvas.copy()
    box = np.array([60, 50, 120, 130], np.float32)
    placed = FacePaster(np.random.default_rng(seed)).exchange(canvas, drawn_face(), box)
    middle = (placed.boxes_xyxy[0, :2] + placed.boxes_xyxy[0, 2:]) / 2
    np.testing.assert_allclose(middle, [90, 90], atol=0.1)
    changed = (canvas != before).any(axis=2)
    assert not changed[:, :30].any()
    assert not changed[160:].any()


def test_a_face_takes_over_colour_and_contrast() -> None:
    rng = np.random.default_rng(0)
    light = np.clip(rng.normal((60, 90, 140), 12, (500, 3)), 0, 255).astype(np.uint8)
    patch = rng.integers(100, 200, (40, 40, 3)).astype(np.uint8)
    lit = in_light(patch, light).reshape(-1, 3).astype(float)
    np.testing.assert_allclose(lit.mean(axis=0), light.mean(axis=0), atol=1.5)
    assert lit.mean(axis=1).std() == pytest.approx(light.mean(axis=1).std(), rel=0.15)


def test_faces_can_be_taken_out_of_a_list() -> None:
    both = faces((0, 0, 10, 10), (20, 20, 40, 40))
    assert both.without(np.array([0])).boxes_xyxy.tolist() == [[20, 20, 40, 40]]


def test_a_head_turned_right_shows_less_on_the_right() -> None:
    face = drawn_face()
    seen = turned(face, 0.8, 96)
    assert seen.box_xyxy[2] - seen.box_xyxy[0] < face.box_xyxy[2] - face.box_xyxy[0]
    eyes = seen.landmarks[1, 0] - seen.landmarks[0, 0]
    assert 0 < eyes < face.landmarks[1, 0] - face.landmarks[0, 0]
    assert seen.landmarks[2, 0] > seen.landmarks[:2, 0].mean() + 2
    assert seen.shown is not None
    assert seen.shown.min() == 0


def mosaic_maker(seed: int, **settings: float) -> MosaicMaker:
    stock = small_stock()
    peopled = [(image, one.boxes_xyxy) for image, one in stock.peopled]
    scenes = [image for image, _ in stock.empty]
    config, rng = MosaicConfig(**settings), np.random.default_rng(seed)
    return MosaicMaker(stock.portraits, peopled, scenes, config, rng)


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'blend_share': 1.0, 'loose_share': 1.0},
        {'portrait_share': 0.0, 'peopled_share': 1.0},
        {'portrait_share': 0.0, 'peopled_share': 0.0},
        {'smallest_px': 400.0, 'largest_px': 20.0},
        {'close_share': 1.0, 'largest_px': 400.0},
    ],
    ids=['as shipped', 'blended', 'people', 'no people', 'faces larger than tiles', 'close'],
)
def test_mosaics_are_full_pictures_and_repeat_with_their_seed(settings: dict[str, float]) -> None:
    first, second = (mosaic_maker(7, **settings) for _ in range(2))
    for _ in range(8):
        image = first.make(128)
        assert image.shape == (128, 128, 3)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, second.make(128))


def test_collages_repeat_with_their_seed() -> None:
    config = CollageConfig(size_px=96)
    first, second = (CollageMaker(small_stock(), config, seed=5) for _ in range(2))
    for _ in range(5):
        (image, labels), (again, same) = first.make(), second.make()
        assert image.shape == (96, 96, 3)
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(labels.boxes_xyxy, same.boxes_xyxy)
        assert (labels.boxes_xyxy >= 0).all()
        assert (labels.boxes_xyxy <= 96).all()


def test_batches_made_ahead_are_those_of_the_maker_one_after_another() -> None:
    config = CollageConfig(size_px=96)
    batches, maker = (CollageMaker(small_stock(), config, seed=3) for _ in range(2))
    two_epochs = CollageBatches(batches, batch=2, steps=2)
    for index in (0, 1, 0, 1):
        images, targets = two_epochs[index]
        for image, target in zip(images, targets, strict=True):
            wanted, wanted_target = maker.example()
            np.testing.assert_allclose(image, wanted / 255, atol=1e-6)
            np.testing.assert_array_equal(target, wanted_target)
