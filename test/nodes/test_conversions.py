# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One contract for every encoding, over every converter that is installed here."""

from __future__ import annotations

import array

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import Point32
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fer_msgs.msg import Emotion, EmotionArray
from fer_ros import EmotionPipeline
from fer_ros.errors import ImageError
from fer_ros.nodes import conversions
from fer_ros.nodes.conversions import (
    bgr_to_image,
    compressed_to_bgr,
    from_emotion_array,
    image_to_bgr,
    to_detections,
    to_emotion_array,
    to_label_info,
)

CONVERTERS = [pytest.param(conversions._convert_by_rosbags, id='rosbags-image')]
if conversions._cv_bridge_works():
    CONVERTERS.append(pytest.param(conversions._convert_by_cv_bridge, id='cv_bridge'))

BLUE, GREEN, RED, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (77, 77, 77)
SCENE = np.array([[BLUE, GREEN], [RED, GREY]], np.uint8)


def message(encoding: str, pixels: np.ndarray, padding: int = 0, big_endian: bool = False) -> Image:
    """An image message whose rows are followed by *padding* bytes of rubbish."""
    if pixels.dtype == np.uint16:
        pixels = pixels.astype('>u2' if big_endian else '<u2')
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return Image(
        height=height, width=width, encoding=encoding, step=padded.shape[1],
        is_bigendian=int(big_endian), data=array.array('B', padded.tobytes()),
    )  # fmt: skip


def wide(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


ALPHA = np.full((2, 2, 1), 10, np.uint8)
FLAT = np.full((2, 4), 100, np.uint8)
UYVY = np.tile(np.array([128, 100], np.uint8), 8).reshape(2, 4, 2)
ENCODINGS = [
    pytest.param('bgr8', SCENE, SCENE, id='bgr8'),
    pytest.param('8UC3', SCENE, SCENE, id='8UC3'),
    pytest.param('rgb8', SCENE[..., ::-1], SCENE, id='rgb8'),
    pytest.param('bgra8', np.concatenate([SCENE, ALPHA], axis=2), SCENE, id='bgra8'),
    pytest.param('rgba8', np.concatenate([SCENE[..., ::-1], ALPHA], axis=2), SCENE, id='rgba8'),
    pytest.param('mono8', FLAT, np.repeat(FLAT[..., None], 3, axis=2), id='mono8'),
    pytest.param('8UC1', FLAT, np.repeat(FLAT[..., None], 3, axis=2), id='8UC1'),
    pytest.param('mono16', wide(FLAT), np.repeat(FLAT[..., None], 3, axis=2), id='mono16'),
    pytest.param('16UC1', wide(FLAT), np.repeat(FLAT[..., None], 3, axis=2), id='16UC1'),
    pytest.param('bgr16', wide(SCENE), SCENE, id='bgr16'),
    pytest.param('rgb16', wide(SCENE[..., ::-1]), SCENE, id='rgb16'),
    pytest.param('yuv422', UYVY, np.full((2, 4, 3), 98, np.uint8), id='yuv422'),
    pytest.param('yuv422_yuy2', UYVY[..., ::-1], np.full((2, 4, 3), 98, np.uint8), id='yuy2'),
]


@pytest.mark.parametrize('convert', CONVERTERS)
@pytest.mark.parametrize('padding', [0, 2, 6])
@pytest.mark.parametrize('big_endian', [False, True], ids=['little', 'big'])
@pytest.mark.parametrize('encoding, pixels, expected', ENCODINGS)
def test_encodings(
    convert, encoding: str, pixels: np.ndarray, expected: np.ndarray, padding: int, big_endian: bool
) -> None:
    image = convert(message(encoding, pixels, padding, big_endian))
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).max() <= 2


BAYER = {'rggb': ((RED, GREEN), (GREEN, BLUE)), 'bggr': ((BLUE, GREEN), (GREEN, RED)),
         'gbrg': ((GREEN, BLUE), (RED, GREEN)), 'grbg': ((GREEN, RED), (BLUE, GREEN))}  # fmt: skip


