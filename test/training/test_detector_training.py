# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector's training: labels, collages, targets, loss; a tiny run, resumed and exported."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
keras = pytest.importorskip('keras', reason='training needs Keras: see requirements/train.txt')

from fer_ros.detection.builtin import BuiltinDetector, cell_centres, decode  # noqa: E402
from fer_ros.errors import ConfigError, DataError  # noqa: E402
from training.detector import data  # noqa: E402
from training.detector.collage import (  # noqa: E402
    CutOut,
    FacePaster,
    LabelledFaces,
    in_light,
    make_pyramid,
    turned,
)
from training.detector.labels import PhotoLabels, merge_passes, run_teacher  # noqa: E402
from training.detector.mosaic import MosaicConfig, MosaicMaker  # noqa: E402
from training.detector.photos import read_fer2013, read_folder  # noqa: E402
from training.detector.targets import BOX, POSITIVE, WEIGHT, DetectorLoss, encode  # noqa: E402

LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


def faces(*boxes: tuple[float, ...], sure: bool = True) -> LabelledFaces:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    landmarks = table[:, None, :2] + LANDMARKS * (table[:, None, 2:] - table[:, None, :2])
    return LabelledFaces(table, landmarks, np.full(len(table), sure))


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
    cut = data.within(faces((-10, 0, 30, 40), (90, 0, 130, 40), (150, 0, 190, 40)), 100, 100)
    assert cut.boxes_xyxy.tolist() == [[0, 0, 30, 40], [90, 0, 100, 40]]
    assert cut.sure.tolist() == [True, False]


def test_a_face_is_encoded_at_the_cells_in_its_middle() -> None:
    target = encode(faces((40, 40, 72, 72)), 128, 15)
    centres, strides = cell_centres((128, 128))
    positive = target[:, POSITIVE] == 1
    assert set(strides[positive]) == {8.0}
    assert sorted(map(tuple, centres[positive])) == [(52, 52), (52, 60), (60, 52), (60, 60)]
    assert (target[positive, BOX] == [40, 40, 72, 72]).all()
    assert (target[:, WEIGHT] == 1).all()


@pytest.mark.parametrize(
    'one',
    [faces((40, 40, 72, 72), sure=False), faces((50, 50, 60, 60))],
    ids=['not sure', 'too small'],
)
def test_faces_left_open_are_neither_wanted_nor_punished(one: LabelledFaces) -> None:
    target = encode(one, 128, 15)
    assert target[:, POSITIVE].sum() == 0
    assert 0 < (target[:, WEIGHT] == 0).sum() < 40


def perfect_answer(target: np.ndarray, size: int) -> np.ndarray:
    """Return what a network that knows *target* would say."""
    centres, strides = cell_centres((size, size))
    units = 4 * strides[:, None]
    box = target[:, BOX]
    answer = np.zeros((len(target), 15), np.float32)
    answer[:, 0] = np.where(target[:, POSITIVE] == 1, 8, -8)
    answer[:, 1:3] = ((box[:, :2] + box[:, 2:]) / 2 - centres) / units
    answer[:, 3:5] = np.log(np.maximum(box[:, 2:] - box[:, :2], 1) / units)
    answer[:, 5:] = ((target[:, 6:].reshape(-1, 5, 2) - centres[:, None]) / units[:, None]).reshape(
        -1, 10
    )
    return answer


def test_the_perfect_answer_costs_nothing_and_decodes_to_the_faces() -> None:
    wanted = faces((40, 40, 72, 72), (80, 10, 120, 60))
    target = encode(wanted, 128, 15)
    answer = perfect_answer(target, 128)
    loss = DetectorLoss(128)
    best = float(loss(target[None], answer[None]))
    assert best < 0.01
    worse = answer.copy()
    worse[:, 1] += 0.1
    assert float(loss(target[None], worse[None])) > best + 0.1
    found = decode(answer, (128, 128), 0.5)
    order = np.argsort(found.boxes_xyxy[:, 0])
    np.testing.assert_allclose(found.boxes_xyxy[order], wanted.boxes_xyxy, atol=1e-3)
    np.testing.assert_allclose(found.landmarks[order], wanted.landmarks, atol=1e-3)


