# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a head is and how it is turned, from five landmarks and the camera: pure geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

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

STEPS = 2
"""Gauss-Newton steps, from where the head was a moment ago or from SQPnP's pose."""

MAX_MISFIT = 0.2
"""Landmarks this far from where a pose puts them (root of the mean square, in distances between
the eyes) are not of a head that has gone on from there."""

MAX_DISTANCE_M = 1000.0


def head_poses(
    landmarks: Float32Array,
    camera: Camera,
    eye_distance_m: float,
    before: Sequence[HeadPose | None] = (),
) -> list[HeadPose | None]:
    """Return the pose of each head, None without landmarks or where they fit no head.

    Args:
        landmarks: float32 (N, 5, 2) px; see LANDMARK_NAMES.
        camera: that took the image.
        eye_distance_m: between the pupils, which sets the scale of all lengths.
        before: N poses of a moment ago, None for heads that are new; empty if all are.
    """
    points = FACE_POINTS @ FRONTAL.T * eye_distance_m
    seen = _normalized(landmarks, camera)
    starts = [
        _solved(points, one) if pose is None else (pose.rotation @ FRONTAL.T, pose.position_m)
        for one, pose in zip(seen, before or [None] * len(seen))
    ]
    rows = [row for row, start in enumerate(starts) if start is not None]
    found: list[HeadPose | None] = [None] * len(seen)
    if not rows:
        return found
    turns, shifts = (np.stack(part) for part in zip(*(starts[row] for row in rows)))
    try:
        with np.errstate(divide='ignore', over='ignore', invalid='ignore'):
            turns, shifts, inverse, misfits = _refined(points, seen[rows], turns, shifts)
    except np.linalg.LinAlgError:
        return found
    poses = _described(turns, shifts, inverse, camera, eye_distance_m)
    astray = (misfits * shifts[:, 2] > MAX_MISFIT * eye_distance_m).tolist()
    for at, row in enumerate(rows):
        found[row] = poses[at]
        if before and before[row] and (astray[at] or poses[at] is None):
            found[row] = head_pose(landmarks[row], camera, eye_distance_m)
    return found


def _described(
    turns: Float64Array,
    shifts: Float64Array,
    inverse: Float64Array,
    camera: Camera,
    eye_distance_m: float,
) -> list[HeadPose | None]:
    """Return what _refined has found with its uncertainty, None for what cannot be."""
    spread = math.hypot(EYE_DISTANCE_SPREAD, 0.0 if camera.is_calibrated else ASSUMED_FOCAL_SPREAD)
    noise = LANDMARK_NOISE * eye_distance_m / shifts[:, 2, None]
    variances = noise**2 * np.einsum('nii->ni', inverse)
    distances = np.sqrt((shifts**2).sum(axis=1))
    can_be = (shifts[:, 2] > 0) & (distances < MAX_DISTANCE_M)
    fields = zip(
        shifts,
        turns @ FRONTAL,
        np.sqrt(variances[:, 3:] + (spread * shifts) ** 2),
        np.sqrt(variances[:, :3]),
        np.sqrt(variances[:, 5] + (spread * distances) ** 2).tolist(),
    )
    return [HeadPose(*values) if possible else None for possible, values in zip(can_be, fields)]


def head_pose(landmarks: Float32Array, camera: Camera, eye_distance_m: float) -> HeadPose | None:
    """Return the pose of one head, float32 (5, 2) px; see head_poses."""
    return head_poses(landmarks[None], camera, eye_distance_m)[0]


def _normalized(landmarks: Float32Array, camera: Camera) -> Float64Array:
    """Return landmarks, (N, 5, 2) px, as a pinhole of focal length 1 would see them."""
    if len(camera.distortion):
        points = landmarks.reshape(-1, 1, 2).astype(np.float64)
        straight = cv2.undistortPoints(points, camera.matrix, camera.distortion)
        return np.asarray(straight, np.float64).reshape(landmarks.shape)
    seen: Float64Array = (landmarks - np.array(camera.centre_px)) / np.array(camera.focal_px)
    return seen


