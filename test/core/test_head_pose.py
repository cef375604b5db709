# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Head poses of landmarks rendered from known heads, and what heads do over time."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.head_poses import CAMERA, EYES_M, landmarks, rotated
from fer_ros.config import HeadPoseConfig
from fer_ros.messages.heads import FACE_TO_GAZE, face_frames, quaternion, rotation_matrix
from fer_ros.people.head_pose import (
    FRONTAL,
    angle_to_camera_deg,
    head_pose,
    head_poses,
    yaw_pitch_roll_deg,
)
from fer_ros.people.heads import Heads, OneEuroFilter, swings
from fer_ros.types import Camera, FaceEmotion, FrameEmotions


def face(seen: np.ndarray) -> FaceEmotion:
    share = np.array([1.0], np.float32)
    box = np.array([0, 0, 9, 9], np.float32)
    return FaceEmotion(1, box, seen, 0.9, share, share, 'happy', 1.0)


@pytest.mark.parametrize('yaw', [-60, -30, 0, 30, 60])
@pytest.mark.parametrize('pitch', [-20, 0, 20])
@pytest.mark.parametrize('position', [(0.0, 0.0, 1.0), (0.4, -0.2, 2.0)])
def test_rendered_heads_are_found_again(yaw: float, pitch: float, position: tuple) -> None:
    rotation = rotated(yaw, pitch, 10.0)
    pose = head_pose(landmarks(rotation, position), CAMERA, EYES_M)
    assert pose is not None
    assert np.allclose(pose.position_m, position, atol=2e-3)
    assert np.degrees(np.arccos((np.trace(pose.rotation.T @ rotation) - 1) / 2)) < 0.5
    # Turned about the axis ahead, the left side goes up: the head leans to the right.
    assert np.allclose(yaw_pitch_roll_deg(pose), (yaw, pitch, -10.0), atol=0.5)


def test_heads_are_followed_all_at_once() -> None:
    """Three who turn on, one of them so far that it has to be looked for anew."""
    before = [head_pose(landmarks(rotated(yaw), (0, 0, 1)), CAMERA, EYES_M) for yaw in (0, 30, -60)]
    turned = [rotated(5, 3), rotated(24, -4, 6), rotated(60, 20)]
    seen = np.stack([landmarks(rotation, (0.1, 0, 1.1)) for rotation in turned])
    for pose, rotation in zip(head_poses(seen, CAMERA, EYES_M, before), turned, strict=True):
        assert pose is not None
        assert np.allclose(pose.position_m, (0.1, 0, 1.1), atol=2e-3)
        assert np.degrees(np.arccos((np.trace(pose.rotation.T @ rotation) - 1) / 2)) < 0.5


def test_signs() -> None:
    """To the person's left is to the image's right, and up is up."""
    left = head_pose(landmarks(rotated(30), (0, 0, 1)), CAMERA, EYES_M)
    assert left is not None
    assert left.rotation[0, 0] > 0.4
    up = head_pose(landmarks(rotated(0, 20), (0, 0, 1)), CAMERA, EYES_M)
    assert up is not None
    assert up.rotation[1, 0] < -0.3


@pytest.mark.parametrize('yaw, limit_deg', [(0, 9.0), (30, 9.0), (60, 9.0)])
def test_noise_of_landmarks_is_told_in_the_uncertainty(yaw: float, limit_deg: float) -> None:
    rng, rotation = np.random.default_rng(0), rotated(yaw)
    seen = landmarks(rotation, (0, 0, 1))
    noise_px = 0.03 * 600 * EYES_M
    poses = [
        head_pose(seen + rng.normal(0, noise_px, (5, 2)).astype(np.float32), CAMERA, EYES_M)
        for _ in range(200)
    ]
    yaws = [yaw_pitch_roll_deg(pose)[0] for pose in poses if pose is not None]
    assert len(yaws) == 200
    told = float(np.degrees(np.median([pose.angle_sigma_rad[1] for pose in poses if pose])))
    assert np.std(yaws) < limit_deg
    assert 0.5 < told / np.std(yaws) < 2.0


@pytest.mark.parametrize(
    'seen',
    [
        pytest.param(np.full((5, 2), np.nan, np.float32), id='none'),
        pytest.param(np.full((5, 2), 7.0, np.float32), id='all in one place'),
    ],
)
def test_no_pose_without_a_face(seen: np.ndarray) -> None:
    assert head_pose(seen, CAMERA, EYES_M) is None


def test_distance_knows_how_little_an_assumed_camera_says() -> None:
    seen = landmarks(rotated(0), (0, 0, 1))
    known = head_pose(seen, CAMERA, EYES_M)
    assumed = head_pose(seen, Camera.assumed((480, 640), 56.14), EYES_M)
    assert known is not None
    assert assumed is not None
    assert known.distance_m == pytest.approx(1.0, abs=0.01)
    assert assumed.distance_m == pytest.approx(1.0, abs=0.01)
    assert 0.06 < known.distance_sigma_m < 0.12
    assert 0.2 < assumed.distance_sigma_m < 0.3


