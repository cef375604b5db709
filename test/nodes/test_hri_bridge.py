# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""REP-155 both ways."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import rclpy
from hri_msgs.msg import Expression, FacialLandmarks, IdsList, NormalizedRegionOfInterest2D
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from fer_ros.labels import EMOTIONS
from fer_ros.messages.emotions import emotion_array
from fer_ros.messages.images import image_message
from fer_ros.nodes.hri_bridge_node import HriBridgeNode, to_expression, to_landmarks, to_region
from fer_ros.nodes.per_face import KEPT_S
from fer_ros.nodes.ros_messages import make, to_bgr
from fer_ros.people.head_pose import FRONTAL
from fer_ros.types import FaceEmotion, FrameEmotions, HeadPose


def make_face(label: str = 'happy', landmarks: bool = True, track_id: int = 7) -> FaceEmotion:
    probabilities = np.zeros(8, np.float32)
    probabilities[EMOTIONS.index(label) if label in EMOTIONS else 6] = 1.0
    points = np.array([(40, 40), (60, 40), (50, 50), (42, 60), (58, 60)], np.float32)
    return FaceEmotion(
        track_id=track_id,
        box_xyxy=np.array([20, 10, 80, 90], np.float32),
        landmarks=points if landmarks else np.full((5, 2), np.nan, np.float32),
        detection_score=0.75,
        raw_probabilities=probabilities,
        probabilities=probabilities,
        label=label,
        confidence=1.0,
    )


@pytest.mark.parametrize(
    'label, word',
    [
        ('angry', 'angry'), ('disgust', 'disgusted'), ('fear', 'scared'), ('happy', 'happy'),
        ('sad', 'sad'), ('surprise', 'surprised'), ('neutral', 'neutral'), ('contempt', ''),
        ('unknown', ''),
    ],
)  # fmt: skip
def test_words(label: str, word: str) -> None:
    message = to_expression(make_face(label), EMOTIONS, Header(frame_id='c'))
    assert message.expression == word
    assert message.header.frame_id == 'c'
    assert -1 <= message.valence <= 1
    assert -1 <= message.arousal <= 1


def test_region_and_landmarks_are_shares_of_the_image() -> None:
    region = to_region(make_face(), (100, 200), Header())
    assert (region.xmin, region.ymin) == pytest.approx((0.1, 0.1))
    assert (region.xmax, region.ymax, region.c) == pytest.approx((0.4, 0.9, 0.75))
    points = to_landmarks(make_face(), (100, 200), Header())
    assert points is not None
    nose = points.landmarks[FacialLandmarks.NOSE]
    assert (nose.x, nose.y) == pytest.approx((0.25, 0.5))
    assert (points.height, points.width) == (100, 200)
    assert to_landmarks(make_face(landmarks=False), (100, 200), Header()) is None


def test_our_faces_are_published_and_withdrawn(listener, start) -> None:
    start('hri_bridge_node', '-p', 'id_prefix:=f')
    images = listener.create_publisher(Image, 'image', 10)
    emotions = listener.create_publisher(
        type(emotion_array(make, FrameEmotions(0, (1, 1), EMOTIONS), Header(), '')), 'emotions', 10
    )
    face = '/humans/faces/f00007'
    ids = listener.collect(IdsList, '/humans/faces/tracked')
    words = listener.collect(Expression, f'{face}/expression')
    regions = listener.collect(NormalizedRegionOfInterest2D, f'{face}/roi')
    crops = listener.collect(Image, f'{face}/cropped')
    aligned = listener.collect(Image, f'{face}/aligned')
    frames = listener.collect(TFMessage, '/tf', 100)
    pixels = np.full((100, 200, 3), 128, np.uint8)
    head = HeadPose(np.array([0.1, 0.2, 1.5]), FRONTAL, np.ones(3), np.ones(3), 1.0)
    seen = dataclasses.replace(make_face(), head=head)
    frame = FrameEmotions(0.0, (100, 200), EMOTIONS, (seen,))

    def published() -> bool:
        header = Header(stamp=listener.get_clock().now().to_msg(), frame_id='camera')
        images.publish(image_message(make, pixels, header))
        listener.executor_.spin_once(timeout_sec=0.05)
        emotions.publish(emotion_array(make, frame, header, 'm'))
        return all((ids, words, regions, crops, aligned, frames))

    listener.until(published, 'all topics of the face')
    assert ids[-1].ids == ['f00007']
    assert words[-1].expression == 'happy'
    placed, gaze = frames[-1].transforms
    assert (placed.header.frame_id, placed.child_frame_id) == ('camera', 'face_f00007')
    assert placed.transform.translation.z == pytest.approx(1.5)
    assert (gaze.header.frame_id, gaze.child_frame_id) == ('face_f00007', 'gaze_f00007')
    assert placed.header.stamp == gaze.header.stamp
    for image in (crops[-1], aligned[-1]):
        assert (image.width, image.height, image.encoding) == (128, 128, 'bgr8')
    assert to_bgr(crops[-1])[64, 64].tolist() == [128, 128, 128]
    header = Header(stamp=listener.get_clock().now().to_msg())
    emotions.publish(emotion_array(make, FrameEmotions(0.0, (100, 200), EMOTIONS), header, 'm'))
    listener.until(lambda: ids[-1].ids == [], 'nobody')


def test_two_bridges_give_different_people_different_ids(listener, start) -> None:
    for name in ('front', 'back'):
        start('hri_bridge_node', '-r', f'__ns:=/{name}')
    frame = FrameEmotions(0.0, (100, 200), EMOTIONS, (make_face(),))
    ids = listener.collect(IdsList, '/humans/faces/tracked')
    kind = type(emotion_array(make, frame, Header(), 'm'))
    topics = ('/front/emotions', '/back/emotions')
    outputs = [listener.create_publisher(kind, topic, 10) for topic in topics]

    def seen_by_both() -> bool:
        for output in outputs:
            output.publish(emotion_array(make, frame, Header(frame_id='c'), 'm'))
        return len({name for message in ids for name in message.ids}) == 2

    listener.until(seen_by_both, 'an id of each')


def test_the_faces_of_another_detector_get_an_expression(
    listener, start, astronaut: np.ndarray
) -> None:
    start('hri_bridge_node', '-p', 'mode:=classify')
    tracked = listener.create_publisher(IdsList, '/humans/faces/tracked', 10)
    crops = listener.create_publisher(Image, '/humans/faces/bqfmy/cropped', 10)
    words = listener.collect(Expression, '/humans/faces/bqfmy/expression')
    crop = np.ascontiguousarray(astronaut[60:200, 156:296])

    def arrived() -> bool:
        header = Header(stamp=listener.get_clock().now().to_msg(), frame_id='camera')
        tracked.publish(IdsList(header=header, ids=['bqfmy']))
        crops.publish(image_message(make, crop, header))
        return bool(words)

    listener.until(arrived, 'an expression')
    assert words[0].expression == 'happy'
    assert words[0].valence > 0
    assert 0.3 < words[0].confidence <= 1


@pytest.mark.parametrize('mode', ['publish', 'classify'])
def test_topics_of_faces_that_have_gone_are_given_back(ros_environment: None, mode: str) -> None:
    rclpy.init()
    node = HriBridgeNode(parameter_overrides=[Parameter('mode', value=mode)])
    faces = node._faces if mode == 'publish' else node._others
    faces.see(['a'], 0.0)
    topic = '/humans/faces/a/expression'
    assert node.count_publishers(topic) == 1
    faces.forget_unseen(KEPT_S + 0.1)
    assert node.count_publishers(topic) == 0
    node.destroy_node()
    rclpy.shutdown()
