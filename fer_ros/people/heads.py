# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Head poses kept steady over time, and what heads do: look at the camera, nod, shake."""

from __future__ import annotations

import dataclasses
import math
from collections import deque

import numpy as np

from fer_ros.config import HeadPoseConfig
from fer_ros.people.depth import face_depth, moved_to_depth
from fer_ros.people.head_pose import (
    angle_to_camera_deg,
    head_pose,
    rotation_of,
    turn_of,
    yaw_pitch_roll_deg,
)
from fer_ros.types import (
    Camera,
    FaceEmotion,
    Float32Array,
    Float64Array,
    FrameEmotions,
    HeadPose,
)

SPEED_CUTOFF_HZ = 1.0
GESTURE_S = 1.5
"""A nod or a shake takes no longer."""

MIN_SWING_DEG = 5.0
MIN_REVERSALS = 2
"""Down and up again, or from side to side."""


class OneEuroFilter:
    """A low-pass filter that is steady at rest and quick in motion (Casiez et al., CHI 2012)."""

    def __init__(self, values: Float64Array, stamp_s: float) -> None:
        """Start at rest at *values*, float64 (N,)."""
        self._values, self._speeds, self._stamp_s = values, np.zeros_like(values), stamp_s

    def update(
        self, values: Float64Array, stamp_s: float, min_cutoff_hz: float, speed_coefficient: float
    ) -> Float64Array:
        """Return the smoothed values; as they are where time does not go on."""
        elapsed_s = stamp_s - self._stamp_s
        if elapsed_s > 0:
            speeds = (values - self._values) / elapsed_s
            self._speeds += _weight(SPEED_CUTOFF_HZ, elapsed_s) * (speeds - self._speeds)
            cutoff_hz = min_cutoff_hz + speed_coefficient * float(np.linalg.norm(self._speeds))
            self._values = self._values + _weight(cutoff_hz, elapsed_s) * (values - self._values)
            self._stamp_s = stamp_s
        return self._values


def _weight(cutoff_hz: float, elapsed_s: float) -> float:
    return -math.expm1(-2 * math.pi * cutoff_hz * elapsed_s)


def swings(angles_deg: list[float]) -> int:
    """Return how often a series turns back after a swing of MIN_SWING_DEG or more.

    Example:
        0, 8, 0, 8 swings up, down and up again: it turns back twice.
    """
    reversals, direction, extreme = 0, 0, angles_deg[0]
    for angle in angles_deg:
        step = angle - extreme
        if direction * step > 0:
            extreme = angle
        elif abs(step) >= MIN_SWING_DEG:
            reversals += direction != 0
            direction, extreme = int(math.copysign(1, step)), angle
    return reversals


class _Head:
    def __init__(self, state: Float64Array, stamp_s: float) -> None:
        self.filter = OneEuroFilter(state, stamp_s)
        self.turns: deque[tuple[float, float, float]] = deque()

    def gesture(self, pose: HeadPose, stamp_s: float) -> str:
        yaw, pitch, _ = yaw_pitch_roll_deg(pose)
        self.turns.append((stamp_s, yaw, pitch))
        while stamp_s - self.turns[0][0] > GESTURE_S or self.turns[0][0] > stamp_s:
            self.turns.popleft()
        _, yaws, pitches = (list(column) for column in zip(*self.turns))
        shakes, nods = swings(yaws), swings(pitches)
        if max(shakes, nods) < MIN_REVERSALS or shakes == nods:
            return ''
        return 'nod' if nods > shakes else 'shake'


class Heads:
    """The head of everybody in view of one camera."""

    def __init__(self, config: HeadPoseConfig) -> None:
        """Start with nobody in view."""
        self.config = config
        self._heads: dict[int, _Head] = {}

    def update(
        self, frame: FrameEmotions, camera: Camera | None, depth_m: Float32Array | None = None
    ) -> FrameEmotions:
        """Return a frame with the heads of its faces.

        Args:
            frame: with track ids; also one without faces, so that people are forgotten.
            camera: that took the image; None for one of the assumed field of view.
            depth_m: float32 (h, w) registered to the image, NaN for holes; None without.
        """
        if not self.config.enabled:
            self._heads.clear()
            return frame
        camera = camera or Camera.assumed(frame.shape_hw, self.config.assumed_fov_deg)
        here = {face.track_id for face in frame.faces}
        self._heads = {key: head for key, head in self._heads.items() if key in here}
        faces = []
        for face in frame.faces:
            pose = head_pose(face.landmarks, camera, self.config.eye_distance_mm * 1e-3)
            if pose is not None and depth_m is not None:
                measured = face_depth(depth_m, face.box_xyxy, frame.shape_hw)
                if measured is not None:
                    pose = moved_to_depth(pose, *measured, is_calibrated=camera.is_calibrated)
            faces.append(self._with_head(face, pose, frame.stamp_s))
        return dataclasses.replace(frame, faces=tuple(faces))

    def _with_head(self, face: FaceEmotion, pose: HeadPose | None, stamp_s: float) -> FaceEmotion:
        if pose is None:
            self._heads.pop(face.track_id, None)
            return face
        state = _state(pose)
        head = self._heads.get(face.track_id)
        if head is None:
            head = self._heads[face.track_id] = _Head(state, stamp_s)
        smooth = head.filter.update(
            state, stamp_s, self.config.min_cutoff_hz, self.config.speed_coefficient
        )
        direction, distance_m, turn = smooth[:3], math.exp(smooth[3]), smooth[4:]
        pose = dataclasses.replace(
            pose,
            position_m=direction / np.linalg.norm(direction) * distance_m,
            rotation=rotation_of(turn),
        )
        looks = angle_to_camera_deg(pose) <= self.config.looking_at_camera_deg
        pose = dataclasses.replace(
            pose, is_looking_at_camera=looks, gesture=head.gesture(pose, stamp_s)
        )
        return dataclasses.replace(face, head=pose)


def _state(pose: HeadPose) -> Float64Array:
    """Return what is smoothed: direction, logarithm of the distance, turn; all about radians."""
    distance_m = float(np.linalg.norm(pose.position_m))
    return np.concatenate([pose.position_m / distance_m, [math.log(distance_m)], turn_of(pose)])
