# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Another model's word on pairs of classes that the teachers are known to take for each other.

FER+'s votes call a sneer anger and a closed-mouth smile neutral, and whoever learns from them does
so too. A model that learned from other labels may be worse on the whole and right there. It decides
nothing but how what the teachers give to the two classes of a pair is split between them, and only
on faces that nobody labelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.config import CLASSIFIERS, ClassificationConfig, check_settings, setting
from fer_ros.errors import ConfigError
from fer_ros.geometry import similarity_transform
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.recognition.classifier import make_classifier
from fer_ros.types import EmotionScores, Float32Array, UInt8Array

BATCH = 64


@dataclass(frozen=True)
class SecondOpinionConfig:
    """Which model, on which classes, and how much it counts."""

    model: str = setting('', "path of the other model's card; empty for none")
    backend: str = setting('onnx', 'what runs it', choices=CLASSIFIERS)
    pairs: tuple[tuple[str, ...], ...] = ()
    share: float = setting(0.5, "its share in a pair's split", low=0, high=1)
    least: float = setting(0.3, 'probability that both must give to the pair', low=0, high=1)

    def __post_init__(self) -> None:
        """Check ranges and pairs."""
        check_settings(self)
        for pair in self.pairs:
            if len(pair) != 2:
                raise ConfigError(f'second_opinion.pairs: expected two classes, got {list(pair)}')


def second_opinion(faces: UInt8Array, config: SecondOpinionConfig) -> EmotionScores:
    """Return what the other model makes of grey faces in FER2013's framing, uint8 (N, S, S).

    Raises:
        ModelError: it cannot be loaded.
    """
    classifier = make_classifier(ClassificationConfig(model=config.model, backend=config.backend))
    parts = [
        classifier.classify(reframed(faces[start : start + BATCH], classifier.card))
        for start in range(0, len(faces), BATCH)
    ]
    return EmotionScores(np.concatenate([one.probabilities for one in parts]), parts[0].labels)


def reframed(faces: UInt8Array, card: EmotionModelCard) -> UInt8Array:
    """Return faces, uint8 (N, S, S) in FER2013's framing, as crops of another model's card."""
    here = np.array([FER2013_TEMPLATE_48PX], np.float32) * faces.shape[1] / 48
    matrix = similarity_transform(here, np.array(card.template_px, np.float32))[0]
    size = (card.size_px, card.size_px)
    crops = np.stack(
        [cv2.warpAffine(face, matrix, size, borderMode=cv2.BORDER_REPLICATE) for face in faces]
    )
    return crops if card.colour == 'grey' else np.repeat(crops[..., None], 3, axis=3)


def split_anew(
    probabilities: Float32Array,
    labels: tuple[str, ...],
    opinion: EmotionScores,
    config: SecondOpinionConfig,
) -> Float32Array:
    """Return probabilities, float32 (N, C), whose pairs are split as both models think.

    For example, with a share of 0.5 a face that is 0.6 angry and 0.2 disgust becomes 0.4 and 0.4
    where the other model's split is one to three.
    """
    result, theirs = probabilities.copy(), opinion.probabilities
    for first, second in config.pairs:
        if not {first, second} <= set(labels) & set(opinion.labels):
            raise ConfigError(f'second_opinion.pairs: {first} and {second} are not in both models')
        mine = [labels.index(first), labels.index(second)]
        other = [opinion.labels.index(first), opinion.labels.index(second)]
        mass, their_mass = result[:, mine].sum(axis=1), theirs[:, other].sum(axis=1)
        rows = np.flatnonzero((mass >= config.least) & (their_mass >= max(config.least, 1e-6)))
        split = theirs[rows][:, other] / their_mass[rows, None]
        pair = result[rows][:, mine]
        pair += config.share * (mass[rows, None] * split - pair)
        result[rows[:, None], mine] = pair
    return result
