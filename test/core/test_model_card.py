# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fer_ros.config import ClassificationConfig
from fer_ros.errors import ModelError
from fer_ros.models.card import MODELS_DIR, EmotionModelCard
from fer_ros.recognition.classifier import make_classifier


@pytest.fixture
def card_folder(tmp_path: Path) -> Path:
    """A copy of the shipped card and its LiteRT weights."""
    card = EmotionModelCard.load()
    content = json.loads((MODELS_DIR / 'emotion.json').read_text())
    content['files'] = {'litert': card.files['litert']}
    (tmp_path / 'card.json').write_text(json.dumps(content))
    weights = (MODELS_DIR / card.files['litert']).read_bytes()
    (tmp_path / card.files['litert']).write_bytes(weights)
    return tmp_path


def load(folder: Path) -> None:
    make_classifier(ClassificationConfig(model=str(folder / 'card.json')))


def change(folder: Path, **changes: object) -> None:
    path = folder / 'card.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_copy_of_the_shipped_model_loads(card_folder: Path) -> None:
    load(card_folder)


@pytest.mark.parametrize(
    'changes, message',
    [
        pytest.param({'schema': 99}, 'schema 99, this version reads 1', id='schema'),
        pytest.param({'kind': 'detector'}, "an object of kind 'emotion'", id='kind'),
        pytest.param({'size_px': 1}, 'size_px 16 to 512', id='size'),
        pytest.param({'size_px': 'big'}, 'invalid literal', id='size is a word'),
        pytest.param({'normalization': 'magic'}, "normalization 'magic'", id='normalization'),
        pytest.param({'heads': []}, 'heads: expected at least one', id='no heads'),
        pytest.param({'heads': 7}, 'card.json', id='heads are a number'),
        pytest.param({'template_px': [[1, 2]]}, 'five', id='template'),
        pytest.param({'files': {'litert': '../../etc/passwd'}}, 'plain file name', id='path'),
        pytest.param({'files': {}}, 'no weights for litert, only for nothing', id='no weights'),
        pytest.param({'files': {'litert': 'gone.tflite'}}, 'gone.tflite are missing', id='gone'),
        pytest.param({'sha256': {}}, 'damaged or not the file', id='digest'),
        pytest.param({'id': '\ud800'}, 'is not JSON.*surrogates', id='half a character'),
        pytest.param({'id': 'x' * 201}, 'longer than 200 characters', id='long id'),
        pytest.param({'files': {'litert': 'w' * 400}}, 'File name too long', id='long name'),
    ],
)
def test_a_card_that_contradicts_itself_is_named(
    card_folder: Path, changes: dict, message: str
) -> None:
    change(card_folder, **changes)
    with pytest.raises(ModelError, match=message):
        load(card_folder)


@pytest.mark.parametrize('field', ['id', 'files', 'sha256', 'size_px', 'heads', 'normalization'])
def test_a_missing_field_is_named(card_folder: Path, field: str) -> None:
    path = card_folder / 'card.json'
    content = json.loads(path.read_text())
    del content[field]
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=f"'{field}' is missing"):
        load(card_folder)


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('', 'is not JSON', id='empty'),
        pytest.param('{"a": ', 'is not JSON', id='cut off'),
        pytest.param('[' * 100_000, 'is not JSON', id='nested without end'),
        pytest.param('[]', 'expected an object', id='list'),
        pytest.param('"' + 'x' * 2_000_000 + '"', 'larger than', id='huge'),
    ],
)
def test_a_corrupt_card_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'card.json'
    path.write_text(text)
    with pytest.raises(ModelError, match=message):
        EmotionModelCard.load(str(path))


def test_a_card_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r'none\.json does not exist'):
        EmotionModelCard.load(str(tmp_path / 'none.json'))


@pytest.mark.parametrize(
    'model, message',
    [
        pytest.param('a' * 300, 'no shipped model is called', id='long name'),
        pytest.param('/x' * 2500 + '.json', 'File name too long', id='long path'),
        pytest.param('~nosuchuser/x.json', 'cannot be used: Could not determine', id='no user'),
        pytest.param('a\0.json', 'embedded null byte', id='NUL'),
        pytest.param('\ud800.json', 'surrogates not allowed', id='half a character in a path'),
        pytest.param('\ud800', 'no shipped model', id='half a character in a name'),
        pytest.param('../models/emotion', 'no shipped model', id='another folder'),
    ],
)
def test_a_name_that_no_model_can_have(model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        EmotionModelCard.load(model)
    assert str(caught.value).encode()
    assert len(str(caught.value)) < 400


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(ModelError, match=r"called 'magic'; there are: emotion"):
        EmotionModelCard.load('magic')


@pytest.mark.parametrize('kept_bytes', [0, 10, 5000])
def test_truncated_weights_are_named_even_with_a_matching_digest(
    card_folder: Path, kept_bytes: int
) -> None:
    from fer_ros.models.card import file_sha256

    card = EmotionModelCard.load(str(card_folder / 'card.json'))
    weights = card_folder / card.files['litert']
    weights.write_bytes(weights.read_bytes()[:kept_bytes])
    with pytest.raises(ModelError, match='damaged'):
        load(card_folder)
    change(card_folder, sha256={weights.name: file_sha256(weights)})
    with pytest.raises(ModelError, match='not a LiteRT model'):
        load(card_folder)


def test_weights_of_another_shape_than_the_card_says_are_refused(card_folder: Path) -> None:
    heads = json.loads((card_folder / 'card.json').read_text())['heads']
    change(card_folder, heads=heads[:1], default_head=heads[0]['name'])
    with pytest.raises(ModelError, match='its card says input and output are'):
        load(card_folder)


def test_probabilities_for_any_number_of_faces_one_after_another() -> None:
    classifier = make_classifier(ClassificationConfig())
    crops = np.random.default_rng(0).integers(0, 256, (7, 48, 48), np.uint8)
    alone = np.concatenate([classifier.classify(crop[None]).probabilities for crop in crops])
    for count in (0, 1, 7, 2, 0, 7):
        scores = classifier.classify(crops[:count])
        assert scores.probabilities.shape == (count, len(scores.labels))
        assert np.allclose(scores.probabilities, alone[:count], atol=1e-5)


@pytest.mark.parametrize(
    'crops, message',
    [
        pytest.param(np.zeros((1, 32, 32), np.uint8), r'got uint8 \(1, 32, 32\)', id='size'),
        pytest.param(np.zeros((1, 48, 48), np.float32), 'got float32', id='dtype'),
        pytest.param(np.zeros((1, 48, 48, 4), np.uint8), r'\(1, 48, 48, 4\)', id='alpha'),
    ],
)
def test_crops_of_the_wrong_kind_are_named(crops: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_classifier(ClassificationConfig()).classify(crops)


def test_an_unknown_head_is_named() -> None:
    classifier = make_classifier(ClassificationConfig())
    with pytest.raises(ValueError, match="no output 'magic'"):
        classifier.classify(np.zeros((1, 48, 48), np.uint8), 'magic')
