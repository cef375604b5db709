# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a head is and how it is turned, from five landmarks and the camera: pure geometry."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.types import Camera, Float32Array, Float64Array, HeadPose

FACE_POINTS = np.array(
    [
        (0.0, -0.5, 0.0),
        (0.0, 0.5, 0.0),
        (0.41, 0.0, -0.575),
        (0.0, -0.415, -1.04),
        (0.0, 0.415, -1.04),
    ]
)
"""A mean adult's landmarks in REP-155's face frame (x out of the face, y to the person's left, z
up, origin between the eyes), in distances between the eyes. The mouth lies between a smiling one
(0.99) and a neutral one (1.1), which are 5 degrees of pitch apart."""

FRONTAL = np.array([(0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)])
"""Face frame to optical frame (x right, y down, z forward) of a face that looks along the axis."""

LANDMARK_NOISE = 0.03
"""Standard deviation of a landmark, in distances between the eyes."""

EYE_DISTANCE_SPREAD = 0.06
"""Standard deviation of the distance between adults' eyes, as a share of it (63 mm, 3.6 mm)."""

ASSUMED_FOCAL_SPREAD = 0.2
"""The same of the focal length where only a field of view was assumed."""


def head_pose(landmarks: Float32Array, camera: Camera, eye_distance_m: float) -> HeadPose | None:
    """Return the pose of one head, None without landmarks or where they fit no head.

    Args:
        landmarks: float32 (5, 2) px; see LANDMARK_NAMES.
        camera: that took the image.
        eye_distance_m: between the pupils, which sets the scale of all lengths.
    """
    if not np.isfinite(landmarks).all():
        return None
    points = FACE_POINTS @ FRONTAL.T * eye_distance_m
    seen, lens = landmarks.astype(np.float64), (camera.matrix, camera.distortion)
    try:
        # Refined by reprojection it would be off by a hundredth less, and take half as long again.
        found, turn, shift = cv2.solvePnP(points, seen, *lens, flags=cv2.SOLVEPNP_SQPNP)
        if not found or shift[2, 0] <= 0:
            return None
        _, jacobian = cv2.projectPoints(points, turn, shift, *lens)
        noise_px = LANDMARK_NOISE * eye_distance_m * camera.focal_px[0] / shift[2, 0]
        covariance = noise_px**2 * np.linalg.inv(jacobian[:, :6].T @ jacobian[:, :6])
    except (cv2.error, np.linalg.LinAlgError):
        return None
    if not np.isfinite(shift).all() or shift[2, 0] <= 0:
        return None
    position = shift[:, 0]
    scale = np.hypot(EYE_DISTANCE_SPREAD, 0.0 if camera.is_calibrated else ASSUMED_FOCAL_SPREAD)
    variances = np.diag(covariance)
    return HeadPose(
        position_m=position,
        rotation=cv2.Rodrigues(turn)[0] @ FRONTAL,
        position_sigma_m=np.sqrt(variances[3:] + (scale * position) ** 2),
        angle_sigma_rad=np.sqrt(variances[:3]),
        distance_sigma_m=float(np.sqrt(variances[5] + (scale * np.linalg.norm(position)) ** 2)),
    )


def turn_of(pose: HeadPose) -> Float64Array:
    """Return a head's turn away from FRONTAL as a rotation vector, float64 (3,) in radians."""
    turn: Float64Array = cv2.Rodrigues(pose.rotation @ FRONTAL.T)[0][:, 0]
    return turn


def rotation_of(turn: Float64Array) -> Float64Array:
    """Return the rotation, float64 (3, 3), of a head that is turned away from FRONTAL."""
    rotation: Float64Array = cv2.Rodrigues(turn)[0] @ FRONTAL
    return rotation


def yaw_pitch_roll_deg(pose: HeadPose) -> tuple[float, float, float]:
    """Return how a head is turned against the camera's axis, in degrees.

    Yaw is positive when the person looks to their left, pitch when up, roll when the head leans to
    the person's left shoulder.
    """
    # In axes that lie as the face's do when it looks along the axis.
    forward, left, up = (FRONTAL.T @ pose.rotation).T
    yaw = np.arctan2(forward[1], forward[0])
    pitch = np.arctan2(forward[2], np.hypot(forward[0], forward[1]))
    roll = np.arctan2(-left[2], up[2])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def angle_to_camera_deg(pose: HeadPose) -> float:
    """Return the angle between where the face points and the camera, 0 to 180 degrees."""
    to_camera = -pose.position_m / np.linalg.norm(pose.position_m)
    return float(np.degrees(np.arccos(np.clip(pose.rotation[:, 0] @ to_camera, -1.0, 1.0))))
