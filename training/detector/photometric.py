# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photometric augmentation: what cameras do to an image."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.types import UInt8Array


def augment(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Return the image as a camera might have seen it: light, colour, blur, noise, compression."""
    size = image.shape[0]
    if rng.random() < 0.12:
        small = round(size * rng.uniform(0.4, 0.8))
        image = cv2.resize(
            cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (size, size)
        )
    if rng.random() < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.4))
    elif rng.random() < 0.07:
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(((length - 1) / 2,) * 2, rng.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        image = cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-3))
    grey = np.linspace(0, 1, 256)
    curve = grey ** np.exp(rng.normal(0, 0.25)) * rng.uniform(0.75, 1.2) + rng.uniform(-0.1, 0.1)
    tint = rng.uniform(0.85, 1.15, 3) if rng.random() < 0.5 else np.ones(3)
    table = np.clip(curve[:, None] * tint * 255, 0, 255).astype(np.uint8)[:, None]
    image = cv2.LUT(image, table)
    if rng.random() < 0.12:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15:
        noise = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(1 << 31)))
        cv2.randn(noise, 0, float(rng.uniform(2, 12)))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.15:
        quality = int(rng.integers(25, 85))
        data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image
