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

from helpers.detector_faces import faces, photo_sets  # noqa: E402

from fer_ros.detection.builtin import BuiltinDetector  # noqa: E402
from fer_ros.detection.cells import cell_centres, decode, merge  # noqa: E402
from fer_ros.errors import ConfigError, DataError  # noqa: E402
from training.detector.faces import LabelledFaces  # noqa: E402
from training.detector.mosaic import Example  # noqa: E402
from training.detector.targets import (  # noqa: E402
    BOX,
    GIVEN_SCORE,
    LANDMARKS,
    SCORE,
    WEIGHT,
    DetectorLoss,
    correct,
)

SIZE = 128


def example(known: LabelledFaces, turned_deg: float = 0.0, complete: bool = False) -> Example:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    angles = np.full(len(known), turned_deg, np.float32)
    return Example(image, known, angles, np.full((SIZE, SIZE), complete))


def nothing_seen() -> np.ndarray:
    """What a teacher that sees nothing says of an image."""
    target = np.zeros((len(cell_centres((SIZE, SIZE))[0]), 16), np.float32)
    target[:, WEIGHT] = 1
    return target


def seen(known: LabelledFaces, score: float = 0.9) -> np.ndarray:
    """What a teacher that sees *known* says, at the cells in their centres."""
    target = nothing_seen()
    correct(target, example(known))
    target[target[:, SCORE] > 0, SCORE] = score
    return target


def test_a_face_that_the_teacher_misses_is_given_to_the_cells_in_its_centre() -> None:
    target = nothing_seen()
    correct(target, example(faces((40, 40, 72, 72))))
    centres, strides = cell_centres((SIZE, SIZE))
    given = target[:, SCORE] > 0
    assert set(strides[given]) == {8.0}
    assert sorted(map(tuple, centres[given])) == [(52, 52), (52, 60), (60, 52), (60, 60)]
    assert (target[given, SCORE] == np.float32(GIVEN_SCORE)).all()
    assert (target[given, BOX] == [40, 40, 72, 72]).all()
    assert (target[:, WEIGHT] == 1).all()


FACE = (40, 40, 72, 72)
LARGE = (10, 10, 110, 110)


@pytest.mark.parametrize(
    'sees, known, options, score, weight',
    [
        pytest.param(faces(FACE), faces(FACE), {}, 0.9, 1, id='seen'),
        pytest.param(None, faces(FACE, certain=False), {}, 0, 1, id='missed but not certain'),
        pytest.param(None, faces((50, 50, 60, 60)), {}, 0, 1, id='too small'),
        pytest.param(faces(FACE), faces(), {}, 0.9, 1, id='nobody knew'),
        pytest.param(faces(FACE), faces(), {'complete': True}, 0, 1, id='known to be none'),
        pytest.param(faces(FACE), faces(LARGE, certain=False), {}, 0, 1, id='part of a face'),
        pytest.param(faces(FACE), faces(FACE), {'turned_deg': 65}, 0, 0, id='lying, left open'),
        pytest.param(faces(FACE), faces(FACE), {'turned_deg': 120}, 0, 1, id='upside down'),
    ],
)
def test_a_teacher_is_put_right(
    sees: LabelledFaces | None,
    known: LabelledFaces,
    options: dict,
    score: float,
    weight: float,
) -> None:
    target = nothing_seen() if sees is None else seen(sees)
    there = seen(faces(FACE))[:, SCORE] > 0
    correct(target, example(known, **options))
    np.testing.assert_allclose(target[there, SCORE], score)
    assert (target[there, WEIGHT] == weight).all()


def perfect_prediction(target: np.ndarray) -> np.ndarray:
    """Return what a network that knows *target* would predict."""
    centres, strides = cell_centres((SIZE, SIZE))
    units = 4 * strides[:, None]
    box = target[:, BOX]
    cells = np.zeros((len(target), 15), np.float32)
    cells[:, 0] = np.log(
        np.clip(target[:, SCORE], 1e-4, 1) / np.clip(1 - target[:, SCORE], 1e-4, 1)
    )
    cells[:, 1:3] = ((box[:, :2] + box[:, 2:]) / 2 - centres) / units
    cells[:, 3:5] = np.log(np.maximum(box[:, 2:] - box[:, :2], 1) / units)
    points = target[:, LANDMARKS].reshape(-1, 5, 2)
    cells[:, 5:] = ((points - centres[:, None]) / units[:, None]).reshape(-1, 10)
    return cells


def test_the_perfect_prediction_costs_least_and_decodes_to_the_faces() -> None:
    known = faces((40, 40, 72, 72), (80, 10, 120, 60))
    target = seen(known, 0.99)
    cells = perfect_prediction(target)
    loss = DetectorLoss(SIZE)
    best = float(loss(target[None], cells[None]))
    for column in (0, 1, 3, 5):
        worse = cells.copy()
        worse[:, column] += 0.2
        assert float(loss(target[None], worse[None])) > best, column
    found = merge([decode(cells, (SIZE, SIZE), 0.5)])
    order = np.argsort(found.boxes_xyxy[:, 0])
    np.testing.assert_allclose(found.boxes_xyxy[order], known.boxes_xyxy, atol=1e-3)
    np.testing.assert_allclose(found.landmarks[order], known.landmarks, atol=1e-3)


