# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One contract for every encoding, padding and byte order, for messages of nodes and of bags."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.makes import MAKES, no_header
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_ros.errors import ImageError
from fer_ros.images.scaling import scale_to_8_bits
from fer_ros.messages.images import (
    ENCODINGS,
    image_message,
    image_to_bgr,
    jpeg_message,
    to_bgr,
)

BLUE, GREEN, RED, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (77, 77, 77)
SCENE = np.array([[BLUE, GREEN], [RED, GREY]], np.uint8)
ALPHA = np.full((2, 2, 1), 10, np.uint8)
RAMP = np.array([[0, 51], [153, 255]], np.uint8)
RAMP_BGR = np.repeat(RAMP[..., None], 3, axis=2)
FLAT_YUV = np.full((2, 4, 3), 98, np.uint8)
UYVY = np.tile(np.array([128, 100], np.uint8), 8).reshape(2, 4, 2)


def message(
    make, encoding: str, values: np.ndarray, padding: int = 0, big: bool = False, height: int = 0
):
    """An image message whose rows are each followed by *padding* bytes of 99."""
    order = '>' if big else '<'
    rows = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(order)))
    rows = rows.reshape(len(values), -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return make(
        'sensor_msgs/msg/Image', header=no_header(make), height=height or len(values),
        width=values.shape[1], encoding=encoding, is_bigendian=int(big), step=padded.shape[1],
        data=padded.reshape(-1),
    )  # fmt: skip


def wide(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, ALPHA], axis=2)


def opencv_types() -> list:
    """xC1 to xC4 of every depth, with values from which a picture's range can be told."""
    depths = {
        '8U': RAMP, '16U': wide(RAMP), '8S': RAMP.astype(np.int16).__sub__(128).astype(np.int8),
        '16S': RAMP.astype(np.int16) * 100, '32S': RAMP.astype(np.int32) * -70_000,
        '32F': RAMP.astype(np.float32) / 255, '64F': RAMP.astype(np.float64) * 1e6,
    }  # fmt: skip
    cases = []
    for name, ramp in depths.items():
        expected = 255 - RAMP_BGR if name == '32S' else RAMP_BGR
        for channels in (1, 2, 3, 4):
            values = ramp if channels == 1 else np.repeat(ramp[..., None], channels, axis=2)
            cases.append(pytest.param(f'{name}C{channels}', values, expected,
                                      id=f'{name}C{channels}'))  # fmt: skip
    return cases


CASES = [
    pytest.param('bgr8', SCENE, SCENE, id='bgr8'),
    pytest.param('rgb8', SCENE[..., ::-1], SCENE, id='rgb8'),
    pytest.param('BGR8', SCENE, SCENE, id='capitals'),
    pytest.param('bgra8', with_alpha(SCENE), SCENE, id='bgra8'),
    pytest.param('rgba8', with_alpha(SCENE[..., ::-1]), SCENE, id='rgba8'),
    pytest.param('bgr16', wide(SCENE), SCENE, id='bgr16'),
    pytest.param('rgb16', wide(SCENE[..., ::-1]), SCENE, id='rgb16'),
    pytest.param('bgra16', wide(with_alpha(SCENE)), SCENE, id='bgra16'),
    pytest.param('rgba16', wide(with_alpha(SCENE[..., ::-1])), SCENE, id='rgba16'),
    pytest.param('mono8', RAMP, RAMP_BGR, id='mono8'),
    pytest.param('mono16', wide(RAMP), RAMP_BGR, id='mono16'),
    pytest.param('yuv422', UYVY, FLAT_YUV, id='yuv422'),
    pytest.param('uyvy', UYVY, FLAT_YUV, id='uyvy'),
    pytest.param('yuv422_yuy2', UYVY[..., ::-1], FLAT_YUV, id='yuv422_yuy2'),
    pytest.param('yuyv', UYVY[..., ::-1], FLAT_YUV, id='yuyv'),
    *opencv_types(),
]
BOTH = pytest.mark.parametrize('make', MAKES)


@BOTH
@pytest.mark.parametrize('padding', [0, 2, 7])
@pytest.mark.parametrize('big', [False, True], ids=['little', 'big'])
@pytest.mark.parametrize('encoding, values, expected', CASES)
def test_encodings(make, encoding, values, expected, padding: int, big: bool) -> None:
    image = image_to_bgr(message(make, encoding, values, padding, big))
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    # Percentiles of four pixels lie a little inside their range.
    tolerance = 5 if encoding[:3] in ('8SC', '16S', '32S', '64F') else 2
    assert np.abs(image.astype(int) - expected).max() <= tolerance