def drawn_face(size: int = 96) -> CutOut:
    image = np.full((size, size, 3), 180, np.uint8)
    one = faces((0.1 * size, 0.05 * size, 0.9 * size, 0.95 * size))
    for x, y in one.landmarks[0]:
        cv2.circle(image, (round(float(x)), round(float(y))), size // 16, (20, 20, 20), -1)
    return CutOut(make_pyramid(image), one.boxes_xyxy[0], one.landmarks[0])


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


def small_stock() -> data.Stock:
    rng = np.random.default_rng(0)
    scenes = [
        (cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (160, 120)), LabelledFaces.empty())
        for _ in range(4)
    ]
    peopled = [(scenes[0][0], faces((20, 20, 60, 60)))] * 4
    return data.Stock([drawn_face()] * 4, [drawn_face(48)] * 4, peopled, scenes)


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
    ],
    ids=['as shipped', 'blended', 'people', 'no people', 'faces larger than tiles'],
)
def test_mosaics_are_full_pictures_and_repeat_with_their_seed(settings: dict[str, float]) -> None:
    first, second = (mosaic_maker(7, **settings) for _ in range(2))
    for _ in range(8):
        image = first.make(128)
        assert image.shape == (128, 128, 3)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, second.make(128))


def test_a_teacher_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime', reason='a teacher is run by onnxruntime')
    from training.detector.teacher import DenseTeacher

    path = tmp_path / 'x.onnx'
    path.write_bytes(b'no network')
    with pytest.raises(DataError, match=r'teacher .*x\.onnx'):
        DenseTeacher(path)
    with pytest.raises(DataError, match=r'teacher .*none\.onnx'):
        DenseTeacher(tmp_path / 'none.onnx')


def test_a_teacher_says_where_opencv_finds_the_face(shared: Path, astronaut: np.ndarray) -> None:
    from training.detector.teacher import DenseTeacher

    path = shared / 'models' / 'yunet_n_640_640.onnx'
    image = cv2.resize(astronaut, (320, 320))
    target = DenseTeacher(path).answer(image)
    best = target[np.argmax(target[:, POSITIVE])]
    net = cv2.FaceDetectorYN.create(str(path), '', (320, 320), 0.6)
    found = net.detect(image)[1][0]
    assert best[POSITIVE] == pytest.approx(found[14], abs=1e-3)
    np.testing.assert_allclose(best[BOX][:2], found[:2], atol=0.5)
    np.testing.assert_allclose(best[BOX][2:] - best[BOX][:2], found[2:4], atol=0.5)
    np.testing.assert_allclose(best[6:], found[4:14], atol=0.5)


def test_a_taught_loss_wants_the_teacher_s_scores() -> None:
    target = encode(faces((40, 40, 72, 72)), 128, 15)
    positive = target[:, POSITIVE] == 1
    target[:, POSITIVE] = np.where(positive, 0.8, 0.01)
    loss = DetectorLoss(128, taught=True)

    def cost(score: float) -> float:
        answer = perfect_answer(encode(faces((40, 40, 72, 72)), 128, 15), 128)
        answer[:, 0] = np.log(0.01 / 0.99)
        answer[positive, 0] = np.log(score / (1 - score))
        return float(loss(target[None], answer[None]))

    costs = [cost(score) for score in (0.3, 0.6, 0.8, 0.95)]
    assert np.argmin(costs) == 2


RECIPE = """
seed: 1
network: {stem: [8, 8], widths: [8, 8, 8], depths: [1, 1, 1], neck: 8}
collage: {size_px: 96}
schedule: {epochs: 1, steps: 3, batch: 2, learning_rate: 0.001, warmup_steps: 1, decay_share: 0.5}
optimizer: {weight_decay: 0.0, clipnorm: 10.0}
loss: {box_weight: 2.0, landmark_weight: 1.0}
average: {every: 1, decay: 0.9}
held_back_every: 2
not_people: animals.txt
"""


