# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames to messages and back, for messages of nodes and of bags."""

from __future__ import annotations

import dataclasses

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
from fer_ros.messages.heads import detection_3d_array
from fer_ros.people.head_pose import FRONTAL
from fer_ros.types import FaceEmotion, FrameEmotions, HeadPose

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
def test_detections_have_class_number_score_and_id(make) -> None:
    sent = detection_array(make, FRAME, header(make))
    (detection,) = sent.detections
    center = detection.bbox.center.position
    assert (center.x, center.y) == (pytest.approx(20.5), pytest.approx(35.1))
    sizes = (detection.bbox.size_x, detection.bbox.size_y)
    assert sizes == (pytest.approx(20.2), pytest.approx(30.2))
    hypothesis = detection.results[0].hypothesis
    assert (hypothesis.class_id, hypothesis.score) == ('1', 0.75)
    assert (detection.id, detection.header.frame_id) == ('7', 'head')


@BOTH
@pytest.mark.parametrize('label, number', [('sad', '0'), ('happy', '1'), ('unknown', '2')])
def test_every_label_has_a_number_that_the_label_info_names(make, label: str, number: str) -> None:
    frame = dataclasses.replace(FRAME, faces=(dataclasses.replace(FACE, label=label),))
    (detection,) = detection_array(make, frame, header(make)).detections
    assert detection.results[0].hypothesis.class_id == number
    info = label_info(make, FRAME.labels, 0.2, no_header(make))
    names = {known.class_id: known.class_name for known in info.class_map}
    assert names[int(number)] == label


@BOTH
def test_heads_travel_there_and_back(make) -> None:
    pose = HeadPose(
        position_m=np.array([0.1, -0.2, 1.5]),
        rotation=FRONTAL,
        position_sigma_m=np.array([0.01, 0.02, 0.1]),
        angle_sigma_rad=np.array([0.1, 0.2, 0.3]),
        distance_sigma_m=0.1,
        is_looking_at_camera=True,
        gesture='nod',
    )
    frame = dataclasses.replace(FRAME, faces=(dataclasses.replace(FACE, head=pose),))
    message = emotion_array(make, frame, header(make), 'm')
    assert message.emotions[0].distance == pytest.approx(1.517, abs=1e-3)
    assert message.emotions[0].distance_source == 1
    head = frame_emotions(message).faces[0].head
    assert head is not None
    assert (head.gesture, head.is_looking_at_camera) == ('nod', True)
    for name in ('position_m', 'rotation', 'position_sigma_m', 'angle_sigma_rad'):
        assert np.allclose(getattr(head, name), getattr(pose, name)), name
    (found,) = detection_3d_array(make, frame, header(make)).detections
    # The head's middle lies 10 cm behind its eyes, along the camera's axis here.
    assert found.bbox.center.position.z == pytest.approx(1.6)


@BOTH
def test_a_face_without_a_head_says_so(make) -> None:
    (emotion,) = emotion_array(make, FRAME, header(make), 'm').emotions
    assert np.isnan([emotion.distance, emotion.head_pose.pose.position.x]).all()
    assert (emotion.distance_source, emotion.looking_at_camera) == (0, False)
    assert len(detection_3d_array(make, FRAME, header(make)).detections) == 0


@BOTH
def test_valence_and_arousal_are_means_of_the_classes(make) -> None:
    """A quarter sad (-0.8, -0.4) and three quarters happy (0.9, 0.5)."""
    (emotion,) = emotion_array(make, FRAME, header(make), 'm').emotions
    assert emotion.valence == pytest.approx(0.475)
    assert emotion.arousal == pytest.approx(0.275)


@BOTH
def test_a_frame_without_faces_is_empty_and_stamped(make) -> None:
    nobody = FrameEmotions(3.5, (48, 64), ('sad', 'happy'))
    sent = emotion_array(make, nobody, header(make), 'm')
    assert len(sent.emotions) == 0
    assert frame_emotions(sent).faces == ()
    assert detection_array(make, nobody, header(make)).header.frame_id == 'head'


@BOTH
def test_label_info_names_the_numbers_of_detections(make) -> None:
    info = label_info(make, ('happy', 'sad'), 0.25, no_header(make))
    assert [(c.class_id, c.class_name) for c in info.class_map] == [
        (0, 'happy'), (1, 'sad'), (2, 'unknown')
    ]  # fmt: skip
    assert info.threshold == 0.25


@BOTH
@pytest.mark.parametrize(
    'changes, problem',
    [
        pytest.param({'labels': ['sad', 'unknown']}, "got 'sad', 'unknown'", id='no class'),
        pytest.param({'labels': ['sad', 'sad']}, "got 'sad', 'sad'", id='twice'),
        pytest.param({'labels': ['sad', 'happy', 'fear']}, 'person 7: expected 3', id='counts'),
        pytest.param({'labels': []}, 'person 7: expected 0 probabilities', id='no labels'),
        pytest.param({'labels': ['fear', 'angry']}, "is none of the message's own", id='label'),
        pytest.param({'emotions': [None] * 1001}, 'emotions of 1001 people: at most', id='many'),
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
