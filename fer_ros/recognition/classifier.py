# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Emotion classifiers: aligned crops -> EmotionScores, one batch a frame."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fer_ros.config import CLASSIFIER_PLUGINS, ClassificationConfig
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.registry import find
from fer_ros.recognition.preprocessing import normalize
from fer_ros.types import EmotionScores, Float32Array, UInt8Array

OWN = {
    'litert': 'fer_ros.recognition.litert:LiteRtRuntime',
    'onnx': 'fer_ros.recognition.onnx:OnnxRuntime',
    'keras': 'fer_ros.recognition.keras:KerasRuntime',
}


class Runtime(Protocol):
    """Runs an emotion model: what differs between LiteRT, ONNX and Keras.

    Attributes:
        name: what diagnostics call it, with the device it got.
    """

    name: str

    def logits(self, batch: Float32Array) -> Float32Array:
        """Return float32 (N, columns) for float32 (N, S, S, channels), N at least 1."""


def softmax(logits: Float32Array, temperature: float) -> Float32Array:
    """Return float32 probabilities of float32 (N, C) logits divided by *temperature*."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


class EmotionClassifier:
    """An emotion model with its card: crops in, calibrated probabilities out."""

    def __init__(self, card: EmotionModelCard, runtime: Runtime) -> None:
        """Join a card and what runs its weights."""
        self.card = card
        self.runtime = runtime

    def logits(self, crops: UInt8Array) -> Float32Array:
        """Return float32 (M, columns): all heads side by side, uncalibrated.

        Args:
            crops: uint8 (M, S, S) grey or (M, S, S, 3) BGR, as the card says.

        Raises:
            ValueError: shape or dtype differ from what the card says.
        """
        size, channels = self.card.size_px, self.card.channels
        expected = (size, size) if channels == 1 else (size, size, channels)
        if crops.dtype != np.uint8 or crops.shape[1:] != expected:
            raise ValueError(
                f'crops: expected uint8 (M, {", ".join(map(str, expected))}), '
                f'got {crops.dtype} {tuple(crops.shape)}'
            )
        if not len(crops):
            return np.zeros((0, self.card.columns), np.float32)
        if not self.card.mirror:
            return self.runtime.logits(normalize(crops, self.card.normalization))
        both = normalize(np.concatenate([crops, crops[:, :, ::-1]]), self.card.normalization)
        return self.runtime.logits(both).reshape(2, len(crops), -1).mean(axis=0)

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
    """Return the classifier that *config* names, run once so that the first face is not slow.

    Raises:
        ModelError: card or weights are missing, damaged, or disagree.
        ConfigError: no package that is installed offers its backend.
    """
    card = EmotionModelCard.load(config.model)
    classifier = EmotionClassifier(
        card, find(OWN, CLASSIFIER_PLUGINS, config.backend)(card, config.threads)
    )
    channels = (3,) if card.channels == 3 else ()
    classifier.classify(np.zeros((1, card.size_px, card.size_px, *channels), np.uint8))
    return classifier
