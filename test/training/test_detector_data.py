# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the detector learns from: labels, photos with known faces, and mosaics of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

keras = pytest.importorskip('keras', reason='training needs Keras: see requirements/train.txt')

from helpers.detector_faces import drawn_photo, faces, photo_sets  # noqa: E402

from fer_ros.errors import DataError  # noqa: E402
from training.detector import mosaic  # noqa: E402
from training.detector.faces import (  # noqa: E402
    label_photos,
    read_drawn_boxes,
    with_drawn_boxes,
)
from training.detector.labels import (  # noqa: E402
    PhotoLabels,
    merge_passes,
    read_photos,
    run_teacher,
)
from training.detector.mosaic import MosaicConfig, MosaicMaker  # noqa: E402


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


def test_photos_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='no images in'):
        list(read_photos(tmp_path / 'nothing'))


def test_photos_of_subfolders_are_named_with_them(tmp_path: Path) -> None:
    (tmp_path / 'street').mkdir()
    cv2.imwrite(str(tmp_path / 'street' / 'a.png'), np.zeros((4, 4, 3), np.uint8))
    assert [name for name, _ in read_photos(tmp_path)] == ['street/a.png']


def test_flipped_faces_swap_sides() -> None:
    flipped = faces((10, 0, 30, 20)).warped(np.array([[-1, 0, 100], [0, 1, 0]]))
    assert flipped.boxes_xyxy.tolist() == [[70, 0, 90, 20]]
    right_eye, left_eye = flipped.landmarks[0, :2]
    assert right_eye[0] < left_eye[0]


@pytest.mark.parametrize(
    'degrees, half',
    [(0, (10, 20)), (90, (20, 10)), (180, (10, 20)), (45, (15.8, 15.8))],
)
def test_a_box_turns_with_its_face(degrees: float, half: tuple[float, float]) -> None:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned = faces((-10, -20, 10, 20)).warped(np.array([[cos, -sin, 0], [sin, cos, 0]]))
    np.testing.assert_allclose(turned.boxes_xyxy[0, 2:], half, atol=0.1)


def test_drawn_boxes_make_faces_certain_and_add_those_the_teacher_missed() -> None:
    seen = faces((0, 0, 20, 20), (50, 50, 70, 70), certain=False)
    drawn = np.array([[1, 1, 21, 21], [80, 0, 90, 10]], np.float32)
    known = with_drawn_boxes(seen, drawn)
    assert known.certain.tolist() == [True, False, True]
    assert known.boxes_xyxy[2].tolist() == [80, 0, 90, 10]
    assert np.isnan(known.landmarks[2]).all()


def test_drawn_boxes_are_read_and_damaged_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / 'boxes.json'
    assert read_drawn_boxes(path) == {}
    path.write_text('{"a.jpg": [[1, 2, 30, 40]]}')
    assert read_drawn_boxes(path)['a.jpg'].tolist() == [[1, 2, 31, 42]]
    path.write_text('[1]')
    with pytest.raises(DataError, match=r'boxes\.json'):
        read_drawn_boxes(path)


def labels_of(*agreement: float) -> PhotoLabels:
    """One photo with one candidate for each agreement, all with a score of 0.9."""
    one = faces(*[(i, 0, i + 20, 20) for i in range(len(agreement))])
    count = len(agreement)
    return PhotoLabels(
        np.array(['a.jpg']), np.zeros(count, np.int64), one.boxes_xyxy, one.landmarks,
        np.full(count, 0.9, np.float32), np.array(agreement, np.float32),
    )  # fmt: skip


def test_candidates_are_faces_left_open_or_dropped_by_agreement() -> None:
    photos = {'a.jpg': np.zeros((40, 40, 3), np.uint8)}
    (photo,) = label_photos(photos, labels_of(0.9, 0.4, 0.1), {}, (), complete=True)
    assert photo.faces.certain.tolist() == [True, False]
    (animal,) = label_photos(photos, labels_of(0.9), {}, ('a.jpg',), complete=True)
    assert len(animal.faces) == 0
    with pytest.raises(DataError, match=r'a\.jpg is labelled but not there'):
        label_photos({}, labels_of(0.9), {}, (), complete=True)


def test_the_end_of_each_folder_is_held_back() -> None:
    kept, held = photo_sets().split()
    assert [photo.name for photo in held.people] == ['street/18.jpg', 'street/19.jpg']
    assert len(kept.people) == len(kept.scenes) == 18


def maker(seed: int, **settings: float) -> MosaicMaker:
    return MosaicMaker(photo_sets(), MosaicConfig(size_px=128, **settings), seed)


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'people_share': 1.0, 'close_share': 1.0},
        {'people_share': 0.0, 'portrait_share': 0.0},
        {'negative_share': 1.0},
        {'turned_share': 1.0},
        {'smallest_px': 400.0, 'middle_px': 500.0},
    ],
    ids=['as shipped', 'close', 'no people', 'enlarged', 'turned', 'larger than tiles'],
)
def test_mosaics_are_full_pictures_and_repeat_with_their_seed(settings: dict[str, float]) -> None:
    first, second = (maker(7, **settings) for _ in range(2))
    for _ in range(8):
        one, other = first.make(), second.make()
        assert one.image.shape == (128, 128, 3)
        assert one.image.dtype == np.uint8
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.faces.boxes_xyxy, other.faces.boxes_xyxy)
        assert len(one.turned_deg) == len(one.faces)
        assert (one.turned_deg <= 180).all()


def test_a_face_lies_where_it_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaic, 'augment', lambda image, _: image)
    makes = maker(3, people_share=1.0, close_share=0.0, negative_share=0.0)
    seen = 0
    for example in (makes.make() for _ in range(10)):
        for points, certain in zip(example.faces.landmarks, example.faces.certain, strict=True):
            inside = ((points > 4) & (points < 124)).all()
            if certain and inside:
                seen += 1
                columns, rows = points.round().astype(int).T
                assert example.image[rows, columns].mean() < 120, 'the marks are dark'
    assert seen > 5


def test_a_drawn_photo_is_what_the_tests_take_it_for() -> None:
    photo = drawn_photo()
    columns, rows = photo.faces.landmarks[0].round().astype(int).T
    assert (photo.image[rows, columns] == 20).all()
