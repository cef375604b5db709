# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.config import ClassificationConfig
from fer_ros.data.datasets import read_npz
from fer_ros.errors import DataError
from fer_ros.evaluation.dataset import evaluate_dataset, evaluate_faces
from fer_ros.evaluation.html_report import write_report
from fer_ros.evaluation.mistakes import mistake_sheet, worst_mistakes
from fer_ros.evaluation.robustness import CONDITIONS
from fer_ros.recognition.classifier import make_classifier
from fer_ros.types import EmotionScores


class Oracle:
    """Predicts the class that a face's grey level names, always with 90 % confidence."""

    def __init__(self) -> None:
        self.card = make_classifier(ClassificationConfig()).card

    def classify(self, crops: np.ndarray, head: str = '') -> EmotionScores:
        labels = self.card.head(head)[0].labels
        probabilities = np.full((len(crops), len(labels)), 0.1 / (len(labels) - 1), np.float32)
        levels = np.clip(np.rint(crops.mean(axis=(1, 2)) / 10), 0, len(labels) - 1).astype(int)
        probabilities[np.arange(len(crops)), levels] = 0.9
        return EmotionScores(probabilities, labels)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """One training face that is a test face too, and three others; the last is labelled wrong."""
    levels = np.array([0, 0, 30, 40, 50], np.uint8)
    path = tmp_path / 'faces.npz'
    np.savez(
        path,
        images=np.broadcast_to(levels[:, None, None], (5, 48, 48)).copy(),
        labels=np.array([0, 0, 3, 4, 6], np.uint8),
        usage=np.array([0, 2, 2, 2, 2], np.uint8),
    )
    return path


def test_the_line_is_what_the_contract_says(faces: Path) -> None:
    line = evaluate_dataset(faces, 'private_test', 'fer2013', Oracle()).to_json_line()
    assert list(line) == [
        'accuracy',
        'balanced_accuracy',
        'expected_calibration_error',
        'count',
        'labels',
        'confusion_matrix',
        'per_class',
        'protocol',
        'flip_tta',
    ]
    assert line['accuracy'] == 0.75
    assert line['balanced_accuracy'] == 0.75
    assert line['count'] == 4
    assert line['expected_calibration_error'] == pytest.approx(0.15, abs=1e-6)
    assert line['labels'] == ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']
    assert line['confusion_matrix'][6][5] == 1
    assert line['per_class']['neutral']['support'] == 1
    assert json.loads(json.dumps(line)) == line


def test_faces_seen_in_training_are_also_left_out(faces: Path) -> None:
    facts = evaluate_dataset(faces, 'private_test', 'fer2013', Oracle()).to_dict()
    fresh = facts['without_faces_seen_in_training']
    assert fresh['count'] == 3
    assert fresh['accuracy'] == pytest.approx(2 / 3)


def test_faces_of_which_most_votes_agree_are_measured_apart(tmp_path: Path) -> None:
    """Of ten votes: 8 happy, 5 happy (half is not most), 9 sad; all three look happy."""
    votes = np.zeros((3, 10), np.uint8)
    votes[:, 1], votes[:, 3] = (8, 5, 0), (2, 3, 9)
    votes[1, 8] = 2
    names = ('neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear',
             'contempt', 'unknown', 'NF')  # fmt: skip
    np.savez(
        tmp_path / 'faces.npz',
        images=np.full((3, 48, 48), 30, np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None],
        labels=np.zeros(3, np.uint8),
        usage=np.full(3, 2, np.uint8),
        ferplus=votes,
        ferplus_names=np.array(names),
    )
    report = evaluate_dataset(tmp_path / 'faces.npz', 'private_test', 'ferplus', Oracle())
    facts = report.to_dict()
    assert facts['accuracy'] == pytest.approx(2 / 3)
    assert facts['where_most_votes_agree']['count'] == 2
    assert facts['where_most_votes_agree']['accuracy'] == 0.5
    page = write_report(report, tmp_path / 'report').read_text()
    assert 'where most votes say the same' in page


