# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Aligned face to model input: the one path that training and the live node share."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.models.input_format import NORMALIZATIONS, InputFormat
from fer_ros.types import Float32Array, UInt8Array

CLIPPED = 250
"""Grey level from which a pixel counts as cut off at white."""
LIFT = 60.0
"""How many grey levels above white such a pixel is put: about the mean of what was cut off."""


def model_input(crops: UInt8Array, form: InputFormat) -> Float32Array:
    """Return what an emotion model takes; evaluation and the live node all use this.

    The steps, in order: channel order, normalization, grey repeated, layout.

    Args:
        crops: uint8 (M, S, S) grey or (M, S, S, 3) BGR; grey crops go as they are into the three
            channels of a colour model.
        form: of the model: its card.

    Returns:
        float32 (M, *form.input_shape).
    """
    if crops.ndim == 4:
        crops = to_grey(crops) if form.colour == 'grey' else crops
        crops = crops[..., ::-1] if form.colour == 'rgb' else crops
    if form.normalization == 'mean_std':
        crops = crops if crops.ndim == 4 else crops[..., None]
        mean, std = (np.array(levels, np.float32) for levels in (form.mean, form.std))
        inputs = (crops.astype(np.float32) - mean) / std
    else:
        inputs = normalize(crops, form.normalization)
    if inputs.shape[-1] < form.channels:
        inputs = np.repeat(inputs, form.channels, axis=-1)
    return inputs.transpose(0, 3, 1, 2) if form.layout == 'nchw' else inputs


def to_grey(crops: UInt8Array) -> UInt8Array:
    """Return uint8 (M, S, S) of uint8 (M, S, S, 3) BGR."""
    grey = np.empty(crops.shape[:3], np.uint8)
    for row, crop in enumerate(crops):
        grey[row] = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return grey


def normalize(crops: UInt8Array, normalization: str) -> Float32Array:
    """Return model input for aligned grey faces.

    The steps, in order: local contrast (only 'equalize' and 'clahe') or highlights (only 'declip'),
    then scaling:

    - 'standardize': each face to mean 0 and standard deviation 1 (deviation at least 1/255 of full
      scale, so that a flat crop gives zeros and not noise);
    - 'declip': highlights that were cut off at white are lifted above it, with a soft edge, then
      'standardize': an over-exposed face keeps more of its contrast;
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
    images = lift_highlights(crops) if normalization == 'declip' else crops.astype(np.float32)
    if normalization in ('standardize', 'declip'):
        axes = tuple(range(1, images.ndim))
        images -= images.mean(axis=axes, keepdims=True)
        images /= np.maximum(images.std(axis=axes, keepdims=True), 1.0)
    else:
        images *= 2.0 / 255.0
        images -= 1.0
    return images[..., None] if images.ndim == 3 else images


def lift_highlights(crops: UInt8Array) -> Float32Array:
    """Return float32 grey levels in which pixels cut off at white lie above 255, blurred."""
    clipped = crops >= CLIPPED
    levels = np.where(clipped, np.float32(255 + LIFT), crops)
    for face, cut_off in zip(levels, clipped):
        if cut_off.any():
            np.copyto(face, cv2.GaussianBlur(face, (0, 0), 1.0), where=cut_off)
    return levels
