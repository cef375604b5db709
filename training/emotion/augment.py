# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training faces made more varied: pose, light, noise, blur and occlusion, all on uint8 faces.

Everything happens before fer_ros.recognition.preprocessing.normalize, on whole grey levels,
so that a darkened face loses what a camera in the dark loses.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from fer_ros.config import setting
from fer_ros.config.settings import Checked
from fer_ros.types import Float32Array, UInt8Array


@dataclass(frozen=True)
class AugmentationConfig(Checked):
    """Strength of each change; probabilities are a face's chance of it."""

    RENAMED: ClassVar[dict[str, str]] = {'calm_epochs': 'no_mix_epochs'}

    flip: float = setting(0.5, 'chance of the mirror image', low=0, high=1)
    rotation_deg: float = setting(15.0, 'largest turn either way', low=0, high=180)
    zoom: float = setting(0.12, 'largest change of scale, as a share', low=0, high=0.9)
    shift: float = setting(0.08, 'largest shift, as a share of the side', low=0, high=0.5)
    brightness: float = setting(0.15, 'largest change, as a share of full scale', low=0, high=1)
    contrast: float = setting(0.3, 'largest change, as a share', low=0, high=1)
    gamma: float = setting(0.4, 'largest change of the exponent, in natural log', low=0, high=3)
    low_light: float = setting(0.3, 'chance of a dark, noisy picture', low=0, high=1)
    over_exposure: float = setting(0.08, 'chance of far too much light else', low=0, high=1)
    noise: float = setting(0.2, 'chance of sensor noise in a normal picture', low=0, high=1)
    noise_sigma: float = setting(12.0, 'largest noise deviation in grey levels', low=0, high=128)
    blur: float = setting(0.15, 'chance of blur or of a small face enlarged', low=0, high=1)
    erasing: float = setting(0.25, 'chance of one erased rectangle', low=0, high=1)
    mixup: float = setting(0.2, 'alpha of mixup; 0 for none', low=0, high=10)
    cutmix: float = setting(0.0, 'chance of CutMix for a batch', low=0, high=1)
    no_mix_epochs: int = setting(0, 'last ones without erasing and mixing', low=0, high=100000)

    def without_mixing(self) -> AugmentationConfig:
        """Return the same without what hides or blends faces, for the last epochs."""
        return dataclasses.replace(self, erasing=0.0, mixup=0.0, cutmix=0.0)


def augment(
    images: UInt8Array, config: AugmentationConfig, rng: np.random.Generator, size_px: int
) -> UInt8Array:
    """Return changed copies of faces.

    The steps, in order: geometry (one interpolation), blur, light (one table per face), noise,
    erasing.

    Args:
        images: uint8 (N, S, S).
        config: how much.
        rng: all chance comes from here.
        size_px: S of the result.
    """
    moved = warp(images, config, rng, size_px)
    _blur(moved, config, rng)
    dark = rng.random(len(moved)) < config.low_light
    tables = light_tables(dark, config, rng)
    lit = tables[np.arange(len(moved))[:, None, None], moved]
    lit = _add_noise(lit, dark, config, rng)
    _erase(lit, config, rng)
    return lit


def warp(
    images: UInt8Array, config: AugmentationConfig, rng: np.random.Generator, size_px: int
) -> UInt8Array:
    """Return faces flipped, turned, zoomed and shifted, uint8 (N, size_px, size_px)."""
    count, side = len(images), images.shape[1]
    angles = np.deg2rad(rng.uniform(-1, 1, count) * config.rotation_deg)
    scales = np.exp(rng.uniform(-1, 1, count) * np.log1p(config.zoom)) * size_px / side
    flips = np.where(rng.random(count) < config.flip, -1.0, 1.0)
    shifts = rng.uniform(-1, 1, (count, 2)) * config.shift * size_px
    cos, sin = scales * np.cos(angles), scales * np.sin(angles)
    linear = np.array([[cos * flips, -sin], [sin * flips, cos]]).transpose(2, 0, 1)
    offsets = (size_px - 1) / 2 + shifts - linear @ np.full(2, (side - 1) / 2)
    matrices = np.concatenate([linear, offsets[:, :, None]], axis=2)
    result = np.empty((count, size_px, size_px), np.uint8)
    for image, matrix, target in zip(images, matrices, result):
        size_wh = size_px, size_px
        cv2.warpAffine(image, matrix, size_wh, target, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    return result


def _blur(images: UInt8Array, config: AugmentationConfig, rng: np.random.Generator) -> None:
    """Blur some faces in place: half by a lens, half by having been small."""
    side = images.shape[1]
    for row in np.flatnonzero(rng.random(len(images)) < config.blur):
        if rng.random() < 0.5:
            images[row] = cv2.GaussianBlur(images[row], (0, 0), rng.uniform(0.4, 1.3))
        else:
            small = max(8, int(side * rng.uniform(0.4, 0.8)))
            shrunk = cv2.resize(images[row], (small, small), interpolation=cv2.INTER_AREA)
            images[row] = cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR)