@pytest.mark.parametrize('convert', CONVERTERS)
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('colour', [BLUE, GREEN, RED], ids=['blue', 'green', 'red'])
@pytest.mark.parametrize('order', BAYER)
def test_bayer_patterns_give_the_colour_that_was_seen(
    convert, order: str, colour: tuple, bits: int
) -> None:
    channel = colour.index(255)
    sees = np.array(BAYER[order])[..., channel] > 0
    mosaic = np.tile(np.where(sees, 255, 0).astype(np.uint8), (6, 6))
    mosaic = wide(mosaic) if bits == 16 else mosaic
    image = convert(message(f'bayer_{order}{bits}', mosaic))
    inside = image[3:-3, 3:-3].reshape(-1, 3)
    assert np.abs(inside.astype(int) - colour).max() <= 2


def test_bgr8_is_a_view_not_a_copy() -> None:
    sent = message('bgr8', SCENE)
    image = image_to_bgr(sent)
    sent.data[0] = 13
    assert image[0, 0, 0] == 13


def test_bgr8_with_padding_is_a_view_as_well() -> None:
    sent = message('bgr8', SCENE, padding=5)
    image = image_to_bgr(sent)
    sent.data[0] = 13
    assert image[0, 0, 0] == 13


@pytest.mark.parametrize(
    'changes, problem',
    [
        pytest.param({'encoding': 'magic'}, "encoding 'magic' is not known; known are", id='name'),
        pytest.param({'encoding': ''}, "encoding '' is not known", id='no name'),
        pytest.param({'encoding': 'mono16', 'step': 6}, 'data holds', id='16 bits of 8'),
        pytest.param({'width': 0}, 'image of 0x2 pixels', id='no width'),
        pytest.param({'height': 0}, 'image of 2x0 pixels', id='no height'),
        pytest.param({'width': 10**9, 'step': 0}, 'expected 1 to', id='absurd width'),
        pytest.param({'step': 1}, 'step is 1 bytes', id='step too short'),
        pytest.param({'data': [1, 2, 3]}, 'data holds 3 bytes', id='truncated'),
        pytest.param({'data': []}, 'data holds 0 bytes', id='no data'),
        pytest.param({'step': 4_000_000_000}, 'data holds', id='absurd step'),
    ],
)
def test_a_message_that_does_not_fit_together_is_named(changes: dict, problem: str) -> None:
    sent = message('bgr8', SCENE)
    for name, value in changes.items():
        setattr(sent, name, value)
    if sent.encoding == 'mono16':
        sent.height = 9
    with pytest.raises(ImageError, match=problem):
        image_to_bgr(sent)


def test_a_last_row_may_lack_its_padding_however_long_the_step_says_it_is() -> None:
    """Of one row only its pixels are needed; a step of 4 GB once made room for 4 GB."""
    row = message('bgr8', SCENE[:1])
    row.step = 2**32 - 1
    assert np.array_equal(image_to_bgr(row), SCENE[:1])
    padded = message('bgr8', SCENE, padding=5)
    del padded.data[-5:]
    assert np.array_equal(image_to_bgr(padded), SCENE)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed(suffix: str) -> None:
    pixels = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    data = array.array('B', cv2.imencode(suffix, pixels)[1].tobytes())
    image = compressed_to_bgr(CompressedImage(format=suffix[1:], data=data))
    assert np.abs(image.astype(int) - pixels).max() <= 3


@pytest.mark.parametrize('data', [b'', b'hello', b'\xff\xd8\xff\xe0' + bytes(30)])
def test_compressed_rubbish_is_named(data: bytes) -> None:
    with pytest.raises(ImageError, match='cannot be decoded'):
        compressed_to_bgr(CompressedImage(format='jpeg', data=array.array('B', data)))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    encoding=st.sampled_from([*conversions._BYTES_A_PIXEL, *conversions._ALIASES, 'magic', '']),
    width=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    height=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    step=st.integers(0, 400) | st.integers(0, 2**32 - 1),
    big_endian=st.integers(0, 255),
    size=st.integers(0, 5000),
)
def test_whatever_comes_only_our_own_error_leaves(
    encoding: str, width: int, height: int, step: int, big_endian: int, size: int
) -> None:
    sent = Image(encoding=encoding, width=width, height=height, step=step, is_bigendian=big_endian)
    sent.data = array.array('B', bytes(size))
    try:
        image = image_to_bgr(sent)
    except ImageError:
        return
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8


