# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A person's resting face as their baseline.

Some people look sad or angry at rest. From ten seconds of a resting face follows by how much each
other class comes too near to 'neutral'; the last layer's bias of that class is lowered by as much,
and nothing else of the model changes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_ros.errors import DataError
from fer_ros.models.card import EmotionModelCard, OutputHead
from fer_ros.recognition.classifier import softmax
from fer_ros.teaching.features import FrozenNetwork
from fer_ros.teaching.write import check_is_free, write_model
from fer_ros.types import Float32Array

SECONDS = 10.0
NEUTRAL = 'neutral'
MIN_FRAMES = 20
LEAD = 2.0
"""By so much 'neutral' leads every other class at rest, in calibrated logits: e^2 = 7 times."""

MAX_LOWERED = 5.0
"""Who needs more of a class that no resting face looks like does not rest."""

RESTING_LOOKS = ('angry', 'contempt', 'disgust', 'fear', 'sad')
"""What faces at rest are taken for, however strongly."""

SHOWN = 0.05
LEAST = 1e-4
FITTED = 0.6
"""The share of the frames that the baseline is taken from; the later ones say what it does."""


@dataclass(frozen=True)
class Baseline:
    """What a resting face says before and after.

    Attributes:
        lowered: by how much each class was lowered, in calibrated logits; only those that were.
        frames: held back to measure with.
        before: the share of them labelled 'neutral' by the model as it was.
        after: the same with the baseline.
        card: path of the new model's card.
    """

    lowered: dict[str, float]
    frames: int
    before: float
    after: float
    card: Path

    def summary(self) -> str:
        """Return what was changed and what it does, in a sentence or three."""
        changes = ', '.join(f'{label} by {size:.1f}' for label, size in self.lowered.items())
        seldom = [label for label, size in self.lowered.items() if size > MAX_LOWERED]
        rare = f' It will seldom say {" or ".join(seldom)} of this face.' if seldom else ''
        return (
            f'At rest this face is neutral in {self.after:.0%} of {self.frames} later frames, '
            f'{self.before:.0%} without the baseline. Lowered (in logits): {changes}.{rare}'
        )


def take_baseline(
    probabilities: Float32Array, output: Path, base: str = 'default', model_id: str = ''
) -> Baseline:
    """Write a model that takes a person's resting face for neutral.

    Args:
        probabilities: float32 (T, classes) of that face, frame after frame, unsmoothed.
        output: path without suffix, for ``.tflite`` and ``.json``.
        base: card of the model that gave them.
        model_id: for the card; the name of *output* by default.

    Raises:
        DataError: too few frames, a face that is not at rest, or one that needs no baseline.
        ModelError: the base cannot be built on, or the model cannot be written.
    """
    check_is_free(output)
    network = FrozenNetwork(EmotionModelCard.load(base))
    labels = network.card.head()[0].labels
    lowered, held_back = _fit(probabilities, labels)
    shares = [np.mean(logits.argmax(axis=1) == labels.index(NEUTRAL))
              for logits in (held_back, held_back - lowered)]  # fmt: skip
    baseline = Baseline(
        lowered={label: float(size) for label, size in zip(labels, lowered) if size > SHOWN},
        frames=len(held_back),
        before=float(shares[0]),
        after=float(shares[1]),
        card=Path(),
    )
    layer = network.layer_for(labels)
    layer = dataclasses.replace(layer, bias=layer.bias - lowered)
    card = _new_card(network.card, baseline, model_id or output.name)
    size = (8, card.size_px, card.size_px)
    noise = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    return dataclasses.replace(baseline, card=write_model(network, card, layer, noise, output))


def _fit(probabilities: Float32Array, labels: tuple[str, ...]) -> tuple[Float32Array, Float32Array]:
    """Return by how much to lower each class, and the logits held back to measure with."""
    if NEUTRAL not in labels:
        raise DataError(f'the model has no class {NEUTRAL!r}: a baseline needs one')
    if len(probabilities) < MIN_FRAMES:
        raise DataError(
            f'{len(probabilities)} frames with a clear face: a baseline needs {MIN_FRAMES}, '
            'of one person who looks into the camera'
        )
    logits = np.log(np.clip(probabilities, LEAST, 1.0)).astype(np.float32)
    split = round(FITTED * len(logits))
    mean = logits[:split].mean(axis=0)
    neutral = labels.index(NEUTRAL)
    lowered = np.maximum(mean - mean[neutral] + LEAD, 0).astype(np.float32)
    lowered[neutral] = 0.0
    worst = int(lowered.argmax())
    moved = np.where(np.isin(labels, RESTING_LOOKS), 0, lowered)
    if moved.max() > MAX_LOWERED:
        shown = int(moved.argmax())
        share = softmax(logits[:split], 1.0)[:, shown].mean()
        raise DataError(
            f'this face shows {labels[shown]} ({share:.0%}): a baseline is taken from a face at '
            'rest; relax it, and record again'
        )
    if lowered[worst] <= SHOWN:
        raise DataError('at rest this face is neutral already: it needs no baseline')
    return lowered, logits[split:]


def _new_card(base: EmotionModelCard, baseline: Baseline, model_id: str) -> EmotionModelCard:
    head = base.head()[0]
    return dataclasses.replace(
        base,
        id=model_id,
        heads=(OutputHead('own', head.labels, 1.0, head.unknown_threshold),),
        default_head='own',
        about={
            'started_from': base.id,
            'trained': 'a baseline of one person: the last bias',
            'lowered_logits': {label: round(n, 3) for label, n in baseline.lowered.items()},
            'frames_held_back': baseline.frames,
            'neutral_before': baseline.before,
            'neutral_after': baseline.after,
        },
    )
