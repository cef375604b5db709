# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.config import ClassificationConfig
from fer_ros.data.datasets import read_faces
from fer_ros.errors import DataError
from fer_ros.evaluation.groups import read_groups
from fer_ros.models.card import EmotionModelCard
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from fer_ros.recognition.litert import LiteRtRuntime
from training.__main__ import main
from training.emotion import readout
from training.emotion.natural import read_list, write_set

LIST = 'file,label,split,by\na.png,happy,training,eye\nb/c.png,sad,validation,eye\n'


def centre(photo: np.ndarray) -> np.ndarray | None:
    """Return the middle of a photo as its face; a dark photo has none."""
    return photo[8:56, 8:56, 0] if photo.max() > 50 else None


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / 'b').mkdir()
    for number, name in enumerate(('a.png', 'b/c.png'), 1):
        cv2.imwrite(str(tmp_path / name), np.full((64, 64, 3), 100 * number, np.uint8))
    (tmp_path / 'list.csv').write_text(LIST)
    return tmp_path


def test_listed_photos_are_read_back_like_fer2013(photos: Path) -> None:
    assert write_set(photos, read_list(photos / 'list.csv'), centre, photos / 'natural.npz') == 0
    faces = read_faces(photos / 'natural.npz')
    assert [image[0, 0] for image in faces.images] == [100, 200]
    assert [faces.classes[label] for label in faces.labels] == ['happy', 'sad']
    assert [faces.classes[row.argmax()] for row in faces.votes] == ['happy', 'sad']
    assert faces.votes.max(axis=1).tolist() == [1.0, 1.0]
    assert len(faces.split('training')) == len(faces.split('public_test')) == 1
    assert read_groups(photos / 'natural.csv') == {'0': 'eye', '1': 'eye'}


def test_photos_without_a_face_are_counted(photos: Path) -> None:
    cv2.imwrite(str(photos / 'a.png'), np.zeros((64, 64, 3), np.uint8))
    assert write_set(photos, read_list(photos / 'list.csv'), centre, photos / 'natural.npz') == 1
    assert len(read_faces(photos / 'natural.npz')) == 1


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('file,label\na.png,happy\n', 'columns split, by are missing', id='columns'),
        pytest.param(LIST.replace('sad', 'bored'), "line 3: .*'bored'", id='label'),
        pytest.param(LIST.replace('validation', 'test'), "line 3: .*'test'", id='split'),
    ],
)
def test_a_list_that_cannot_be_is_named(photos: Path, text: str, message: str) -> None:
    (photos / 'list.csv').write_text(text)
    with pytest.raises(DataError, match=message):
        read_list(photos / 'list.csv')


def test_a_photo_that_is_not_there_is_named(photos: Path) -> None:
    (photos / 'a.png').unlink()
    with pytest.raises(DataError, match=r'a\.png cannot be read'):
        write_set(photos, read_list(photos / 'list.csv'), centre, photos / 'natural.npz')


def write_faces(path: Path, count: int) -> None:
    """Write faces of noise with random labels, two in three to train on."""
    rng = np.random.default_rng(count)
    labels = rng.integers(0, 7, count)
    np.savez(
        path,
        images=rng.integers(0, 256, (count, 48, 48), np.uint8),
        labels=labels.astype(np.uint8),
        usage=(np.arange(count) % 3 == 2).astype(np.uint8),
        ferplus=10 * np.eye(8, dtype=np.uint8)[labels],
        ferplus_names=np.array(
            ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral', 'contempt']
        ),
    )


@pytest.fixture
def recipe(tmp_path: Path) -> readout.Recipe:
    write_faces(tmp_path / 'votes.npz', 60)
    write_faces(tmp_path / 'natural.npz', 30)
    (tmp_path / 'recipe.yaml').write_text(
        'id: new 1\nvotes: votes.npz\nnatural: natural.npz\nfaces: 20\npull: 1.0e+9\n'
        'second_labels: {disgust: 0.5}\nbiases: {happy: 1.0}\n'
    )
    return readout.read_recipe(tmp_path / 'recipe.yaml')


def one_look(card: EmotionModelCard) -> EmotionClassifier:
    return EmotionClassifier(dataclasses.replace(card, mirror=False), LiteRtRuntime(card, 1))


def test_a_layer_that_is_held_fast_changes_by_its_biases_alone(
    recipe: readout.Recipe, tmp_path: Path
) -> None:
    """The other head stays as it was; the default one is calibrated, so a logit of 1 means e."""
    card = readout.write_model(readout.Readout(recipe), tmp_path / 'new')
    new = make_classifier(ClassificationConfig(model=str(card)))
    old = one_look(EmotionModelCard.load())
    assert (new.card.id, new.card.mirror) == ('new 1', False)
    head, columns = old.card.head()
    crops = np.random.default_rng(9).integers(0, 256, (5, 48, 48), np.uint8)
    before, after = old.logits(crops), new.logits(crops)
    change = after[:, columns] - before[:, columns] / head.temperature
    expected = np.eye(len(head.labels))[head.labels.index('happy')]
    assert np.allclose(change, expected, atol=0.02)
    others = np.setdiff1d(np.arange(new.card.columns), np.arange(new.card.columns)[columns])
    assert np.allclose(after[:, others], before[:, others], atol=0.02)


def test_what_faces_teach_makes_them_likelier(recipe: readout.Recipe) -> None:
    free = readout.Readout(dataclasses.replace(recipe, pull=0.01, own_share=0.0, biases={}))
    layer, heads = free.fit()
    natural = read_faces(Path(recipe.natural)).split('training')
    targets = natural.class_targets('ferplus', free.head.labels)
    features = free.network.features(natural.images)

    def likelihood(logits: np.ndarray) -> float:
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return float(logs[np.arange(len(targets)), targets].mean())

    assert likelihood(layer.logits(features)[:, free.columns]) > likelihood(
        free.start.logits(features)
    )
    assert set(heads) == {'ferplus', 'fer2013'}


@pytest.mark.parametrize(
    'line, message',
    [
        pytest.param('votes: gone.npz', 'gone.npz does not exist', id='no data'),
        pytest.param('biases: {bored: 1}', "'bored' is no class of head ferplus", id='class'),
        pytest.param('colour: red', "no setting is called 'colour'", id='setting'),
        pytest.param('model: nobody', 'no shipped model is called', id='model'),
    ],
)
def test_a_recipe_that_cannot_be_ends_in_a_sentence(
    recipe: readout.Recipe,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    message: str,
) -> None:
    path = tmp_path / 'recipe.yaml'
    kept = [old for old in path.read_text().splitlines() if old.split(':')[0] != line.split(':')[0]]
    path.write_text('\n'.join([*kept, line]))
    assert main(['readout', str(path), str(tmp_path / 'new')]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'new.json').exists()