def test_who_looks_at_the_camera_from_the_side() -> None:
    """Seen 45 degrees off the axis, a face that points at the camera is turned by as much."""
    position = (1.0, 0.0, 1.0)
    towards = head_pose(landmarks(rotated(-45), position), CAMERA, EYES_M)
    past = head_pose(landmarks(rotated(0), position), CAMERA, EYES_M)
    assert towards is not None
    assert past is not None
    assert angle_to_camera_deg(towards) < 2.0
    assert angle_to_camera_deg(past) == pytest.approx(45.0, abs=2.0)


def test_gaze_frame_is_an_optical_one() -> None:
    """REP-155: z along the gaze, x right, y down; the face has x ahead, y left, z up."""
    assert (FACE_TO_GAZE @ [0, 0, 1]).tolist() == [1, 0, 0]
    assert (FACE_TO_GAZE @ [1, 0, 0]).tolist() == [0, -1, 0]
    assert (FACE_TO_GAZE @ [0, 1, 0]).tolist() == [0, 0, -1]


@pytest.mark.parametrize('position', [(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (-0.3, 0.4, 2.0)])
def test_gaze_points_at_a_camera_that_is_looked_at(position: tuple) -> None:
    """hri_engagement takes the robot's place in the gaze frame, z ahead, for mutual gaze."""
    x, y, z = position
    yaw, pitch = np.degrees(np.arctan2(-x, z)), np.degrees(np.arctan2(y, np.hypot(x, z)))
    header = SimpleNamespace(stamp=0, frame_id='optical')
    head = head_pose(landmarks(rotated(yaw, pitch), position), CAMERA, EYES_M)
    assert head is not None
    face, gaze = face_frames(lambda kind, **fields: SimpleNamespace(**fields), head, 'a1', header)
    assert (face.header.frame_id, face.child_frame_id) == ('optical', 'face_a1')
    assert (gaze.header.frame_id, gaze.child_frame_id) == ('face_a1', 'gaze_a1')
    turns = [rotation_matrix(**vars(frame.transform.rotation)) for frame in (face, gaze)]
    shift = np.array(list(vars(face.transform.translation).values()))
    camera_in_gaze = turns[1].T @ turns[0].T @ -shift
    distance = np.linalg.norm(position)
    assert np.allclose(camera_in_gaze, (0.0, 0.0, distance), atol=0.04 * distance)


@pytest.mark.parametrize('angles', [(0, 0, 0), (90, 0, 0), (-120, 40, 170)])
def test_quaternions_and_back(angles: tuple[float, float, float]) -> None:
    rotation = rotated(*angles)
    turn = quaternion(rotation)
    assert np.linalg.norm(turn) == pytest.approx(1.0)
    assert np.allclose(rotation_matrix(*turn), rotation, atol=1e-9)


def test_the_filter_is_steady_at_rest_and_follows_in_motion() -> None:
    """Side by side; the one in motion goes to the other row half-way, and a new one begins."""
    smoother, noise = OneEuroFilter(), np.random.default_rng(0).normal(0, 0.01, 300)
    smooth, rows = [], [-1, -1]
    for i, n in enumerate(noise):
        values, order = np.array([[n], [i / 30]]), [0, 1] if i < 150 else [1, 0]
        values = smoother.update(values[order], rows, i / 30, 1.0, 2.0)[order]
        smooth.append(values[0, 0])
        rows = [1, 0] if i == 149 else [0, 1]
    assert np.std(smooth[60:]) < 0.5 * np.std(noise)
    assert values[1, 0] == pytest.approx(299 / 30, abs=0.1)
    fresh = smoother.update(np.array([[7.0], [299 / 30]]), [-1, 0], 10.0, 1.0, 2.0)
    assert fresh[0, 0] == 7.0
    assert fresh[1, 0] == pytest.approx(299 / 30, abs=0.1)
    assert smoother.update(fresh + 1, [0, 1], 10.0, 1.0, 2.0) == pytest.approx(fresh)


@pytest.mark.parametrize(
    'angles, expected',
    [([0, 1, 2, 1], 0), ([0, 8, 0], 1), ([0, 8, 0, 8], 2), ([0, 3, 0, 3, 0], 0), ([0, 20], 0)],
)
def test_swings(angles: list[float], expected: int) -> None:
    assert swings(angles) == expected


@pytest.mark.parametrize('axis, gesture', [('yaw', 'shake'), ('pitch', 'nod'), ('none', '')])
def test_gestures(axis: str, gesture: str) -> None:
    heads, found = Heads(HeadPoseConfig()), set()
    for i in range(45):
        angle = 15 * np.sin(2 * np.pi * i / 15)
        rotation = {'yaw': rotated(angle), 'pitch': rotated(0, angle), 'none': rotated(5)}[axis]
        seen = face(landmarks(rotation, (0, 0, 1)))
        frame = heads.update(FrameEmotions(i / 30, (480, 640), ('happy',), (seen,)), CAMERA)
        assert frame.faces[0].head is not None
        found.add(frame.faces[0].head.gesture)
    assert found - {''} == ({gesture} if gesture else set())


def test_heads_may_be_left_alone() -> None:
    heads = Heads(HeadPoseConfig(enabled=False))
    frame = FrameEmotions(0.0, (480, 640), ('happy',), (face(landmarks(FRONTAL, (0, 0, 1))),))
    assert heads.update(frame, CAMERA).faces[0].head is None
