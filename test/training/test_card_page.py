# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of the shipped model says what its card says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_ros.errors import DataError
from fer_ros.models.card import EmotionModelCard
from training.__main__ import main
from training.emotion.card_page import MARKED, fill

ONE = {
    'accuracy': 0.75, 'balanced_accuracy': None, 'expected_calibration_error': 0.0123, 'count': 4,
    'labels': ['happy', 'sad'], 'confusion_matrix': [[2, 1], [0, 1]],
    'per_class': {'happy': {'precision': 1.0, 'recall': 2 / 3, 'f1': 0.8, 'support': 3}},
    'without_faces_seen_in_training': {'count': 3, 'accuracy': 2 / 3},
    'at_unknown_threshold': {'coverage': 0.5, 'accuracy': 1.0},
    'robustness': {'noise': {'what': 'grains', 'accuracy': 0.5, 'lost': 0.25}},
}  # fmt: skip


@pytest.mark.parametrize(
    'part, row',
    [
        ('summary', '| accuracy of labels other than `unknown` | 1.0000 | 50.0 % of 4 |'),
        ('summary', '| balanced accuracy | undefined | 4 |'),
        ('classes', '| happy | 1.0000 | 0.6667 | 0.8000 | 3 |'),
        ('confusion', '| happy | 2 | 1 |'),
        ('mixed', '| happy / sad | 1 | 0 | 100 % |'),
        ('robustness', '| noise | grains | 0.5000 | 25.0 |'),
    ],
)
def test_a_part_is_filled(part: str, row: str) -> None:
    page = fill(f'before <!-- card {part} mine -->stale\n<!-- end --> after', {'mine': ONE})
    assert row in page.splitlines()
    assert 'stale' not in page
    assert page.startswith('before <!-- card')
    assert page.endswith('<!-- end --> after')
    assert fill(page, {'mine': ONE}) == page


@pytest.mark.parametrize(
    'marker, said',
    [
        ('colours mine', 'names colours'),
        ('classes yours', 'of mine'),
        ('summary bare', 'was not measured'),
    ],
)
def test_what_is_not_there_is_said(marker: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        fill(f'<!-- card {marker} --><!-- end -->', {'mine': ONE, 'bare': {}})


def test_the_page_of_the_shipped_model_says_what_its_card_says(root: Path) -> None:
    page = (root / 'docs' / 'model_card.md').read_text(encoding='utf-8')
    assert len(MARKED.findall(page)) >= 6
    assert fill(page, EmotionModelCard.load().about['metrics']) == page


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, card = tmp_path / 'page.md', str(EmotionModelCard.find('default'))
    page.write_text('<!-- card classes ferplus_private_test --><!-- end -->')
    assert main(['card_page', card, str(page)]) == 0
    assert '| contempt |' in page.read_text()
    page.write_text('<!-- card classes nobody --><!-- end -->')
    assert main(['card_page', card, str(page)]) == 1
    assert 'names classes of nobody' in capsys.readouterr().err
