# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording's figures, against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_ros.data.bag_labels import Span, read_spans
from fer_ros.errors import DataError
from fer_ros.evaluation.bag import BagEvaluation, summarize
from fer_ros.evaluation.bag_report import faces_csv, report_html
from fer_ros.types import FaceEmotion, FrameEmotions

LABELS = ('happy', 'sad')


def face(track_id: int, raw: float, smoothed: float, label: str = '') -> FaceEmotion:
    """Return a face with these probabilities of being happy."""
    return FaceEmotion(
        track_id=track_id,
        box_xyxy=np.array([0, 0, 10, 10], np.float32),
        landmarks=np.full((5, 2), np.nan, np.float32),
        detection_score=0.9,
        raw_probabilities=np.array([raw, 1 - raw], np.float32),
        probabilities=np.array([smoothed, 1 - smoothed], np.float32),
        label=label or LABELS[int(smoothed < 0.5)],
        confidence=max(smoothed, 1 - smoothed),
    )


def recording(*faces: tuple[FaceEmotion, ...], spans: tuple[Span, ...] = ()) -> BagEvaluation:
    """Return an evaluation with a frame every half second."""
    frames = [FrameEmotions(0.5 * n, (10, 10), LABELS, found) for n, found in enumerate(faces)]
    return BagEvaluation('bag', '/image', 'm-1', LABELS, frames, spans)


def test_a_recording_with_a_change_of_expression() -> None:
    evaluation = recording(
        (face(1, 0.9, 0.9),),
        (face(1, 0.9, 0.9), face(2, 0.2, 0.2)),
        (face(1, 0.1, 0.6),),
        (face(1, 0.1, 0.3, label='unknown'),),
        (),
        spans=(Span(0.0, 1.0, 'happy'), Span(1.0, 9.0, 'sad')),
    )
    facts = summarize(evaluation)
    assert (facts['images'], facts['faces'], facts['seconds']) == (5, 5, 2.5)
    assert facts['share_of_time_without_face'] == pytest.approx(1 / 5)
    assert facts['share_of_face_time_unknown'] == pytest.approx(1 / 5)
    # Targets: happy, happy, happy (person 2, who looks sad), sad, sad.
    assert facts['frames']['accuracy'] == pytest.approx(3 / 5)
    assert facts['frames']['confusion_matrix'] == [[2, 1], [1, 1]]
    assert facts['frames_unsmoothed']['accuracy'] == pytest.approx(4 / 5)
    # Person 1 is half happy, half sad by targets (a tie goes to the first), 0.675 happy overall.
    assert facts['people']['confusion_matrix'] == [[1, 1], [0, 0]]
    # 0.667 happy in the first span, 0.45 in the second.
    assert facts['spans']['accuracy'] == 1.0
    (switch,) = facts['switches']
    assert (switch['from'], switch['to'], switch['at_s']) == ('happy', 'sad', 1.0)
    assert (switch['raw_s'], switch['smoothed_s']) == (0.0, 0.5)
    assert [p['track_id'] for p in facts['persons']] == [1, 2]


@pytest.mark.parametrize(
    'evaluation',
    [
        pytest.param(recording(), id='no frame'),
        pytest.param(recording(()), id='one frame without a face'),
        pytest.param(recording((face(1, 0.5, 0.5),)), id='one face without a target'),
    ],
)
def test_what_is_not_defined_is_none(evaluation: BagEvaluation) -> None:
    facts = summarize(evaluation)
    for level in ('frames', 'frames_unsmoothed', 'people', 'spans'):
        assert facts[level]['count'] == 0
        assert facts[level]['accuracy'] is None
    assert '<html' in report_html(evaluation, facts)
    assert faces_csv(evaluation).startswith('frame,stamp_s,track_id')


def test_labels_of_one_person_come_before_those_of_everybody() -> None:
    spans = (Span(0.0, 9.0, 'happy'), Span(0.0, 9.0, 'sad', track_id=2))
    rows = recording((face(1, 0.9, 0.9), face(2, 0.1, 0.1)), spans=spans).rows()
    assert rows.targets.tolist() == [0, 1]


def test_a_new_label_after_a_gap_is_no_switch() -> None:
    spans = (Span(0.0, 1.0, 'happy'), Span(2.0, 3.0, 'sad'))
    assert summarize(recording((face(1, 0.9, 0.9),), spans=spans))['switches'] == []


def test_spans_are_read(tmp_path: Path) -> None:
    path = tmp_path / 'labels.csv'
    path.write_text('start_s,end_s,label,track_id\n2,3.5,sad,1\n0,2,happy,\n')
    assert read_spans(path) == (Span(0, 2, 'happy'), Span(2, 3.5, 'sad', 1))


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('', 'columns start_s, end_s, label are missing; it has none', id='empty'),
        pytest.param('start_s,end_s\n', 'columns label are missing', id='column'),
        pytest.param('start_s,end_s,label\n0,1,merry\n', "line 2: label 'merry'", id='label'),
        pytest.param('start_s,end_s,label\n0,1,sad\n2,1,sad\n', 'line 3: span from', id='order'),
        pytest.param('start_s,end_s,label\nx,1,sad\n', "line 2: start_s: 'x' is no", id='number'),
        pytest.param('start_s,end_s,label\n1\n', 'line 2', id='short row'),
        pytest.param('\x00\x00', 'column|cannot be read', id='corrupt'),
    ],
)
def test_wrong_label_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'labels.csv'
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_spans(path)