def test_the_report_is_a_page_with_plots(faces: Path, tmp_path: Path) -> None:
    report = evaluate_dataset(faces, 'private_test', 'fer2013', Oracle(), robustness=True)
    page = write_report(report, tmp_path / 'report').read_text()
    assert {path.name for path in (tmp_path / 'report').iterdir()} == {'index.html', 'report.json'}
    assert page.count('<svg') == 4  # confusion, reliability, coverage, robustness
    assert 'src="' not in page.replace('src="data:', '')
    facts = json.loads((tmp_path / 'report' / 'report.json').read_text())
    assert set(facts['robustness']) == set(CONDITIONS)
    assert facts['robustness']['occlusion']['lost'] == pytest.approx(
        0.75 - facts['robustness']['occlusion']['accuracy']
    )


@pytest.mark.parametrize(
    'split, kind, error, message',
    [
        pytest.param('test', 'fer2013', ValueError, 'split: expected one of', id='split'),
        pytest.param('private_test', 'fer', ValueError, 'labels: expected one of', id='labels'),
        pytest.param('public_test', 'fer2013', DataError, "split 'public_test'", id='empty split'),
        pytest.param('private_test', 'ferplus', DataError, 'has ferplus labels', id='no votes'),
    ],
)
def test_what_cannot_be_measured_is_said(
    faces: Path, split: str, kind: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        evaluate_dataset(faces, split, kind, Oracle())


def test_the_shipped_model_keeps_its_floors_on_the_choosing_split(shared: Path) -> None:
    faces = read_npz(shared / 'data' / 'fer2013.npz')
    faces = faces[np.flatnonzero(faces.splits == 1)[:1000]]
    classifier = make_classifier(ClassificationConfig())
    line = evaluate_faces(faces, 'public_test', 'ferplus', classifier).to_json_line()
    assert line['accuracy'] > 0.79
    assert line['expected_calibration_error'] < 0.06


def test_mistakes_stand_in_one_picture(faces: Path) -> None:
    report = evaluate_dataset(faces, 'private_test', 'fer2013', Oracle())
    neutral = report.labels.index('neutral')
    assert worst_mistakes(report, neutral, 12).tolist() == [3], 'level 50 is predicted surprise'
    assert not worst_mistakes(report, report.labels.index('happy'), 12).size
    sheet = mistake_sheet(report, per_class=2)
    assert sheet.shape == (20 + 96 + 20 + 8, 8 + 2 * (96 + 8), 3), 'one class has mistakes'
    np.testing.assert_array_equal(sheet[20:116, 8:104], 50)
    assert (sheet[20:116, 112:208] == 255).all(), 'and only one'


def test_the_report_says_whether_faces_were_mirrored_too(
    faces: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ['evaluate', 'dataset', str(faces), '--labels', 'fer2013']
    assert main(command) == 0
    assert 'each face with its mirror image, as photos are read' in capsys.readouterr().out
    assert main([*command, '--set', 'classification.flip_tta=false', '--json']) == 0
    assert json.loads(capsys.readouterr().out)['flip_tta'] is False


def test_the_most_confident_mistakes_come_first(faces: Path) -> None:
    report = evaluate_dataset(faces, 'private_test', 'fer2013', Oracle())
    scores = np.full((3, 7), 0.0, np.float32)
    scores[:, 5], scores[:, 6] = [0.6, 0.9, 0.2], [0.4, 0.1, 0.8]
    report = dataclasses.replace(report, probabilities=scores, targets=np.full(3, 6))
    assert worst_mistakes(report, 6, 2).tolist() == [1, 0]
    assert worst_mistakes(report, 6, 1).tolist() == [1]


def test_a_picture_of_mistakes_is_saved_and_not_overwritten(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    picture = tmp_path / 'mistakes.png'
    command = ['evaluate', 'dataset', str(faces), '--labels', 'fer2013', '--mistakes']
    assert main([*command, str(picture)]) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')
    assert main([*command, str(picture)]) != 0
    assert 'exists' in capsys.readouterr().err
    assert main([*command, str(tmp_path / 'mistakes.gif')]) != 0
    assert '--mistakes: expected a name that ends in .png' in capsys.readouterr().err
