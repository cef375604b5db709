# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames to messages and back, for messages of nodes and of bags."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.makes import MAKES, no_header

from fer_ros.errors import ImageError
from fer_ros.messages.emotions import (
    check_header,
    detection_array,
    emotion_array,
    frame_emotions,
    label_info,
    stamp_seconds,
)
from fer_ros.types import FaceEmotion, FrameEmotions

BOTH = pytest.mark.parametrize('make', MAKES)
FACE = FaceEmotion(
    track_id=7,
    box_xyxy=np.array([10.4, 20.0, 30.6, 50.2], np.float32),
    landmarks=np.arange(10, dtype=np.float32).reshape(5, 2),
    detection_score=0.5,
    raw_probabilities=np.array([0.5, 0.5], np.float32),
    probabilities=np.array([0.25, 0.75], np.float32),
    label='happy',
    confidence=0.75,
    quality=('too_small', 'blurred'),
)
FRAME = FrameEmotions(3.5, (480, 640), ('sad', 'happy'), (FACE,))


def header(make):
    stamp = make('builtin_interfaces/msg/Time', sec=3, nanosec=500_000_000)
    return make('std_msgs/msg/Header', stamp=stamp, frame_id='head')


@BOTH
def test_a_frame_becomes_a_message_and_back(make) -> None:
    sent = emotion_array(make, FRAME, header(make), 'model-1')
    assert (stamp_seconds(sent.header), sent.header.frame_id) == (3.5, 'head')
    assert (sent.model_id, sent.image_width, sent.image_height) == ('model-1', 640, 480)
    region = sent.emotions[0].region
    assert (region.x_offset, region.y_offset, region.width, region.height) == (10, 20, 21, 31)
    back = frame_emotions(sent)
    assert (back.stamp_s, back.shape_hw, back.labels) == (3.5, (480, 640), ('sad', 'happy'))
    (face,) = back.faces
    assert face.box_xyxy.tolist() == [10, 20, 31, 51]
    for name in ('track_id', 'detection_score', 'label', 'confidence', 'quality'):
        assert getattr(face, name) == getattr(FACE, name)
    for name in ('landmarks', 'probabilities', 'raw_probabilities'):
        assert np.array_equal(getattr(face, name), getattr(FACE, name))


@BOTH
def test_detections_have_label_score_and_id(make) -> None:
    sent = detection_array(make, FRAME, header(make))
    (detection,) = sent.detections
    center = detection.bbox.center.position
    assert (center.x, center.y) == (pytest.approx(20.5), pytest.approx(35.1))
    sizes = (detection.bbox.size_x, detection.bbox.size_y)
    assert sizes == (pytest.approx(20.2), pytest.approx(30.2))
    hypothesis = detection.results[0].hypothesis
    assert (hypothesis.class_id, hypothesis.score) == ('happy', 0.75)
    assert (detection.id, detection.header.frame_id) == ('7', 'head')


@BOTH
def test_a_frame_without_faces_is_empty_and_stamped(make) -> None:
    nobody = FrameEmotions(3.5, (48, 64), ('sad', 'happy'))
    sent = emotion_array(make, nobody, header(make), 'm')
    assert len(sent.emotions) == 0
    assert frame_emotions(sent).faces == ()
    assert detection_array(make, nobody, header(make)).header.frame_id == 'head'


@BOTH
def test_label_info_lists_the_classes(make) -> None:
    info = label_info(make, ('happy', 'sad'), 0.25, no_header(make))
    assert [(c.class_id, c.class_name) for c in info.class_map] == [(0, 'happy'), (1, 'sad')]
    assert info.threshold == 0.25


@BOTH
@pytest.mark.parametrize(
    'changes, problem',
    [
        pytest.param({'labels': ['sad', 'unknown']}, "got 'sad', 'unknown'", id='no class'),
        pytest.param({'labels': ['sad', 'sad']}, "got 'sad', 'sad'", id='twice'),
        pytest.param({'labels': ['sad', 'happy', 'fear']}, 'person 7: expected 3', id='counts'),
        pytest.param({'labels': []}, 'person 7: expected 0 probabilities', id='no labels'),
        pytest.param({'image_width': 0}, 'without width or height', id='no width'),
    ],
)
def test_emotions_that_do_not_fit_together_are_named(make, changes: dict, problem: str) -> None:
    fields = {
        'header': no_header(make), 'model_id': 'm', 'labels': ['sad', 'happy'], 'image_height': 9,
        'image_width': 9, 'emotions': emotion_array(make, FRAME, no_header(make), 'm').emotions,
    }  # fmt: skip
    with pytest.raises(ImageError, match=problem):
        frame_emotions(make('fer_msgs/msg/EmotionArray', **{**fields, **changes}))


@BOTH
def test_a_header_too_long_to_be_copied_is_refused(make) -> None:
    stamp = make('builtin_interfaces/msg/Time', sec=0, nanosec=0)
    check_header(make('std_msgs/msg/Header', stamp=stamp, frame_id='f' * 1024))
    endless = make('std_msgs/msg/Header', stamp=stamp, frame_id='f' * 1025)
    with pytest.raises(ImageError, match='frame_id has 1025 characters; 1024 at most'):
        frame_emotions(emotion_array(make, FRAME, endless, 'm'))
