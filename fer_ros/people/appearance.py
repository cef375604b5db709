# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How alike two faces look: enough to tell people in view apart, not to recognise anybody.

A few hundred grey and colour values of an aligned face. They are kept in memory with the person's
track, go with it, and are never published or stored.
"""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array

GREY_PX, COLOUR_PX = 12, 6
CHROMA_WEIGHT = 3
"""Skin, hair and what is behind differ less in chroma than in lightness."""
KEPT = 6
INTERVAL_S = 0.3
"""So many looks of a person are kept, at least so far apart, so that a head that was turned away is
known again."""


def describe(crops: UInt8Array) -> Float32Array:
    """Return what aligned faces look like.

    Args:
        crops: uint8 (N, S, S, 3) BGR.

    Returns:
        float32 (N, D), rows of unit length: the product of two is 1 for the same picture, about
        0.9 for the same face a moment later, and 0.5 for another one.
    """
    small = np.empty((len(crops), GREY_PX, GREY_PX, 3), np.uint8)
    for crop, target in zip(crops, small):
        cv2.resize(crop, (GREY_PX, GREY_PX), dst=target, interpolation=cv2.INTER_AREA)
    if not len(small):
        return np.zeros((0, GREY_PX**2 + 3 * COLOUR_PX**2), np.float32)
    # All crops as one tall image.
    tall = small.reshape(-1, GREY_PX, 3)
    grey = cv2.cvtColor(tall, cv2.COLOR_BGR2GRAY).reshape(len(small), -1).astype(np.float32)
    size_wh = COLOUR_PX, len(small) * COLOUR_PX
    tall = cv2.resize(tall, size_wh, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(tall, cv2.COLOR_BGR2LAB).reshape(len(small), -1, 3).astype(np.float32)
    lab[..., 0] -= lab[..., 0].mean(axis=1, keepdims=True)
    lab[..., 1:] = CHROMA_WEIGHT * (lab[..., 1:] - 128)
    parts = grey - grey.mean(axis=1, keepdims=True), lab.reshape(len(small), -1)
    lengths = (np.sqrt(2 * (part**2).sum(axis=1, keepdims=True)) for part in parts)
    return np.hstack([part / np.maximum(length, 1e-6) for part, length in zip(parts, lengths)])


class Looks:
    """What one person has looked like: the last time, and now and then before."""

    def __init__(self, look: Float32Array, stamp_s: float) -> None:
        """Begin with one look, float32 (D,)."""
        # The last one, and those kept, the newest first.
        self._looks = np.stack([look, look])
        self._kept_s = stamp_s

    def add(self, look: Float32Array, stamp_s: float) -> None:
        """Take the look of another moment."""
        self._looks[0] = look
        if stamp_s - self._kept_s >= INTERVAL_S:
            self._looks = np.concatenate([self._looks[:1], self._looks[:KEPT]])
            self._kept_s = stamp_s

    def likeness(self, looks: Float32Array) -> Float32Array:
        """Return float32 (N,): how much faces, float32 (N, D), are like this person at most."""
        likeness: Float32Array = (self._looks @ looks.T).max(axis=0)
        return likeness
