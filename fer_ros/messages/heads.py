# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Head poses as messages: poses, frames on /tf (REP-155), detections in space."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_ros.labels import UNKNOWN
from fer_ros.messages.make import Make
from fer_ros.types import Float64Array, FrameEmotions, HeadPose

GESTURES = ('', 'nod', 'shake')
DISTANCE_SOURCES = ('', 'face_size', 'depth')
"""By the number of their GESTURE_ and DISTANCE_ constants in fer_msgs/Emotion."""

HEAD_SIZE_M = (0.20, 0.15, 0.24)
"""An adult's head from front to back, from side to side and in height (ISO 7250-1, rounded)."""

FACE_TO_GAZE = np.array([(0.0, 0.0, 1.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)])
"""Axes of the gaze frame in the face frame: z along the face's x, x right, y down."""


def quaternion(rotation: Float64Array) -> Float64Array:
    """Return a rotation, float64 (3, 3), as float64 (4,) x, y, z, w."""
    # The column of this symmetric matrix's largest eigenvalue (Bar-Itzhack 2000).
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            (a - e - i, b + d, c + g, h - f),
            (b + d, e - a - i, f + h, c - g),
            (c + g, f + h, i - a - e, d - b),
            (h - f, c - g, d - b, a + e + i),
        ]
    )
    vector = np.linalg.eigh(matrix)[1][:, -1]
    return vector if vector[3] >= 0 else -vector


def rotation_matrix(x: float, y: float, z: float, w: float) -> Float64Array:
    """Return a unit quaternion as a rotation, float64 (3, 3)."""
    return np.array(
        [
            (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        ]
    )


def pose_with_covariance(make: Make, head: HeadPose | None) -> Any:
    """Return geometry_msgs/PoseWithCovariance; all NaN for None."""
    position, turn, variances = np.full(3, np.nan), np.full(4, np.nan), np.full(6, np.nan)
    if head is not None:
        position, turn = head.position_m, quaternion(head.rotation)
        variances = np.concatenate([head.position_sigma_m, head.angle_sigma_rad]) ** 2
    return make(
        'geometry_msgs/msg/PoseWithCovariance',
        pose=_pose(make, position, turn),
        covariance=np.diag(variances).ravel() if head is not None else np.full(36, np.nan),
    )


def _pose(make: Make, position: Float64Array, turn: Float64Array) -> Any:
    return make(
        'geometry_msgs/msg/Pose',
        position=make('geometry_msgs/msg/Point', **_named('xyz', position)),
        orientation=make('geometry_msgs/msg/Quaternion', **_named('xyzw', turn)),
    )


def _named(names: str, values: Float64Array) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values)}


def head_of(message: Any) -> HeadPose | None:
    """Return the head of a fer_msgs/Emotion, None where it has none."""
    pose, variances = message.head_pose.pose, np.array(message.head_pose.covariance)[::7]
    position = np.array([pose.position.x, pose.position.y, pose.position.z])
    turn = pose.orientation
    if not np.isfinite([*position, turn.x, turn.y, turn.z, turn.w]).all() or not position.any():
        return None
    sigmas = np.sqrt(np.maximum(variances, 0.0))
    return HeadPose(
        position_m=position,
        rotation=rotation_matrix(turn.x, turn.y, turn.z, turn.w),
        position_sigma_m=sigmas[:3],
        angle_sigma_rad=sigmas[3:],
        distance_sigma_m=message.distance_stddev,
        distance_source=_by_number(DISTANCE_SOURCES, message.distance_source),
        is_looking_at_camera=message.looking_at_camera,
        gesture=_by_number(GESTURES, message.head_gesture),
    )


def _by_number(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else ''


def face_frames(make: Make, head: HeadPose, face_id: str, header: Any) -> list[Any]:
    """Return REP-155's face_<id>, a child of the image's frame, and gaze_<id> upon it."""
    at_face = make('std_msgs/msg/Header', stamp=header.stamp, frame_id=f'face_{face_id}')
    turn = quaternion(head.rotation)
    gaze = quaternion(FACE_TO_GAZE)
    return [
        _transform(make, header, f'face_{face_id}', head.position_m, turn),
        _transform(make, at_face, f'gaze_{face_id}', np.zeros(3), gaze),
    ]


def _transform(make: Make, header: Any, child: str, shift: Float64Array, turn: Float64Array) -> Any:
    return make(
        'geometry_msgs/msg/TransformStamped',
        header=header,
        child_frame_id=child,
        transform=make(
            'geometry_msgs/msg/Transform',
            translation=make('geometry_msgs/msg/Vector3', **_named('xyz', shift)),
            rotation=make('geometry_msgs/msg/Quaternion', **_named('xyzw', turn)),
        ),
    )


def detection_3d_array(make: Make, frame: FrameEmotions, header: Any) -> Any:
    """Return the heads that are known as vision_msgs/Detection3DArray, boxes about their middle."""
    classes = (*frame.labels, UNKNOWN)
    detections = []
    for face in frame.faces:
        if face.head is None:
            continue
        # Between the eyes lies at the front of the box.
        middle = face.head.position_m - face.head.rotation[:, 0] * HEAD_SIZE_M[0] / 2
        hypothesis = make(
            'vision_msgs/msg/ObjectHypothesis',
            class_id=str(classes.index(face.label)),
            score=face.confidence,
        )
        detections.append(
            make(
                'vision_msgs/msg/Detection3D',
                header=header,
                results=[
                    make(
                        'vision_msgs/msg/ObjectHypothesisWithPose',
                        hypothesis=hypothesis,
                        pose=pose_with_covariance(make, face.head),
                    )
                ],
                bbox=make(
                    'vision_msgs/msg/BoundingBox3D',
                    center=_pose(make, middle, quaternion(face.head.rotation)),
                    size=make('geometry_msgs/msg/Vector3', **_named('xyz', np.array(HEAD_SIZE_M))),
                ),
                id=str(face.track_id),
            )
        )
    return make('vision_msgs/msg/Detection3DArray', header=header, detections=detections)
