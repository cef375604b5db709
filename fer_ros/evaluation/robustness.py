# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What cameras and rooms do to faces, each at a stated strength and the same on every run."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array

Condition = Callable[[UInt8Array, np.random.Generator], UInt8Array]
"""From one face, uint8 (S, S), to its changed copy."""


def _to_uint8(levels: Float32Array) -> UInt8Array:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def light(gain: float, gamma: float, noise: float) -> Condition:
    """Return ``gain * x^gamma`` (x from 0 to 1) with noise of that many grey levels."""

    def change(face: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        levels = 255 * gain * (face.astype(np.float32) / 255) ** gamma
        return _to_uint8(levels + noise * rng.standard_normal(face.shape, np.float32))

    return change


def blur(sigma: float) -> Condition:
    """Return Gaussian blur; *sigma* is a share of the side."""
    return lambda face, rng: cv2.GaussianBlur(face, (0, 0), sigma * face.shape[0])


def jpeg(quality: int) -> Condition:
    """Return compression at a quality from 0 to 100."""

    def change(face: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        _, data = cv2.imencode('.jpg', face, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)

    return change


def small(side_px: int) -> Condition:
    """Return a face seen at *side_px* and enlarged again."""

    def change(face: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        seen = cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return cv2.resize(seen, face.shape[::-1], interpolation=cv2.INTER_LINEAR)

    return change


def rotation(degrees: float) -> Condition:
    """Return a turn by *degrees*, to either side by chance."""

    def change(face: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        middle = ((face.shape[1] - 1) / 2, (face.shape[0] - 1) / 2)
        matrix = cv2.getRotationMatrix2D(middle, degrees * rng.choice([-1, 1]), 1.0)
        return cv2.warpAffine(face, matrix, face.shape[::-1], borderMode=cv2.BORDER_REPLICATE)

    return change


def occlusion(share: float) -> Condition:
    """Return a grey square over *share* of the area, anywhere."""

    def change(face: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        side = round(face.shape[0] * share**0.5)
        top, left = rng.integers(0, face.shape[0] - side + 1, 2)
        covered = face.copy()
        covered[top : top + side, left : left + side] = 127
        return covered

    return change


CONDITIONS: dict[str, tuple[Condition, str]] = {
    'low_light_mild': (light(0.5, 1.6, 1.0), '0.5 x^1.6, noise 1 grey level'),
    'low_light_middle': (light(0.25, 2.2, 2.0), '0.25 x^2.2, noise 2 grey levels'),
    'low_light_severe': (light(0.12, 2.2, 2.0), '0.12 x^2.2, noise 2 grey levels'),
    'over_exposure': (light(2.0, 0.8, 0.0), '2 x^0.8, cut off at white'),
    'noise': (light(1.0, 1.0, 15.0), 'noise 15 grey levels'),
    'blur': (blur(1.5 / 48), 'Gaussian, 1.5 pixels of 48'),
    'jpeg': (jpeg(15), 'JPEG quality 15'),
    'small_32px': (small(32), 'a face 32 pixels high'),
    'small_24px': (small(24), 'a face 24 pixels high'),
    'rotation': (rotation(20), '20 degrees to either side, unaligned'),
    'occlusion': (occlusion(0.15), 'a grey square over 15 % of the face'),
}
"""Every condition with what it does, in words."""


def apply_condition(faces: UInt8Array, name: str, seed: int = 0) -> UInt8Array:
    """Return uint8 (N, S, S) faces under one of CONDITIONS; the same for the same seed.

    Raises:
        ValueError: there is no such condition.
    """
    if name not in CONDITIONS:
        raise ValueError(f'condition: expected one of {", ".join(CONDITIONS)}, got {name!r}')
    change = CONDITIONS[name][0]
    rng = np.random.default_rng((seed, list(CONDITIONS).index(name)))
    result = np.empty_like(faces)
    for row, face in enumerate(faces):
        result[row] = change(face, rng)
    return result
