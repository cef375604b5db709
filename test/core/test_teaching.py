# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A model of one's own: the last layer replaced, fitted, judged honestly, and run by the node."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.cli import main
from fer_ros.config import ClassificationConfig, replace
from fer_ros.data.groups import folds
from fer_ros.errors import DataError, ModelError
from fer_ros.images.demo import DemoSource, sample_photo
from fer_ros.images.video_writer import VideoWriter
from fer_ros.labels import EMOTIONS
from fer_ros.models.card import MODELS_DIR, EmotionModelCard
from fer_ros.recognition.classifier import make_classifier
from fer_ros.teaching.baseline import take_baseline
from fer_ros.teaching.features import FrozenNetwork
from fer_ros.teaching.figures import Share, gain_interval
from fer_ros.teaching.fit import LastLayer, choose_pull, fit, fit_temperature
from fer_ros.teaching.network import features_of, last_layer, with_last_layer
from fer_ros.teaching.teach import teach

SHIPPED = (MODELS_DIR / 'emotion.tflite').read_bytes()
FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)


def test_features_and_the_last_layer_are_the_network() -> None:
    network = FrozenNetwork(EmotionModelCard.load())
    kernel, bias = last_layer(SHIPPED)
    expected = make_classifier(ClassificationConfig()).logits(FACES)
    np.testing.assert_allclose(network.features(FACES) @ kernel + bias, expected, atol=0.02)


def test_the_shipped_layer_is_kept_by_class_name() -> None:
    card = EmotionModelCard.load()
    head, columns = card.head()
    layer = FrozenNetwork(card).layer_for(('neutral', 'bored', 'happy'))
    kernel, bias = last_layer(SHIPPED)
    places = [head.labels.index('neutral'), head.labels.index('happy')]
    known = kernel[:, columns][:, places] / head.temperature
    np.testing.assert_allclose(layer.kernel[:, [0, 2]], known, atol=1e-6)
    np.testing.assert_allclose(layer.kernel[:, 1], known.mean(axis=1), atol=1e-6)
    assert layer.bias[2] == pytest.approx(bias[columns][places[1]] / head.temperature)


def test_what_is_no_network_of_this_kind_is_refused() -> None:
    with pytest.raises(ModelError, match='not a LiteRT model'):
        last_layer(b'no model')
    with pytest.raises(ModelError, match='does not end in one fully connected layer'):
        with_last_layer(features_of(SHIPPED), np.zeros((256, 2)), np.zeros(2))


