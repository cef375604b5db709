# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector's training: targets, teacher and loss; recipes; tiny runs, resumed and exported."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

keras = pytest.importorskip('keras', reason='training needs Keras: see requirements/train.txt')

from helpers.detector_faces import faces, small_stock  # noqa: E402

from fer_ros.detection.builtin import BuiltinDetector, cell_centres, decode  # noqa: E402
from fer_ros.errors import ConfigError, DataError  # noqa: E402
from training.detector.collage import LabelledFaces  # noqa: E402
from training.detector.targets import BOX, POSITIVE, WEIGHT, DetectorLoss, encode  # noqa: E402


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


@pytest.mark.parametrize('name, taught', [('detector', False), ('taught', True), ('grown', True)])
def test_the_shipped_recipes_can_be_read(root: Path, name: str, taught: bool) -> None:
    from training.detector.train import read_recipe

    recipe = read_recipe(root / 'training' / 'detector' / f'{name}.yaml')
    assert recipe.collage.size_px % 32 == 0
    assert recipe.taught == taught
    assert len(recipe.not_people) == 63


def test_a_tiny_taught_run_of_a_grown_network(
    shared: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('onnxruntime', reason='a teacher is run by onnxruntime')
    from training.detector import train

    monkeypatch.setattr(train, 'load_stock', lambda *_: small_stock())
    monkeypatch.setattr(train, 'VALIDATION_STEPS', 1)
    (tmp_path / 'animals.txt').write_text('a.jpg\n')
    (tmp_path / 'r.yaml').write_text(RECIPE + 'mosaic: {share: 0.5}\nprecision: float32\n')
    recipe = train.read_recipe(tmp_path / 'r.yaml')
    shipped = train.read_recipe(root / 'training' / 'detector' / 'grown.yaml').network
    deeper = dataclasses.replace(shipped, depths=(3, 5, 4))
    recipe = dataclasses.replace(recipe, network=deeper, grown_from=shipped)
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