def light_tables(
    dark: np.ndarray, config: AugmentationConfig, rng: np.random.Generator
) -> UInt8Array:
    """Return uint8 (N, 256): for each face, the new grey level of every old one.

    A dark face gets ``gain * x^gamma`` with gains 0.06 to 0.6 (even in the logarithm) and gammas
    1 to 2.6; an over-exposed one gains 1.3 to 2.5 and is cut off at white; the others gamma,
    contrast around the middle, then brightness.
    """
    count = len(dark)
    levels = np.linspace(0, 1, 256, dtype=np.float32)[None]

    def spread(limit: float) -> Float32Array:
        return rng.uniform(-limit, limit, (count, 1)).astype(np.float32)

    normal = levels ** np.exp(spread(config.gamma))
    normal = (normal - 0.5) * (1 + spread(config.contrast)) + 0.5 + spread(config.brightness)
    gains = np.exp(rng.uniform(np.log(0.06), np.log(0.6), (count, 1)))
    dimmed = gains * levels ** rng.uniform(1.0, 2.6, (count, 1))
    glare = rng.uniform(1.3, 2.5, (count, 1)) * levels ** rng.uniform(0.7, 1.0, (count, 1))
    bright = rng.random((count, 1)) < config.over_exposure
    table = np.where(dark[:, None], dimmed, np.where(bright, glare, normal))
    return np.clip(table * 255 + 0.5, 0, 255).astype(np.uint8)


def _add_noise(
    images: UInt8Array, dark: np.ndarray, config: AugmentationConfig, rng: np.random.Generator
) -> UInt8Array:
    """Return faces with Gaussian noise: every dark one (0.5 to 3 levels), some of the others."""
    noisy = np.flatnonzero(dark | (rng.random(len(images)) < config.noise))
    if not len(noisy):
        return images
    sigmas = np.where(
        dark[noisy],
        rng.uniform(0.5, 3.0, len(noisy)),
        rng.uniform(0, config.noise_sigma, len(noisy)),
    ).astype(np.float32)
    grains = rng.standard_normal((len(noisy), *images.shape[1:]), np.float32)
    grains *= sigmas[:, None, None]
    images[noisy] = np.clip(np.rint(images[noisy] + grains), 0, 255).astype(np.uint8)
    return images


def _erase(images: UInt8Array, config: AugmentationConfig, rng: np.random.Generator) -> None:
    """Cover a rectangle of some faces with one grey level, in place (2 to 20 % of the face)."""
    side = images.shape[1]
    for row in np.flatnonzero(rng.random(len(images)) < config.erasing):
        area, aspect = rng.uniform(0.02, 0.2), np.exp(rng.uniform(-1, 1))
        height = min(side, int(side * np.sqrt(area * aspect)) + 1)
        width = min(side, int(side * np.sqrt(area / aspect)) + 1)
        top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
        images[row, top : top + height, left : left + width] = rng.integers(0, 256)


def mix(
    inputs: Float32Array,
    targets: Float32Array,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> tuple[Float32Array, Float32Array]:
    """Return a batch whose faces are blended with one another, and targets blended alike.

    CutMix (arXiv 1905.04899) swaps one rectangle, mixup (arXiv 1710.09412) blends whole faces; a
    batch gets at most one of them.

    Args:
        inputs: float32 (N, S, S, C), normalised.
        targets: float32 (N, K).
        config: how often and how much.
        rng: all chance comes from here.
    """
    partner = rng.permutation(len(inputs))
    if rng.random() < config.cutmix:
        side = inputs.shape[1]
        size = int(side * np.sqrt(rng.uniform(0, 0.5)))
        top, left = rng.integers(0, side - size + 1, 2)
        mixed = inputs.copy()
        window = (slice(None), slice(top, top + size), slice(left, left + size))
        mixed[window] = inputs[partner][window]
        kept = np.float32(1 - (size / side) ** 2)
        return mixed, kept * targets + (1 - kept) * targets[partner]
    if config.mixup > 0:
        share = rng.beta(config.mixup, config.mixup, len(inputs)).astype(np.float32)
        share = np.maximum(share, 1 - share)[:, None]
        blend = share[:, :, None, None]
        return (
            blend * inputs + (1 - blend) * inputs[partner],
            share * targets + (1 - share) * targets[partner],
        )
    return inputs, targets