def clusters(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes of features that differ in the first of them."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    features = rng.normal(0, 1, (count, 4)).astype(np.float32)
    features[:, 0] += 4 * targets
    return features, targets


WRONG = LastLayer(np.array([[1, -1]] + [[0, 0]] * 3, np.float32), np.zeros(2, np.float32))
RIGHT = LastLayer(np.array([[-2, 2]] + [[0, 0]] * 3, np.float32), np.array([4, -4], np.float32))


def test_a_wrong_layer_is_unlearned_and_a_right_one_kept() -> None:
    features, targets = clusters(40)
    groups = np.arange(40)
    pull = choose_pull(features, targets, groups, WRONG)
    learned = fit(features, targets, WRONG, pull)
    assert (learned.logits(features).argmax(axis=1) == targets).mean() > 0.9
    kept = fit(features, targets, RIGHT, choose_pull(features, targets, groups, RIGHT))
    np.testing.assert_allclose(kept.kernel, RIGHT.kernel, atol=0.5)


def test_a_group_lies_in_one_fold_and_classes_are_spread() -> None:
    groups = np.array([0, 0, 1, 1, 2, 3, 4, 5])
    targets = np.array([0, 0, 1, 1, 0, 1, 0, 1])
    parts = folds(groups, targets, 2)
    assert parts[0] == parts[1]
    assert parts[2] == parts[3]
    assert sorted(np.bincount(parts)) == [4, 4]
    assert set(parts[targets == 0]) == set(parts[targets == 1]) == {0, 1}


def test_a_temperature_needs_evidence() -> None:
    sure = np.tile(np.array([[3.0, 0.0]], np.float32), (4, 1))
    assert 1 < fit_temperature(sure, np.array([0, 0, 1, 1])) < 1.6
    many = np.tile(sure, (200, 1))
    assert fit_temperature(many, np.tile([0, 0, 1, 1], 200)) > 3


def test_intervals() -> None:
    # Wilson's interval of 45 of 60, by hand: (0.75 + 1.9208/60 -+ 1.96 * 0.0583) / 1.0640
    low, high = Share(45, 60, 0.75).interval
    assert (low, high) == (pytest.approx(0.6277, abs=1e-3), pytest.approx(0.8422, abs=1e-3))
    ones, none = np.ones(20, bool), np.zeros(20, bool)
    assert gain_interval(ones, none, np.arange(20)) == (1.0, 1.0)
    assert gain_interval(ones, ones, np.zeros(20, int)) == (0.0, 0.0)


@pytest.fixture(scope='module')
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person in two expressions of this album's own, a person each of them turned."""
    folder = tmp_path_factory.mktemp('album')
    face = sample_photo('astronaut.png')[20:320, 80:380]
    rng = np.random.default_rng(0)
    for label, change in (('bright', 40), ('happy', 0)):
        for number in range(6):
            photo = np.clip(face.astype(int) + change + 10 * number, 0, 255).astype(np.uint8)
            matrix = cv2.getRotationMatrix2D((150, 150), float(rng.uniform(-25, 25)), 1)
            (folder / label).mkdir(exist_ok=True)
            turned = cv2.warpAffine(photo, matrix, (300, 300), borderMode=cv2.BORDER_REPLICATE)
            cv2.imwrite(str(folder / label / f'{number}_{label}.png'), turned)
    (folder / 'happy' / 'IMG_1.CR3').write_bytes(b'x')
    return folder


def test_a_folder_of_photos_becomes_a_model_that_the_pipeline_runs(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(['train', str(album), '--output', str(tmp_path / 'mine_1.0')]) == 0
    said = capsys.readouterr().out
    assert 'happy: 6 faces; 1 file left out (1 .cr3)' in said
    assert 'classes the shipped model does not know: bright' in said
    assert 'right on faces held back:' in said
    assert 'the shipped model on the same faces: 6 of 12' in said
    assert 'The new model ' in said
    assert f'fer run 0 --model {tmp_path}/mine_1.0.json' in said
    card = json.loads((tmp_path / 'mine_1.0.json').read_text())
    assert card['heads'][0]['labels'] == ['happy', 'bright']
    assert card['about']['left_out'] == {'happy': {'.cr3': 1}}
    config = replace(PipelineConfig(), {'classification.model': str(tmp_path / 'mine_1.0.json')})
    photo = cv2.imread(str(album / 'happy' / '0_happy.png'))
    frame = EmotionPipeline(config).process(photo, 0.0)
    assert frame.labels == ('happy', 'bright')
    assert frame.faces[0].probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_an_older_model_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / 'mine.json').write_text('{}')
    with pytest.raises(ModelError, match=r'mine\.json exists already'):
        teach(tmp_path, tmp_path / 'mine')


@pytest.mark.parametrize(
    'classes, message',
    [
        pytest.param([], 'one folder of photos for each class is needed', id='none'),
        pytest.param(['happy'], 'one folder of photos for each class is needed', id='one'),
        pytest.param(['happy', 'unknown'], "none of them 'unknown'", id='reserved word'),
        pytest.param(['happy', 'sad'], 'happy is empty: no face', id='no photos'),
    ],
)
def test_a_folder_that_cannot_be_learned_from_is_named(
    tmp_path: Path, classes: list[str], message: str
) -> None:
    for name in classes:
        (tmp_path / 'album' / name).mkdir(parents=True)
    (tmp_path / 'album').mkdir(exist_ok=True)
    with pytest.raises(DataError, match=message):
        teach(tmp_path / 'album', tmp_path / 'mine')


def rows_of(count: int, **shares: float) -> np.ndarray:
    """Probabilities of *count* frames: the shares that are named, the rest to all others."""
    left = (1 - sum(shares.values())) / (len(EMOTIONS) - len(shares))
    row = [shares.get(label, left) for label in EMOTIONS]
    return np.tile(np.array(row, np.float32), (count, 1))


def test_a_sad_face_at_rest_becomes_neutral_and_nothing_else_changes(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    baseline = take_baseline(rows_of(50, sad=0.6, neutral=0.3), tmp_path / 'anna')
    assert (baseline.before, baseline.after, baseline.frames) == (0.0, 1.0, 20)
    # ln(0.6 / 0.3) to be as likely as neutral, and the lead of 2.
    assert baseline.lowered == {'sad': pytest.approx(np.log(2) + 2, abs=1e-4)}
    shipped, own = (
        EmotionPipeline(replace(PipelineConfig(), {'classification.model': model}))
        for model in ('default', str(baseline.card))
    )
    (before,) = shipped.process(astronaut, 0.0).faces
    (after,) = own.process(astronaut, 0.0).faces
    assert after.label == 'happy'
    change = np.log(after.raw_probabilities) - np.log(before.raw_probabilities)
    change -= change[EMOTIONS.index('neutral')]
    change[EMOTIONS.index('sad')] += baseline.lowered['sad']
    assert np.abs(change).max() < 0.05


def test_a_face_that_is_read_as_surely_sad_may_be_at_rest(tmp_path: Path) -> None:
    baseline = take_baseline(rows_of(50, sad=0.97, neutral=0.01), tmp_path / 'anna')
    assert (baseline.before, baseline.after) == (0.0, 1.0)
    # ln(0.97 / 0.01), and the lead of 2.
    assert baseline.lowered['sad'] == pytest.approx(6.575, abs=1e-3)
    assert baseline.summary().endswith('. It will seldom say sad of this face.')


@pytest.mark.parametrize(
    'rows, message',
    [
        (rows_of(19, neutral=0.3), '19 frames with a clear face: a baseline needs 20'),
        (np.zeros((0, 8), np.float32), '0 frames with a clear face'),
        (rows_of(50, happy=0.99), 'this face shows happy .99%.: a baseline is taken from a face'),
        (rows_of(50, neutral=0.95), 'at rest this face is neutral already'),
    ],
    ids=['few', 'none', 'smiling', 'neutral already'],
)
def test_a_face_that_makes_no_baseline(rows: np.ndarray, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        take_baseline(rows, tmp_path / 'anna')
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_is_taken_from_a_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The astronaut smiles: it is said, by a command that has read the clip."""
    path, source = tmp_path / 'clip.mp4', DemoSource((320, 240), 10.0)
    with VideoWriter(path, 10.0) as writer:
        for number in range(25):
            writer.write(source.at(1.0 + number / 10))
    assert main(['teach', '--neutral', str(path), '--output', str(tmp_path / 'anna')]) == 1
    assert 'this face shows happy' in capsys.readouterr().err