def test_collages_repeat_with_their_seed() -> None:
    config = data.CollageConfig(size_px=96)
    first, second = (data.CollageMaker(small_stock(), config, seed=5) for _ in range(2))
    for _ in range(5):
        (image, labels), (again, same) = first.make(), second.make()
        assert image.shape == (96, 96, 3)
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(labels.boxes_xyxy, same.boxes_xyxy)
        assert (labels.boxes_xyxy >= 0).all()
        assert (labels.boxes_xyxy <= 96).all()


@pytest.mark.parametrize(
    'old, new, said',
    [
        ('seed: 1', 'seeed: 1', 'seeed'),
        ('stem:', 'stemm:', 'stemm'),
        ('not_people: animals.txt', '', 'not_people'),
        ('animals.txt', 'none.txt', 'none'),
        ('seed: 1', 'seed: [', 'while parsing'),
    ],
    ids=['unknown name', 'unknown width', 'missing', 'no such file', 'no YAML'],
)
def test_recipes_that_are_wrong_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    from training.detector.train import read_recipe

    (tmp_path / 'animals.txt').write_text('a.jpg\n')
    (tmp_path / 'r.yaml').write_text(RECIPE.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        read_recipe(tmp_path / 'r.yaml')


@pytest.mark.parametrize('name, taught', [('detector', False), ('taught', True)])
def test_the_shipped_recipes_can_be_read(root: Path, name: str, taught: bool) -> None:
    from training.detector.train import read_recipe

    recipe = read_recipe(root / 'training' / 'detector' / f'{name}.yaml')
    assert recipe.collage.size_px % 32 == 0
    assert recipe.taught == taught
    assert len(recipe.not_people) == 63


def test_a_tiny_taught_run(
    shared: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('onnxruntime', reason='a teacher is run by onnxruntime')
    from training.detector import train

    monkeypatch.setattr(train, 'load_stock', lambda *_: small_stock())
    monkeypatch.setattr(train, 'VALIDATION_STEPS', 1)
    (tmp_path / 'animals.txt').write_text('a.jpg\n')
    (tmp_path / 'r.yaml').write_text(RECIPE + 'mosaic: {share: 0.5}\nprecision: float32\n')
    recipe = train.read_recipe(tmp_path / 'r.yaml')
    shipped = train.read_recipe(root / 'training' / 'detector' / 'detector.yaml')
    recipe = dataclasses.replace(recipe, network=shipped.network)
    teacher = shared / 'models' / 'yunet_n_640_640.onnx'
    train.train(recipe, tmp_path, tmp_path, tmp_path / 'run', False, teacher, 'default')
    assert len((tmp_path / 'run' / train.CURVES).read_text().splitlines()) == 2


def test_a_tiny_run_resumes_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('tensorflow', reason='the export needs TensorFlow')
    from fer_ros.config import DetectionConfig
    from training.detector import export, train

    monkeypatch.setattr(train, 'load_stock', lambda *_: small_stock())
    monkeypatch.setattr(train, 'VALIDATION_STEPS', 1)
    (tmp_path / 'animals.txt').write_text('a.jpg\n')
    (tmp_path / 'r.yaml').write_text(RECIPE)
    recipe = train.read_recipe(tmp_path / 'r.yaml')
    with pytest.raises(DataError, match='nothing to resume'):
        train.train(recipe, tmp_path, tmp_path, tmp_path / 'none', resume=True)
    run = tmp_path / 'run'
    train.train(recipe, tmp_path, tmp_path, run)
    longer = dataclasses.replace(recipe.schedule, epochs=2)
    train.train(dataclasses.replace(recipe, schedule=longer), tmp_path, tmp_path, run, resume=True)
    lines = (run / train.CURVES).read_text().splitlines()
    assert [line.split(',')[0] for line in lines] == ['epoch', '1', '2']

    output = tmp_path / 'd.tflite'
    difference = export.export(recipe, run / train.AVERAGED, output, {'id': 'tiny'})
    assert difference < export.MAX_DIFFERENCE
    config = DetectionConfig(backend='builtin', weights=str(tmp_path / 'd.json'))
    assert BuiltinDetector(config).detect(np.zeros((50, 70, 3), np.uint8)).boxes_xyxy.shape[1] == 4
