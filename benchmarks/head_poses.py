# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well head poses are found again: rendered heads of known turn, with noise in the landmarks.

``python -m benchmarks.head_poses [--heads 500] [--distance 1.0]``
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np

from fer_ros.people.head_pose import (
    FACE_POINTS,
    FRONTAL,
    LANDMARK_NOISE,
    head_pose,
    yaw_pitch_roll_deg,
)
from fer_ros.types import Camera, HeadPose

CAMERA = Camera((600.0, 600.0), (320.0, 240.0))
EYES_M = 0.063
YAWS_DEG = (0, 15, 30, 45, 60)


def rotated(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Return a face's rotation to the optical frame, turned in its own axes, in degrees."""
    axes = ((0, 0, yaw), (0, -pitch, 0), (roll, 0, 0))
    z, y, x = (cv2.Rodrigues(np.radians(np.array(axis, float)))[0] for axis in axes)
    return FRONTAL @ z @ y @ x


def landmarks(rotation: np.ndarray, position_m: tuple[float, float, float]) -> np.ndarray:
    """Return where the mean face's points appear in CAMERA's image, float32 (5, 2) px."""
    points = (FACE_POINTS * EYES_M) @ rotation.T + position_m
    image = points @ CAMERA.matrix.T
    return (image[:, :2] / image[:, 2:]).astype(np.float32)


def found(
    rng: np.random.Generator, yaw_deg: float, distance_m: float, heads: int
) -> tuple[list[HeadPose], np.ndarray]:
    """Return the poses of *heads* heads, and the pitch that each was rendered with."""
    noise_px = LANDMARK_NOISE * EYES_M * CAMERA.focal_px[0] / distance_m
    poses, pitches = [], rng.uniform(-20, 20, heads)
    for pitch_deg in pitches:
        noise = rng.normal(0, noise_px, (5, 2)).astype(np.float32)
        seen = landmarks(rotated(yaw_deg, pitch_deg), (0.0, 0.0, distance_m))
        pose = head_pose(seen + noise, CAMERA, EYES_M)
        if pose is None:
            raise SystemExit(f'no pose at a yaw of {yaw_deg} degrees')
        poses.append(pose)
    return poses, pitches


def main() -> None:
    """Print mean errors and published standard deviations by yaw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--heads', type=int, default=500, help='for each yaw')
    parser.add_argument('--distance', type=float, default=1.0, help='in metres')
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print('  yaw   mean error of      published sigma   distance: mean error,')
    print('  (deg)  yaw  pitch (deg)  of yaw (deg)       published sigma (m)')
    for yaw_deg in YAWS_DEG:
        poses, pitches = found(rng, yaw_deg, options.distance, options.heads)
        angles = np.array([yaw_pitch_roll_deg(pose)[:2] for pose in poses])
        errors = np.abs(angles - np.column_stack([np.full(len(pitches), yaw_deg), pitches]))
        sigma_deg = np.degrees(np.mean([pose.angle_sigma_rad[1] for pose in poses]))
        distance = np.array([(pose.distance_m, pose.distance_sigma_m) for pose in poses])
        error_m = np.abs(distance[:, 0] - options.distance).mean()
        print(
            f'  {yaw_deg:3d}   {errors[:, 0].mean():4.1f}  {errors[:, 1].mean():4.1f}'
            f'         {sigma_deg:4.1f}               {error_m:.3f}  {distance[:, 1].mean():.3f}'
        )


if __name__ == '__main__':
    main()
