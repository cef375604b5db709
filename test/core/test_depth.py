# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances from depth images whose every pixel is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fer_ros.config import HeadPoseConfig
from fer_ros.errors import ImageError
from fer_ros.messages.depth import depth_metres
from fer_ros.people.depth import face_depth
from fer_ros.people.head_pose import FACE_POINTS, FRONTAL
from fer_ros.people.heads import Heads
from fer_ros.types import Camera, FaceEmotion, FrameEmotions

SHAPE_HW = (480, 640)
BOX = np.array([200, 100, 280, 220], np.float32)
"""Its middle half is x 220 to 260, y 130 to 190."""

CAMERA = Camera((600.0, 600.0), (320.0, 240.0))
NAN = float('nan')


def message(encoding: str, values: np.ndarray, padding: int = 0) -> SimpleNamespace:
    height, width = values.shape
    row_bytes = width * values.itemsize
    rows = [row.tobytes() + bytes(padding) for row in values]
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=row_bytes + padding,
        is_bigendian=values.dtype.byteorder == '>', data=b''.join(rows),
    )  # fmt: skip


@pytest.mark.parametrize(
    'encoding, values, padding, expected',
    [
        pytest.param('16UC1', np.array([[0, 1500]], '<u2'), 0, [[NAN, 1.5]], id='millimetres'),
        pytest.param('mono16', np.array([[250, 65535]], '<u2'), 0, [[0.25, 65.535]], id='mono16'),
        pytest.param('16UC1', np.array([[256]], '>u2'), 0, [[0.256]], id='big endian'),
        pytest.param(
            '16UC1', np.array([[1, 2], [3, 4]], '<u2'), 2, [[0.001, 0.002], [0.003, 0.004]],
            id='padded rows',
        ),
        pytest.param(
            '32FC1', np.array([[1.5, NAN, np.inf, -1, 0]], '<f4'), 0, [[1.5, NAN, NAN, NAN, NAN]],
            id='metres',
        ),
    ],
)  # fmt: skip
def test_depth_is_in_metres(
    encoding: str, values: np.ndarray, padding: int, expected: list[list[float]]
) -> None:
    metres = depth_metres(message(encoding, values, padding))
    assert metres.dtype == np.float32
    assert np.allclose(metres, expected, equal_nan=True)


def test_other_images_are_no_depth() -> None:
    with pytest.raises(ImageError, match=r"16UC1 \(mm\) or 32FC1 \(m\) are expected, not 'bgr8'"):
        depth_metres(message('bgr8', np.zeros((2, 6), np.uint8)))


def plane(depth_m: float, shape_hw: tuple[int, int] = SHAPE_HW) -> np.ndarray:
    return np.full(shape_hw, depth_m, np.float32)


def with_part(share: float, value: float) -> np.ndarray:
    """Return 2 m with so much of the middle of BOX, from the left, at *value*."""
    depth = plane(2.0)
    depth[130:190, 220 : 220 + round(40 * share)] = value
    return depth


@pytest.mark.parametrize(
    'depth, expected',
    [
        pytest.param(plane(2.0), 2.0, id='plane'),
        pytest.param(with_part(0.75, NAN), 2.0, id='three quarters are holes'),
        pytest.param(with_part(0.875, NAN), None, id='almost all are holes'),
        pytest.param(plane(NAN), None, id='nothing measured'),
        pytest.param(with_part(0.4, 5.0), 2.0, id='background behind the cheek'),
        pytest.param(plane(2.0, (240, 320)), 2.0, id='half the resolution'),
        pytest.param(plane(2.0, (2, 2)), 2.0, id='two by two'),
    ],
)
def test_a_face_lies_at_the_median_of_its_middle(depth: np.ndarray, expected: float) -> None:
    found = face_depth(depth, BOX, SHAPE_HW)
    assert (found and found[0]) == expected


def test_only_the_face_is_measured() -> None:
    depth = plane(4.0)
    depth[130:190, 220:260] = 1.25
    assert face_depth(depth, BOX, SHAPE_HW) == (1.25, pytest.approx(np.hypot(0.015, 0.0125)))
    beside = np.array([600, 440, 700, 540], np.float32)
    assert face_depth(depth, beside, SHAPE_HW)[0] == 4.0  # type: ignore[index]
    outside = np.array([700, 500, 800, 600], np.float32)
    assert face_depth(depth, outside, SHAPE_HW) is None


def face_at(position_m: tuple[float, float, float]) -> FrameEmotions:
    """Return a face that looks along the axis, as CAMERA sees it."""
    points = FACE_POINTS @ FRONTAL.T * 0.063 + position_m
    seen = points @ CAMERA.matrix.T
    landmarks = (seen[:, :2] / seen[:, 2:]).astype(np.float32)
    box = np.concatenate([landmarks.min(axis=0) - 20, landmarks.max(axis=0) + 20])
    share = np.array([1.0], np.float32)
    face = FaceEmotion(1, box, landmarks, 0.9, share, share, 'happy', 1.0)
    return FrameEmotions(0.0, SHAPE_HW, ('happy',), (face,))


@pytest.mark.parametrize('camera', [CAMERA, None], ids=['calibrated', 'assumed'])
def test_a_childs_head_is_where_depth_says(camera: Camera | None) -> None:
    """An adult at 2 m and a child at 1.7 m look the same, but for their depth."""
    frame = face_at((0.4, -0.2, 2.0))
    by_size = Heads(HeadPoseConfig()).update(frame, camera).faces[0].head
    measured = Heads(HeadPoseConfig()).update(frame, camera, plane(1.7)).faces[0].head
    assert by_size is not None
    assert measured is not None
    assert (by_size.distance_source, measured.distance_source) == ('face_size', 'depth')
    assert measured.position_m[2] == pytest.approx(1.7, abs=1e-6)
    assert measured.distance_sigma_m < 0.2 * by_size.distance_sigma_m
    assert (measured.position_sigma_m <= by_size.position_sigma_m).all()
    assert np.allclose(measured.rotation, by_size.rotation)
    if camera:
        assert np.allclose(measured.position_m, (0.34, -0.17, 1.7), atol=2e-3)
        assert measured.distance_m == pytest.approx(1.742, abs=2e-3)


def test_a_hole_leaves_the_distance_of_the_face_size() -> None:
    head = Heads(HeadPoseConfig()).update(face_at((0, 0, 2)), CAMERA, plane(NAN)).faces[0].head
    assert head is not None
    assert head.distance_source == 'face_size'
    assert head.distance_m == pytest.approx(2.0, abs=0.01)
