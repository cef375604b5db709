# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How another model's word changes what teachers give to a pair of classes."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
pytest.importorskip('tensorflow', reason='TensorFlow is not installed (requirements/train.txt)')

from fer_ros.errors import ConfigError
from fer_ros.models.card import MODELS_DIR, EmotionModelCard
from fer_ros.types import EmotionScores
from training.emotion.batches import head_targets
from training.emotion.config import RunConfig, SecondOpinionConfig, from_mapping
from training.emotion.data import load_sets
from training.emotion.search import with_values
from training.emotion.teachers import reframed, soften_targets, split_anew

LABELS = ('angry', 'disgust', 'happy', 'neutral')
THEIRS = EmotionScores(
    np.array([[0.6, 0.2, 0.2], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]], np.float32),
    ('disgust', 'angry', 'sad'),
)


@pytest.mark.parametrize(
    'mine, row, share, expected',
    [
        pytest.param([0.6, 0.2, 0.1, 0.1], 0, 0.5, [0.4, 0.4, 0.1, 0.1], id='half way'),
        pytest.param([0.6, 0.2, 0.1, 0.1], 0, 1.0, [0.2, 0.6, 0.1, 0.1], id='the other alone'),
        pytest.param([0.6, 0.2, 0.1, 0.1], 0, 0.0, [0.6, 0.2, 0.1, 0.1], id='mine alone'),
        pytest.param([0.1, 0.1, 0.4, 0.4], 1, 1.0, [0.1, 0.1, 0.4, 0.4], id='I give too little'),
        pytest.param([0.6, 0.2, 0.1, 0.1], 2, 1.0, [0.6, 0.2, 0.1, 0.1], id='it gives too little'),
    ],
)
def test_a_pair_is_split_as_both_think(
    mine: list[float], row: int, share: float, expected: list[float]
) -> None:
    config = SecondOpinionConfig(pairs=(('angry', 'disgust'),), share=share, least=0.3)
    opinion = EmotionScores(THEIRS.probabilities[[row]], THEIRS.labels)
    given = np.array([mine], np.float32)
    np.testing.assert_allclose(split_anew(given, LABELS, opinion, config), [expected], atol=1e-6)
    np.testing.assert_allclose(given, [mine], err_msg='the argument stays as it was')


def test_what_makes_no_pair_is_named() -> None:
    config = SecondOpinionConfig(pairs=(('angry', 'fear'),))
    with pytest.raises(ConfigError, match='angry and fear are not in both models'):
        split_anew(np.full((3, 4), 0.25, np.float32), LABELS, THEIRS, config)
    content = {'sets': [{'path': 'a'}], 'second_opinion': {'pairs': [['angry']]}}
    with pytest.raises(ConfigError, match='expected two classes'):
        from_mapping(content)


def test_landmarks_of_reframed_faces_lie_where_the_other_model_wants_them() -> None:
    card = EmotionModelCard.load()
    face = np.zeros((1, 48, 48), np.uint8)
    x, y = card.template_px[0]
    face[0, round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] = 255
    larger = tuple((2 * x + 6, 2 * y + 4) for x, y in card.template_px)
    crop = reframed(face, dataclasses.replace(card, size_px=112, template_px=larger))[0]
    rows, columns = np.nonzero(crop > 127)
    assert columns.mean() == pytest.approx(larger[0][0], abs=1.5)
    assert rows.mean() == pytest.approx(larger[0][1], abs=1.5)
    colour = dataclasses.replace(card, colour='rgb', channels=3)
    assert reframed(face, colour).shape == (1, 48, 48, 3)


def test_only_unlabelled_faces_are_split_anew(run: Path, config: RunConfig, tmp_path: Path) -> None:
    opinion = SecondOpinionConfig(
        model=str(MODELS_DIR / 'emotion.json'),
        backend='litert',
        pairs=(('angry', 'disgust'), ('happy', 'neutral')),
        share=1.0,
        least=0.0,
    )
    loaded = load_sets(config)
    targets = head_targets(loaded.training, config)
    targets[1::2] = 0
    student = with_values(config, {'teachers': [str(run)], 'distillation': 1.0})
    with_opinion = dataclasses.replace(student, second_opinion=opinion)
    plain = soften_targets(targets, loaded, student, tmp_path)
    split = soften_targets(targets, loaded, with_opinion, tmp_path)
    np.testing.assert_array_equal(plain[::2], split[::2])
    np.testing.assert_allclose(plain.sum(axis=1), split.sum(axis=1), atol=1e-5)
    assert np.abs(plain[1::2] - split[1::2]).max() > 0.01
