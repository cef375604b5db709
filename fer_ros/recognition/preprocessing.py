# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Aligned face to model input: the one path that training and the live node share."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.models.card import NORMALIZATIONS
from fer_ros.types import Float32Array, UInt8Array


def model_input(crops: UInt8Array, normalization: str, channels: int, colour: str) -> Float32Array:
    """Return what an emotion model takes; training, evaluation and the live node all use this.

    Args:
        crops: uint8 (M, S, S) grey or (M, S, S, 3) BGR.
        normalization: one of NORMALIZATIONS.
        channels: of the model, 1 or 3.
        colour: 'grey' (repeated where there are three channels), 'bgr' or 'rgb'; grey crops go as
            they are into the three channels of a colour model.

    Returns:
        float32 (M, S, S, channels).
    """
    if colour == 'grey' or crops.ndim == 3:
        inputs = normalize(to_grey(crops) if crops.ndim == 4 else crops, normalization)
        return np.repeat(inputs, channels, axis=-1) if channels > 1 else inputs
    return normalize(crops if colour == 'bgr' else crops[..., ::-1], normalization)


def to_grey(crops: UInt8Array) -> UInt8Array:
    """Return uint8 (M, S, S) of uint8 (M, S, S, 3) BGR."""
    grey = np.empty(crops.shape[:3], np.uint8)
    for row, crop in enumerate(crops):
        grey[row] = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return grey


def normalize(crops: UInt8Array, normalization: str) -> Float32Array:
    """Return model input for aligned grey faces.

    The steps, in order: local contrast (only 'equalize' and 'clahe'), then scaling:

    - 'standardize': each face to mean 0 and standard deviation 1 (deviation at least 1/255 of full
      scale, so that a flat crop gives zeros and not noise);
    - 'equalize', 'clahe': histogram equalisation (global; or in 4x4 tiles with clip limit 2), then
      'none';
    - 'none': 0..255 to -1..1.

    Args:
        crops: uint8 (M, S, S) or (M, S, S, 3).
        normalization: one of NORMALIZATIONS.

    Returns:
        float32 (M, S, S, 1) or (M, S, S, 3).
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f'normalization: expected one of {", ".join(NORMALIZATIONS)}, got {normalization!r}'
        )
    if crops.dtype != np.uint8 or crops.ndim not in (3, 4):
        raise ValueError(
            f'crops: expected uint8 (M, S, S) or (M, S, S, 3), got {crops.dtype} {crops.shape}'
        )
    if normalization in ('equalize', 'clahe'):
        if crops.ndim != 3:
            raise ValueError(f'{normalization}: expected grey crops (M, S, S), got {crops.shape}')
        contrast = (
            cv2.equalizeHist
            if normalization == 'equalize'
            else cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply
        )
        crops = np.stack([contrast(crop) for crop in crops]) if len(crops) else crops
    images = crops.astype(np.float32)
    if normalization == 'standardize':
        axes = tuple(range(1, images.ndim))
        images -= images.mean(axis=axes, keepdims=True)
        images /= np.maximum(images.std(axis=axes, keepdims=True), 1.0)
    else:
        images *= 2.0 / 255.0
        images -= 1.0
    return images[..., None] if images.ndim == 3 else images