# A blue and a red half: luma 41 and 81, chroma (U, V) 240, 110 and 90, 240 (BT.601, video range).
LUMA = np.repeat(np.array([[41, 41, 81, 81]], np.uint8), 4, axis=0)
U, V = (np.repeat(np.array([row], np.uint8), 2, axis=0) for row in ((240, 90), (110, 240)))
PLANES = {
    'nv12': np.stack([U, V], axis=2).reshape(2, 4),
    'nv21': np.stack([V, U], axis=2).reshape(2, 4),
}


@BOTH
@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'nv24'])
def test_planes_of_chroma(make, encoding: str, padding: int) -> None:
    if encoding == 'nv24':  # a chroma row per image row, twice as long, and so is its padding
        full = np.repeat(np.repeat(np.stack([U, V], axis=2), 2, axis=0), 2, axis=1)
        luma = np.pad(LUMA, ((0, 0), (0, padding)))
        chroma = np.pad(full.reshape(4, 8), ((0, 0), (0, 2 * padding)))
        data = np.concatenate([luma.reshape(-1), chroma.reshape(-1)])
        sent = message(make, encoding, LUMA)
        sent = make('sensor_msgs/msg/Image', header=sent.header, height=4, width=4,
                    encoding=encoding, is_bigendian=0, step=4 + padding, data=data)  # fmt: skip
    else:
        values = np.concatenate([LUMA, PLANES[encoding]])
        sent = message(make, encoding, values, padding, height=4)
    image = image_to_bgr(sent).astype(int)
    assert image.shape == (4, 4, 3)
    assert np.abs(image[:, :2] - BLUE).max() <= 3
    assert np.abs(image[:, 2:] - RED).max() <= 3


BAYER = {'rggb': ((RED, GREEN), (GREEN, BLUE)), 'bggr': ((BLUE, GREEN), (GREEN, RED)),
         'gbrg': ((GREEN, BLUE), (RED, GREEN)), 'grbg': ((GREEN, RED), (BLUE, GREEN))}  # fmt: skip


@BOTH
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('colour', [BLUE, GREEN, RED], ids=['blue', 'green', 'red'])
@pytest.mark.parametrize('order', BAYER)
def test_bayer_patterns_give_the_colour_that_was_seen(make, order, colour, bits) -> None:
    channel = colour.index(255)
    sees = np.array(BAYER[order])[..., channel] > 0
    mosaic = np.tile(np.where(sees, 255, 0).astype(np.uint8), (6, 6))
    mosaic = wide(mosaic) if bits == 16 else mosaic
    image = image_to_bgr(message(make, f'bayer_{order}{bits}', mosaic, padding=3))
    inside = image[3:-3, 3:-3].reshape(-1, 3)
    assert np.abs(inside.astype(int) - colour).max() <= 2


def test_every_encoding_is_in_the_contract() -> None:
    tested = {case.values[0].lower() for case in CASES} | {'nv24', *PLANES}
    tested |= {f'bayer_{order}{bits}' for order in BAYER for bits in (8, 16)}
    assert tested == set(ENCODINGS)


