# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.data.face_set import FaceSet
from fer_ros.data.folders import read_unlabelled
from fer_ros.errors import ConfigError, DataError
from fer_ros.evaluation.dataset import evaluate_faces
from fer_ros.evaluation.groups import (
    group_figures,
    group_rows,
    group_stability,
    read_groups,
    share,
)
from fer_ros.evaluation.protocols import PROTOCOLS, ten_crops
from fer_ros.labels import EMOTIONS
from fer_ros.models.card import EmotionModelCard, OutputHead
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.types import EmotionScores, UInt8Array

HAPPY, SAD = EMOTIONS.index('happy'), EMOTIONS.index('sad')


class BrightIsHappy:
    """Calls faces happy as much as they are bright, else sad; counts what it was given."""

    card = EmotionModelCard(
        id='bright', files={}, sha256={}, size_px=20, normalization='none',
        template_px=FER2013_TEMPLATE_48PX, default_head='m',
        heads=(OutputHead('m', ('happy', 'sad'), unknown_threshold=0.7),),
    )  # fmt: skip

    def __init__(self) -> None:
        self.seen = 0

    def classify(self, crops: UInt8Array, head: str = '') -> EmotionScores:
        self.seen += len(crops)
        happy = crops.mean(axis=(1, 2)) / 255
        return EmotionScores(np.stack([happy, 1 - happy], 1).astype(np.float32), ('happy', 'sad'))


def four_faces() -> FaceSet:
    """One training face; three test faces, of which the first is the training face again.

    Votes of the test faces: all happy; 2 in 5 happy and 1 in 5 sad (the rest found no emotion);
    all sad. The levels, and so the predictions: happy 0.8, happy 0.6, happy 0.9 (wrong).
    """
    votes = np.zeros((4, len(EMOTIONS)), np.float32)
    votes[[0, 1], HAPPY] = 1
    votes[2, [HAPPY, SAD]] = 0.4, 0.2
    votes[3, SAD] = 1
    levels = np.array([204, 204, 153, 230], np.uint8)
    return FaceSet(
        'four',
        np.broadcast_to(levels[:, None, None], (4, 20, 20)).copy(),
        np.array([0, 2, 2, 2], np.uint8),
        np.array([HAPPY, HAPPY, HAPPY, SAD]),
        votes,
        ('0', '1', '2', '3'),
    )


@pytest.mark.parametrize(
    'protocol, count, accuracy, calls',
    [
        pytest.param('plurality', 3, 2 / 3, 3, id='every face'),
        pytest.param('majority', 2, 1 / 2, 2, id='without the face on which 2 of 5 agree'),
        pytest.param('no-duplicates', 2, 1 / 2, 2, id='without the training face'),
        pytest.param('ten-crop', 3, 2 / 3, 30, id='ten crops each'),
    ],
)
def test_protocols_count_what_they_say(
    protocol: str, count: int, accuracy: float, calls: int
) -> None:
    classifier = BrightIsHappy()
    report = evaluate_faces(four_faces(), 'private_test', 'ferplus', classifier, protocol=protocol)
    line = report.to_json_line()
    assert (line['count'], line['accuracy']) == (count, pytest.approx(accuracy))
    assert (line['protocol'], classifier.seen) == (protocol, calls)