def test_an_image_survives_the_way_there_and_back(astronaut: np.ndarray) -> None:
    header = Header(frame_id='head')
    sent = bgr_to_image(astronaut, header)
    assert sent.header == header
    assert np.array_equal(image_to_bgr(sent), astronaut)


def test_a_frame_becomes_messages_and_back(astronaut: np.ndarray) -> None:
    frame = EmotionPipeline().process(astronaut, 3.5)
    header = Header(frame_id='head')
    header.stamp.sec, header.stamp.nanosec = 3, 500_000_000
    sent = to_emotion_array(frame, header, 'model-1')
    assert (sent.header, sent.model_id) == (header, 'model-1')
    assert (sent.image_width, sent.image_height) == (512, 512)
    (emotion,), (face,) = sent.emotions, frame.faces
    assert (emotion.track_id, emotion.label) == (face.track_id, face.label)
    assert sum(emotion.probabilities) == pytest.approx(1, abs=1e-5)
    back = from_emotion_array(sent)
    assert back.stamp_s == 3.5
    assert np.abs(back.faces[0].box_xyxy - face.box_xyxy).max() <= 1
    np.testing.assert_allclose(back.faces[0].landmarks, face.landmarks, rtol=1e-6)
    assert back.faces[0].quality == face.quality
    (detection,) = to_detections(frame, header).detections
    left, top, right, bottom = face.box_xyxy
    assert detection.bbox.center.position.x == pytest.approx((left + right) / 2)
    assert detection.bbox.size_y == pytest.approx(bottom - top)
    assert detection.results[0].hypothesis.class_id == 'happy'
    assert detection.id == str(face.track_id)


def happy_message() -> EmotionArray:
    emotion = Emotion(track_id=7, label='happy', landmarks=[Point32()] * 5)
    emotion.probabilities = emotion.raw_probabilities = array.array('f', [0.25, 0.75])
    labels = ['sad', 'happy']
    return EmotionArray(labels=labels, image_width=9, image_height=9, emotions=[emotion])


@pytest.mark.parametrize(
    'changes, problem',
    [
        pytest.param({'labels': ['sad', 'bliss']}, 'sad, bliss: not known', id='strange label'),
        pytest.param({'labels': ['sad', 'sad']}, 'sad, sad: not known, or twice', id='twice'),
        pytest.param({'labels': ['sad']}, 'person 7: expected 1 probabilities', id='counts'),
        pytest.param({'labels': []}, 'person 7: expected 0 probabilities', id='no labels'),
        pytest.param({'image_width': 0}, 'without width or height', id='no width'),
    ],
)
def test_emotions_that_do_not_fit_together_are_named(changes: dict, problem: str) -> None:
    sent = happy_message()
    assert from_emotion_array(sent).faces[0].label == 'happy'
    for name, value in changes.items():
        setattr(sent, name, value)
    with pytest.raises(ImageError, match=problem):
        from_emotion_array(sent)


def test_messages_for_nobody_are_empty_and_stamped() -> None:
    frame = EmotionPipeline().process(np.zeros((48, 64, 3), np.uint8), 0.0)
    header = Header(frame_id='head')
    assert to_emotion_array(frame, header, 'm').emotions == []
    assert to_detections(frame, header).header.frame_id == 'head'


def test_label_info_lists_the_classes() -> None:
    info = to_label_info(('happy', 'sad'), 0.25, Header())
    assert [(c.class_id, c.class_name) for c in info.class_map] == [(0, 'happy'), (1, 'sad')]
    assert info.threshold == 0.25