def _solved(points: Float64Array, seen: Float64Array) -> tuple[Float64Array, Float64Array] | None:
    """Return turn (3, 3) and shift (3,) of points (5, 3) that are *seen* (5, 2) about there."""
    if not np.isfinite(seen).all():
        return None
    try:
        found, turn, shift = cv2.solvePnP(points, seen, np.eye(3), None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:
        return None
    if not found or not 0 < shift[2, 0] < MAX_DISTANCE_M:
        return None
    return cv2.Rodrigues(turn)[0], shift[:, 0]


def _refined(
    points: Float64Array, seen: Float64Array, turns: Float64Array, shifts: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
    """Return turns and shifts after a few Gauss-Newton steps for all heads at once.

    Args:
        points: float64 (5, 3).
        seen: float64 (N, 5, 2), normalized.
        turns: float64 (N, 3, 3).
        shifts: float64 (N, 3).

    Returns:
        the same; the inverse of the squared Jacobian by turn and shift, float64 (N, 6, 6); and the
        root of the mean square of what was left to explain before the last step, float64 (N,).
    """
    for _ in range(STEPS):
        turned = points @ turns.transpose(0, 2, 1)
        placed = turned + shifts[:, None]
        projected = placed[..., :2] / placed[..., 2:]
        by_shift = np.zeros((*turned.shape[:2], 2, 3))
        by_shift[..., 0, 0] = by_shift[..., 1, 1] = 1
        by_shift[..., 2] = -projected
        by_shift /= placed[..., 2:, None]
        jacobian = np.concatenate([by_shift @ -_cross_matrices(turned), by_shift], axis=-1)
        jacobian = jacobian.reshape(len(turns), -1, 6)
        left = seen - projected
        inverse = np.linalg.inv(jacobian.transpose(0, 2, 1) @ jacobian)
        steps = inverse @ jacobian.transpose(0, 2, 1) @ left.reshape(len(turns), -1, 1)
        turns, shifts = _rotations(steps[:, :3, 0]) @ turns, shifts + steps[:, 3:, 0]
    return turns, shifts, inverse, np.sqrt((left**2).mean(axis=(1, 2)))


def _cross_matrices(vectors: Float64Array) -> Float64Array:
    """Return the matrices (…, 3, 3) that take a vector to its cross product with (…, 3)."""
    matrices = np.zeros((*vectors.shape, 3))
    matrices[..., (2, 0, 1), (1, 2, 0)] = vectors
    return matrices - np.swapaxes(matrices, -1, -2)


def _rotations(turns: Float64Array) -> Float64Array:
    """Return rotations, float64 (N, 3, 3), of rotation vectors (N, 3), by Rodrigues' formula."""
    angles = np.maximum(np.sqrt((turns**2).sum(axis=1)), 1e-9)[:, None, None]
    axes = _cross_matrices(turns) / angles
    rotations: Float64Array = np.eye(3) + np.sin(angles) * axes + (1 - np.cos(angles)) * axes @ axes
    return rotations


def turns_of(rotations: Float64Array) -> Float64Array:
    """Return how heads, float64 (N, 3, 3), are turned away from FRONTAL, as rotation vectors."""
    return np.stack([cv2.Rodrigues(turn)[0][:, 0] for turn in rotations @ FRONTAL.T])


def rotations_of(turns: Float64Array) -> Float64Array:
    """Return the rotations, float64 (N, 3, 3), of heads that are turned away from FRONTAL."""
    rotations: Float64Array = _rotations(turns) @ FRONTAL
    return rotations


def yaws_pitches_rolls_deg(rotations: Float64Array) -> list[tuple[float, float, float]]:
    """Return how heads, float64 (N, 3, 3), are turned against the camera's axis, in degrees.

    Yaw is positive when the person looks to their left, pitch when up, roll when the head leans to
    the person's left shoulder.
    """
    angles = []
    # In axes that lie as the face's do when it looks along the axis.
    for forward, left, up in (FRONTAL.T @ rotations).transpose(0, 2, 1).tolist():
        yaw = math.atan2(forward[1], forward[0])
        pitch = math.atan2(forward[2], math.hypot(forward[0], forward[1]))
        roll = math.atan2(-left[2], up[2])
        angles.append((math.degrees(yaw), math.degrees(pitch), math.degrees(roll)))
    return angles


def yaw_pitch_roll_deg(pose: HeadPose) -> tuple[float, float, float]:
    """Return how a head is turned; see yaws_pitches_rolls_deg."""
    return yaws_pitches_rolls_deg(pose.rotation[None])[0]


def angle_to_camera_deg(pose: HeadPose) -> float:
    """Return the angle between where the face points and the camera, 0 to 180 degrees."""
    to_camera = -pose.position_m / np.linalg.norm(pose.position_m)
    return float(np.degrees(np.arccos(np.clip(pose.rotation[:, 0] @ to_camera, -1.0, 1.0))))