def test_landmarks_that_nobody_knows_cost_nothing() -> None:
    target = seen(faces(FACE))
    cells = perfect_prediction(target)
    unknown = target.copy()
    unknown[:, LANDMARKS] = np.nan
    loss = DetectorLoss(SIZE)
    assert float(loss(unknown[None], cells[None])) == pytest.approx(
        float(loss(target[None], cells[None])), abs=1e-4
    )


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
    target = DenseTeacher(path).predict(image)
    best = target[np.argmax(target[:, SCORE])]
    net = cv2.FaceDetectorYN.create(str(path), '', (320, 320), 0.6)
    found = net.detect(image)[1][0]
    assert best[SCORE] == pytest.approx(found[14], abs=1e-3)
    np.testing.assert_allclose(best[BOX][:2], found[:2], atol=0.5)
    np.testing.assert_allclose(best[BOX][2:] - best[BOX][:2], found[2:4], atol=0.5)
    np.testing.assert_allclose(best[6:], found[4:14], atol=0.5)


RECIPE = """
seed: 1
network: {stem: [8, 8], widths: [8, 8, 8], depths: [1, 1, 1], neck: 8}
mosaic: {size_px: 96}
schedule: {epochs: 1, steps: 3, batch: 2, learning_rate: 0.001, warmup_steps: 1, decay_share: 0.5}
optimizer: {weight_decay: 0.0, clipnorm: 10.0}
loss: {box_weight: 2.0, landmark_weight: 1.0}
average: {every: 1, decay: 0.9}
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


def test_the_shipped_recipe_is_of_the_shipped_network(root: Path) -> None:
    from training.detector.export import load_network
    from training.detector.train import SHIPPED, read_recipe

    recipe = read_recipe(root / 'training' / 'detector' / 'detector.yaml')
    assert recipe.mosaic.size_px % 32 == 0
    assert len(Path(recipe.not_people).read_text().split()) == 63
    assert load_network(recipe, SHIPPED, (64, 64)).count_params() > 100_000


class Nobody:
    """A teacher that sees nothing, for machines without YuNet's weights."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def predict(self, image: np.ndarray) -> np.ndarray:
        target = np.zeros((len(cell_centres(image.shape[:2])[0]), 16), np.float32)
        target[:, WEIGHT] = 1
        return target


def test_a_tiny_run_resumes_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('tensorflow', reason='the export needs TensorFlow')
    pytest.importorskip('onnxruntime', reason='a teacher is run by onnxruntime')
    from fer_ros.config import DetectionConfig
    from fer_ros.models.card import DetectorCard
    from training.detector import export, train
    from training.detector.network import NetworkConfig

    monkeypatch.setattr(train, 'load_photos', lambda *_: photo_sets())
    monkeypatch.setattr(train, 'DenseTeacher', Nobody)
    monkeypatch.setattr(train, 'VALIDATION_STEPS', 1)
    (tmp_path / 'animals.txt').write_text('a.jpg\n')
    (tmp_path / 'r.yaml').write_text(RECIPE)
    recipe = train.read_recipe(tmp_path / 'r.yaml')
    run = tmp_path / 'run'
    train.train(recipe, tmp_path, tmp_path, run)
    with pytest.raises(ConfigError, match='already holds a run'):
        train.train(recipe, tmp_path, tmp_path, run)
    other = dataclasses.replace(recipe, network=NetworkConfig(neck=16))
    with pytest.raises(ConfigError, match=r'network\.stem, .*network\.neck differ'):
        train.train(other, tmp_path, tmp_path, run, resume=True)
    longer = dataclasses.replace(recipe.schedule, epochs=2)
    train.train(dataclasses.replace(recipe, schedule=longer), tmp_path, tmp_path, run, resume=True)
    lines = (run / 'history.csv').read_text().splitlines()
    assert [line.split(',')[0] for line in lines] == ['epoch', '1', '2']

    monkeypatch.setattr(export, 'CHECKED_SHAPES_HW', ((256, 320), (96, 224)))
    output = tmp_path / 'd.tflite'
    card = DetectorCard(id='tiny', files={}, sha256={}, least_face_px=20.0)
    difference = export.export(recipe, run / 'checkpoints' / 'best.npz', output, card)
    assert difference < export.MAX_DIFFERENCE
    config = DetectionConfig(backend='builtin', weights=str(tmp_path / 'd.json'))
    assert BuiltinDetector(config).detect(np.zeros((50, 70, 3), np.uint8)).boxes_xyxy.shape[1] == 4