@pytest.mark.parametrize(
    'protocol, kind, error, message',
    [
        ('best', 'ferplus', ValueError, 'expected one of plurality, majority'),
        ('majority', 'fer2013', ConfigError, 'needs votes: labels ferplus'),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(
    protocol: str, kind: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        evaluate_faces(four_faces(), 'private_test', kind, BrightIsHappy(), protocol=protocol)


def test_duplicates_need_a_training_split() -> None:
    faces = four_faces()[slice(1, 4)]
    with pytest.raises(DataError, match='compares private_test with a training split'):
        evaluate_faces(faces, 'private_test', 'ferplus', BrightIsHappy(), protocol='no-duplicates')


def test_ten_crops_are_corners_and_centre_and_their_mirrors() -> None:
    face = np.zeros((1, 20, 20), np.uint8)
    face[0, 0, 0] = 200  # only the first crop, from row 0 and column 0, sees this corner
    crops = ten_crops(face)
    assert crops.shape == (10, 1, 20, 20)
    assert [bool(crop.any()) for crop in crops] == [True, *[False] * 4, True, *[False] * 4]
    assert [crops[0, 0].argmax(), crops[5, 0].argmax()] == [0, 19]
    # 18 of 20 pixels, one from each side: the centre crop of a ramp keeps its middle.
    ramp = np.broadcast_to(np.arange(0, 200, 10, np.uint8), (1, 20, 20)).copy()
    centre = ten_crops(ramp)[4]
    assert [centre.min(), centre.max()] == [10, 180]


def test_figures_of_groups_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]], np.float32)
    rows = {'old': np.array([0, 1]), 'young': np.array([2, 3])}
    figures = group_figures(
        rows, probabilities, np.array([0, 1, 1, 0]), ('happy', 'sad'), threshold=0.7
    )
    assert figures['old']['accuracy']['value'] == 0.5
    assert figures['old']['coverage'] == {**figures['old']['coverage'], 'value': 0.5}
    assert figures['old']['recall']['happy'] == {'value': 1.0, 'interval': [1.0, 1.0], 'count': 1}
    assert figures['old']['recall']['sad']['value'] == 0.0
    assert figures['young']['accuracy']['value'] == 1.0
    changed = {'blur': probabilities[:, ::-1]}
    steady = group_stability(rows, probabilities, changed, threshold=0.7)
    assert steady['young']['agreement']['blur']['value'] == 0.0
    assert steady['young']['coverage']['value'] == 1.0


def test_a_bootstrap_interval_is_that_of_a_binomial() -> None:
    """Of 100 draws at 0.5, the 2.5 % and 97.5 % quantiles are 40 and 60."""
    figure = share(np.arange(100) < 50)
    assert figure == {'value': 0.5, 'interval': [0.4, 0.6], 'count': 100}
    assert share(np.zeros(0, bool)) == {'value': None, 'interval': None, 'count': 0}


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('', 'expected the columns file and group', id='empty'),
        pytest.param('name,group\na,b\n', 'expected the columns', id='another column'),
        pytest.param('file,group\n', 'names no file', id='no row'),
        pytest.param('file,group\na.png,\n', 'line 2: file or group is empty', id='no group'),
        pytest.param('file,group\na,x\na,y\n', 'line 3: a is in two groups', id='two groups'),
        pytest.param('file,group\nb.png,x\n', 'none of its files is in the data', id='no match'),
    ],
)
def test_groups_that_cannot_be_read_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'groups.csv'
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        group_rows(('a.png',), read_groups(path), path)


def test_excels_byte_order_mark_and_capitals_are_read(tmp_path: Path) -> None:
    path = tmp_path / 'groups.csv'
    path.write_bytes('\ufeffFile, Group\r\na.png,old\r\n'.encode())
    assert read_groups(path) == {'a.png': 'old'}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ('happy/a.png', 'sad/b.png', 'sad/c.png'):
        path = tmp_path / 'faces' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.eye(48, dtype=np.uint8) * 99)
    (tmp_path / 'groups.csv').write_text('file,group\nhappy/a.png,old\nsad/b.png,young\n')
    return tmp_path


@pytest.mark.parametrize('labels', ['ferplus', 'none'])
def test_the_command_prints_groups(
    folder: Path, labels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ['evaluate', 'dataset', str(folder / 'faces'), '--labels', labels]
    assert main([*command, '--groups', str(folder / 'groups.csv')]) == 0
    text = capsys.readouterr().out
    for words in ('3 faces, 1 of them in no group', 'old:', 'coverage'):
        assert words in text


def test_files_of_a_folder_are_named_from_it(folder: Path) -> None:
    assert read_unlabelled(folder / 'faces').files == ('happy/a.png', 'sad/b.png', 'sad/c.png')


def test_no_labels_need_groups(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['evaluate', 'dataset', str(folder / 'faces'), '--labels', 'none']) != 0
    assert 'needs --groups' in capsys.readouterr().err


def test_every_protocol_is_tested() -> None:
    assert PROTOCOLS == ('plurality', 'majority', 'no-duplicates', 'ten-crop')