@pytest.mark.parametrize(
    'highest, bits', [(255, 8), (1023, 10), (4095, 12), (16383, 14), (65535, 16)]
)
def test_sixteen_bits_are_scaled_by_what_the_sensor_uses(highest: int, bits: int) -> None:
    said: list[str] = []
    values = np.array([[0, highest // 2, highest]], np.uint16)
    assert scale_to_8_bits(values, said.append).tolist() == [[0, 127, 255]]
    assert said == [f'{bits} of 16 bits used']


def test_floats_without_a_range_are_black() -> None:
    values = np.array([[np.nan, np.inf]], np.float32)
    assert scale_to_8_bits(values).max() in (0, 255)
    assert scale_to_8_bits(np.full((2, 2), 7.0, np.float32)).tolist() == [[0, 0], [0, 0]]


@BOTH
@pytest.mark.parametrize('padding', [0, 5])
def test_bgr8_is_a_view_not_a_copy(make, padding: int) -> None:
    sent = message(make, 'bgr8', SCENE, padding)
    image = image_to_bgr(sent)
    sent.data[0] = 13
    assert image[0, 0, 0] == 13


@BOTH
@pytest.mark.parametrize(
    'changes, problem',
    [
        pytest.param({'encoding': 'magic'}, "encoding 'magic' is not known; known are", id='name'),
        pytest.param({'encoding': ''}, "encoding '' is not known", id='no name'),
        pytest.param({'encoding': 'x' * 9999}, f"encoding '{'x' * 40}' is not", id='long name'),
        pytest.param({'encoding': 'mono16', 'step': 6, 'height': 9}, 'data holds', id='16 of 8'),
        pytest.param({'encoding': 'nv12', 'height': 1}, 'needs an even size', id='odd NV12'),
        pytest.param({'encoding': 'yuyv', 'width': 1}, 'needs an even size', id='odd YUYV'),
        pytest.param({'width': 0}, 'image of 0x2 pixels', id='no width'),
        pytest.param({'height': 0}, 'image of 2x0 pixels', id='no height'),
        pytest.param({'width': 10**9, 'step': 0}, 'expected 1 to', id='absurd width'),
        pytest.param({'width': 9000, 'height': 9000}, 'more than max_image_pixels', id='large'),
        pytest.param({'step': 1}, 'step is 1 bytes', id='step too short'),
        pytest.param({'data': np.zeros(3, np.uint8)}, 'data holds 3 bytes', id='truncated'),
        pytest.param({'data': np.zeros(0, np.uint8)}, 'data holds 0 bytes', id='no data'),
        pytest.param({'step': 4_000_000_000}, 'data holds', id='absurd step'),
    ],
)
def test_a_message_that_does_not_fit_together_is_named(make, changes: dict, problem: str) -> None:
    fields = {
        'header': no_header(make), 'height': 2, 'width': 2, 'encoding': 'bgr8', 'is_bigendian': 0,
        'step': 6, 'data': SCENE.reshape(-1),
    }  # fmt: skip
    with pytest.raises(ImageError, match=problem) as error:
        image_to_bgr(make('sensor_msgs/msg/Image', **{**fields, **changes}))
    assert len(str(error.value)) < 1200


@BOTH
def test_a_last_row_may_lack_its_padding_however_long_the_step_says_it_is(make) -> None:
    """Of one row only its pixels are needed; a step of 4 GB once made room for 4 GB."""
    sent = make('sensor_msgs/msg/Image', header=no_header(make), height=1, width=2, encoding='bgr8',
                is_bigendian=0, step=2**32 - 1, data=SCENE[:1].reshape(-1))  # fmt: skip
    assert np.array_equal(image_to_bgr(sent), SCENE[:1])


@BOTH
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
def test_compressed(make, suffix: str) -> None:
    pixels = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    data = cv2.imencode(suffix, pixels)[1].reshape(-1)
    sent = make('sensor_msgs/msg/CompressedImage', header=no_header(make), format='', data=data)
    assert np.abs(to_bgr(sent).astype(int) - pixels).max() <= 3


@BOTH
def test_a_compressed_image_of_ten_bits_is_not_dark(make) -> None:
    said: list[str] = []
    data = cv2.imencode('.png', np.full((4, 4), 1023, np.uint16))[1].reshape(-1)
    sent = make('sensor_msgs/msg/CompressedImage', header=no_header(make),
                format='mono16; png compressed ', data=data)  # fmt: skip
    assert to_bgr(sent, on_scaled=said.append).min() == 255
    assert said == ['10 of 16 bits used']


@BOTH
@pytest.mark.parametrize(
    'format_name, data, problem',
    [
        ('jpeg', b'', 'cannot be decoded'),
        ('jpeg', b'hello', 'cannot be decoded'),
        ('jpeg', b'\xff\xd8\xff\xe0' + bytes(30), 'cannot be decoded'),
        ('h264', b'\0\0\0\1\x67' + bytes(99), 'video packets are not read'),
        ('16UC1; compressedDepth png', bytes(50), 'a depth image shows no face'),
    ],
)
def test_compressed_data_that_are_no_image_are_named(make, format_name, data, problem) -> None:
    sent = make('sensor_msgs/msg/CompressedImage', header=no_header(make), format=format_name,
                data=np.frombuffer(data, np.uint8))  # fmt: skip
    with pytest.raises(ImageError, match=problem):
        to_bgr(sent)


@BOTH
def test_an_image_survives_the_way_there_and_back(make, astronaut: np.ndarray) -> None:
    header = no_header(make)
    sent = image_message(make, astronaut, header)
    assert sent.header == header
    assert np.array_equal(to_bgr(sent), astronaut)
    small = jpeg_message(make, astronaut, header)
    assert np.abs(to_bgr(small).astype(int) - astronaut).mean() < 3


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    encoding=st.sampled_from([*ENCODINGS, 'magic', '']),
    width=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    height=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    step=st.integers(0, 400) | st.integers(0, 2**32 - 1),
    big_endian=st.integers(0, 255),
    size=st.integers(0, 5000),
)
def test_whatever_comes_only_our_own_error_leaves(
    encoding: str, width: int, height: int, step: int, big_endian: int, size: int
) -> None:
    make = MAKES[0].values[0]
    sent = make('sensor_msgs/msg/Image', header=no_header(make), encoding=encoding, width=width,
                height=height, step=step, is_bigendian=big_endian,
                data=np.arange(size).astype(np.uint8))  # fmt: skip
    try:
        image = image_to_bgr(sent)
    except ImageError:
        return
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
