# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurements in the model card, and the training commands that the documentation names."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
import shlex
from pathlib import Path

import pytest

from fer_ros.dashboard.figures import find_measurements
from fer_ros.labels import EMOTIONS
from fer_ros.models.card import EmotionModelCard
from training.__main__ import COMMANDS, main

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A copy of the shipped card without measurements."""
    shipped = EmotionModelCard.load()
    shipped.about.pop('metrics', None)
    shipped.write(tmp_path / 'card.json')
    return tmp_path / 'card.json'


def measurement(**changes: object) -> dict[str, object]:
    return {
        'dataset': 'faces', 'split': 'private_test', 'truth': 'ferplus',
        'model': EmotionModelCard.load().id,
        'accuracy': 0.123456, 'balanced_accuracy': 0.5, 'expected_calibration_error': 0.01,
        'count': 8, 'labels': list(EMOTIONS), 'confusion_matrix': [[1] * 8] * 8,
        'per_class': {'happy': {'precision': 1.0, 'recall': 0.5, 'f1': 2 / 3, 'support': 2}},
        'robustness': {'noise': {'what': 'noise', 'accuracy': 0.1, 'lost': 0.02}},
        'reliability': [1, 2, 3],
    } | changes  # fmt: skip


def test_a_measurement_goes_into_the_card(card: Path, tmp_path: Path) -> None:
    (tmp_path / 'report.json').write_text(json.dumps(measurement()))
    arguments = [str(card), '--metrics', str(tmp_path / 'report.json'), '--command', 'fer again']
    assert main(['describe', *arguments]) == 0
    about = EmotionModelCard.load(str(card)).about
    assert set(about['metrics']) == {'ferplus_private_test'}
    entry = about['metrics']['ferplus_private_test']
    assert (entry['accuracy'], entry['command'], entry['count']) == (0.1235, 'fer again', 8)
    assert entry['per_class']['happy']['f1'] == 0.6667
    assert 'reliability' not in entry
    # The model view draws it.
    assert ('Metrics, ferplus private test', entry) in find_measurements(about)
    assert EmotionModelCard.load(str(card)).sha256 == EmotionModelCard.load().sha256


@pytest.mark.parametrize(
    'content, message',
    [
        ('{', 'cannot be read as JSON'),
        ('[1]', 'is not what `fer evaluate dataset --json` prints'),
        ('{"accuracy": 1.0}', 'balanced_accuracy'),
        (json.dumps(measurement(model='another')), 'measured was another'),
        (json.dumps(measurement(labels=['happy', 'sad'])), 'has the classes happy, sad'),
        (json.dumps({k: v for k, v in measurement().items() if k != 'split'}), 'give it a --name'),
    ],
    ids=['no JSON', 'a list', 'too little', 'another model', 'other classes', 'no name'],
)
def test_what_does_not_fit_is_refused(
    card: Path, tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'report.json').write_text(content)
    before = card.read_bytes()
    assert main(['describe', str(card), '--metrics', str(tmp_path / 'report.json')]) == 1
    assert message in capsys.readouterr().err
    assert card.read_bytes() == before


def documented() -> list[str]:
    """Return the ``python -m training …`` lines of the documentation's blocks."""
    found = []
    for page in sorted([ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')]):
        for block in re.findall(r'^```bash\n(.*?)^```$', page.read_text(), re.M | re.S):
            for line in block.replace('\\\n', ' ').splitlines():
                found += re.findall(r'python -m training ([^#]+)', line)
    return found


class UnderstoodError(Exception):
    """Arguments were parsed; the command itself is not wanted."""


@pytest.mark.parametrize('line', documented())
def test_training_commands_are_understood(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
    name, *arguments = shlex.split(line)
    parse = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, given: object = None) -> None:
        parse(parser, given)
        raise UnderstoodError

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop)
    with pytest.raises(UnderstoodError):
        main([name, *arguments])


@pytest.mark.parametrize('name', COMMANDS)
def test_parameters_of_commands_are_their_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
    with pytest.raises(SystemExit) as ended:
        main([name, '--help'])
    assert ended.value.code == 0
    assert f'usage: python -m training {name} ' in capsys.readouterr().out
    module, function = COMMANDS[name].split(':')
    command = getattr(importlib.import_module(module), function)
    parser = argparse.ArgumentParser()
    given = {parser.add_argument(*names, **rules).dest for names, rules in command.options}
    inspect.signature(command.function).bind(**dict.fromkeys(given))
