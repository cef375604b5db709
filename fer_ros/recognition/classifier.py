# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Emotion classifiers: aligned crops -> EmotionScores, one batch per frame."""

from __future__ import annotations

import copy
import dataclasses
from typing import Protocol

import numpy as np

from fer_ros.config import CLASSIFIER_PLUGINS, ClassificationConfig
from fer_ros.errors import ModelError
from fer_ros.models.card import OUTPUTS, EmotionModelCard
from fer_ros.models.registry import find
from fer_ros.recognition.preprocessing import model_input
from fer_ros.types import EmotionScores, Float32Array, UInt8Array

OWN = {
    'litert': 'fer_ros.recognition.litert:LiteRtRuntime',
    'onnx': 'fer_ros.recognition.onnx:OnnxRuntime',
    'keras': 'fer_ros.recognition.keras:KerasRuntime',
}

SMALLEST_PROBABILITY = np.float32(1e-12)
ROUNDING = 0.02
"""How far from 1 the probabilities of an 8-bit model may sum to."""
MAX_BATCH = 64
"""More crops are worked off in batches of so many: a network's memory grows with its batch."""


class Runtime(Protocol):
    """Runs an emotion model: what differs between LiteRT, ONNX and Keras.

    Attributes:
        name: what diagnostics call it, with the device it got.
    """

    name: str

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return float32 (N, columns) for float32 (N, *input_shape of the card), N at least 1."""


def softmax(logits: Float32Array, temperature: float) -> Float32Array:
    """Return float32 probabilities of float32 (N, C) logits divided by *temperature*."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


class EmotionClassifier:
    """An emotion model with its card: crops in, calibrated probabilities out."""

    def __init__(self, card: EmotionModelCard, runtime: Runtime) -> None:
        """Join a card and what runs its weights.

        A model that ends in a softmax, as many do, is recognised by what it says of noise.

        Raises:
            ModelError: the outputs are not finite, or not what the card says.
        """
        self.runtime = runtime
        noise = np.random.default_rng(0).integers(0, 256, (2, card.size_px, card.size_px))
        # Also the first run, so that the first face is not slow.
        outputs = runtime.logits(model_input(noise.astype(np.uint8), card))
        self.card = dataclasses.replace(card, outputs=_kind_of(outputs, card))

    def with_flip_tta(self) -> EmotionClassifier:
        """Return the same model, which averages each face with its mirror image (flip TTA)."""
        flipping = copy.copy(self)
        flipping.card = dataclasses.replace(self.card, mirror=True)
        return flipping

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return float32 (M, columns): all heads side by side, uncalibrated.

        Args:
            crops: uint8 (M, S, S) grey or (M, S, S, 3) BGR.

        Raises:
            ValueError: shape or dtype differ from that, or S from what the card says.
        """
        card, size = self.card, self.card.size_px
        if crops.dtype != np.uint8 or crops.shape[1:] not in ((size, size), (size, size, 3)):
            raise ValueError(
                f'crops: expected uint8 (M, {size}, {size}) or (M, {size}, {size}, 3), '
                f'got {crops.dtype} {tuple(crops.shape)}'
            )
        if not len(crops):
            return np.zeros((0, card.columns), np.float32)
        if len(crops) > MAX_BATCH:
            parts = range(0, len(crops), MAX_BATCH)
            return np.concatenate([self.logits(crops[at : at + MAX_BATCH]) for at in parts])
        both = np.concatenate([crops, crops[:, :, ::-1]]) if card.mirror else crops
        outputs = self.runtime.logits(model_input(both, card))
        if card.outputs == 'probabilities':
            outputs = np.log(np.maximum(outputs, SMALLEST_PROBABILITY))
        return outputs.reshape(-1, len(crops), card.columns).mean(axis=0)

    def classify(self, crops: UInt8Array, head: str = '') -> EmotionScores:
        """Return calibrated probabilities of one head (the card's default one if empty).

        Args:
            crops: see logits.
            head: name of an output head of the card.

        Raises:
            ValueError: shape or dtype differ from what the card says, or there is no such head.
        """
        output, columns = self.card.head(head)
        probabilities = softmax(self.logits(crops)[:, columns], output.temperature)
        return EmotionScores(probabilities, output.labels)


def make_classifier(config: ClassificationConfig) -> EmotionClassifier:
    """Return the classifier that *config* names.

    Raises:
        ModelError: card or weights are missing, damaged, or disagree.
        ConfigError: no package that is installed offers its backend.
    """
    card = EmotionModelCard.load(config.model)
    runtime = find(OWN, CLASSIFIER_PLUGINS, config.backend)(card, config.threads)
    return EmotionClassifier(card, runtime)


def _kind_of(outputs: Float32Array, card: EmotionModelCard) -> str:
    """Return one of OUTPUTS: only probabilities are never negative and sum to 1 in each head."""
    if not np.isfinite(outputs).all():
        raise ModelError(f'model {card.id}: its outputs are not finite numbers')
    sums = [outputs[:, card.head(head.name)[1]].sum(axis=1) for head in card.heads]
    found = OUTPUTS[bool((outputs >= 0).all() and np.allclose(sums, 1, atol=ROUNDING))]
    if card.outputs not in ('', found):
        raise ModelError(
            f'model {card.id}: its card says that it gives {card.outputs}, but it gives {found}'
        )
    return found
