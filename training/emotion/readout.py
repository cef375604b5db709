# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A shipped model's last layer fitted anew.

Minutes of one core, and no training framework: the network below the last layer stays as it is.
The default head learns from FER+'s votes, FER2013's own labels of rare classes and natural faces,
each face together with its mirror image, so that one pass per face is enough. Every target is
blended with what the model itself makes of the two views (arXiv 1503.02531), which keeps what it
knows.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.datasets import read_faces
from fer_ros.data.face_set import FaceSet
from fer_ros.errors import ConfigError
from fer_ros.models.card import EmotionModelCard, OutputHead
from fer_ros.models.publish import publish
from fer_ros.recognition.classifier import softmax
from fer_ros.teaching.features import FrozenNetwork
from fer_ros.teaching.fit import LastLayer, fit_shares
from fer_ros.teaching.network import last_layer, with_last_layer
from fer_ros.types import Float32Array, UInt8Array
from training.commands import command, option
from training.emotion.calibrate import calibrated
from training.engine import settings

OF_THE_OLD_LAYER = ('metrics', 'class_biases', 'favoured_rare_classes', 'agreement_with_keras')


@dataclass(frozen=True)
class Recipe:
    """What a new last layer learns from.

    Attributes:
        id: name and version of the new model.
        votes: data set with FER+'s votes and FER2013's labels.
        natural: data set of natural faces, see ``python -m training natural``.
        model: the model to start from, as ``--model`` takes it.
        faces: how many training faces of *votes* are used, besides those of *second_labels*.
        own_share: share of a vote's target that is the model's own prediction.
        natural_share: the same for a natural face.
        second_labels: {class: share of the target}: FER2013's own label counts too, where FER+'s
            votes hardly know the class.
        rare_weight: weight of faces whose votes say one of *second_labels* or contempt.
        pull: how strongly the layer is drawn to the one it started from.
        biases: {class: what is added to its logit} at the end, chosen on validation faces.
        seed: of the choice of faces.
    """

    id: str
    votes: str
    natural: str
    model: str = 'default'
    faces: int = 5000
    own_share: float = 0.7
    natural_share: float = 0.3
    second_labels: dict[str, float] = field(default_factory=dict)
    rare_weight: float = 1.0
    pull: float = 0.001
    biases: dict[str, float] = field(default_factory=dict)
    seed: int = 1


Views = tuple[Float32Array, Float32Array, Float32Array]
"""Features (2 N, F) of faces and then their mirror images, targets (2 N, C), weights (2 N,)."""


def read_recipe(path: Path) -> Recipe:
    """Read a recipe, whose data sets are named from its folder; raises ConfigError."""
    recipe = settings.load(Recipe, path, 'recipe')
    base = path.resolve().parent
    return dataclasses.replace(
        recipe, votes=str(base / recipe.votes), natural=str(base / recipe.natural)
    )


class Readout:
    """A network whose default head is to be fitted anew."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the model that the recipe starts from.

        Raises:
            ModelError: it cannot be loaded or does not end in one fully connected layer.
            ConfigError: the recipe names a class that the head does not have.
        """
        self.recipe = recipe
        self.card = EmotionModelCard.load(recipe.model)
        self.network = FrozenNetwork(dataclasses.replace(self.card, mirror=False))
        self.head, self.columns = self.card.head()
        self.start = self.network.layer_for(self.head.labels)
        for label in (*recipe.biases, *recipe.second_labels):
            if label not in self.head.labels:
                raise ConfigError(f'{label!r} is no class of head {self.head.name}')

    def views(
        self,
        images: UInt8Array,
        known: Float32Array,
        own_share: Float32Array | float,
        weights: Float32Array | float = 1.0,
    ) -> Views:
        """Return both views of faces, uint8 (N, S, S), with targets.

        Args:
            images: the faces.
            known: float32 (N, C) what people said; a row of zeros says nothing.
            own_share: float32 (N,): share of the model's own prediction, the mean of both views.
            weights: float32 (N,).
        """
        both = [self.network.features(one) for one in (images, images[:, :, ::-1])]
        own = np.mean([softmax(self.start.logits(one), 1.0) for one in both], axis=0)
        share = np.where(known.sum(axis=1) > 0, own_share, 1.0)[:, None]
        targets = (share * own + (1 - share) * known).astype(np.float32)
        weights = np.broadcast_to(np.asarray(weights, np.float32), len(images))
        return np.concatenate(both), np.tile(targets, (2, 1)), np.tile(weights, 2)

    def of_votes(self, faces: FaceSet) -> Views:
        """Return views of FER2013's faces; see Recipe."""
        recipe, labels = self.recipe, self.head.labels
        second = np.zeros(len(faces), np.float32)
        labelled = np.zeros((len(faces), len(labels)), np.float32)
        for label, share in recipe.second_labels.items():
            rows = faces.labels == faces.classes.index(label)
            second[rows] = share
            labelled[rows, labels.index(label)] = 1.0
        others = np.flatnonzero(second == 0)
        rng = np.random.default_rng(recipe.seed)
        drawn = rng.choice(others, min(recipe.faces, len(others)), replace=False)
        rows = np.concatenate([np.flatnonzero(second > 0), drawn])
        votes, blend = faces[rows].targets('ferplus', labels), second[rows, None]
        known = (1 - blend) * votes + blend * labelled[rows]
        known /= np.maximum(known.sum(axis=1, keepdims=True), 1e-6)
        has_second = second[rows] > 0
        rare = [labels.index(label) for label in (*recipe.second_labels, 'contempt')]
        is_rare = np.isin(votes.argmax(axis=1), rare) | has_second
        return self.views(
            faces.images[rows],
            known,
            np.where(has_second, 0.0, recipe.own_share),
            np.where(is_rare, recipe.rare_weight, 1.0),
        )

    def fit(self) -> tuple[LastLayer, dict[str, OutputHead]]:
        """Return the whole last layer, and its heads calibrated on the validation faces."""
        recipe, labels = self.recipe, self.head.labels
        votes = read_faces(Path(recipe.votes), size_px=self.card.size_px)
        natural = read_faces(Path(recipe.natural), size_px=self.card.size_px)
        learned = natural.split('training')
        known = learned.targets('ferplus', labels)
        parts = (
            self.of_votes(votes.split('training')),
            self.views(learned.images, known, recipe.natural_share),
        )
        features, shares, weights = (np.concatenate(part) for part in zip(*parts))
        layer = fit_shares(features, shares, weights, self.start, recipe.pull)
        bias = layer.bias + np.array([recipe.biases.get(label, 0.0) for label in labels])
        kernel, biases = (one.copy() for one in last_layer(self.network.content))
        kernel[:, self.columns], biases[self.columns] = layer.kernel, bias
        whole = LastLayer(kernel.astype(np.float32), biases.astype(np.float32))
        return whole, self._calibrated(whole, votes, natural)

    def _calibrated(
        self, layer: LastLayer, votes: FaceSet, natural: FaceSet
    ) -> dict[str, OutputHead]:
        """Return {head: its calibration}: the default head's on both validation sets together."""
        sets = [faces.split('public_test') for faces in (votes, natural)]
        logits = [layer.logits(self.network.features(faces.images)) for faces in sets]
        heads = {}
        for head in self.card.heads:
            _, columns = self.card.head(head.name)
            used = sets if head.name == self.head.name else sets[:1]
            kind = head.name if head.name in ('fer2013', 'ferplus') else 'ferplus'
            targets = np.concatenate([faces.class_targets(kind, head.labels) for faces in used])
            scores = np.concatenate([one[:, columns] for one in logits[: len(used)]])
            heads[head.name] = calibrated(head, scores, targets)
        return heads


def write_model(readout: Readout, output: Path) -> Path:
    """Fit, and write the model's LiteRT file and card to *output* plus suffix.

    Raises:
        FerError: data or model cannot be read or written.
    """
    card, recipe = readout.card, readout.recipe
    layer, heads = readout.fit()
    content = with_last_layer(readout.network.content, layer.kernel, layer.bias)
    recorded: dict[str, Any] = {**dataclasses.asdict(recipe), 'model': card.id}
    recorded |= {name: Path(recorded[name]).name for name in ('votes', 'natural')}
    about = {name: what for name, what in card.about.items() if name not in OF_THE_OLD_LAYER}
    about |= {
        'readout': recorded,
        'calibrated_on': 'the public_test splits of both sets together',
    }
    new = dataclasses.replace(
        card,
        id=recipe.id,
        heads=tuple(heads[head.name] for head in card.heads),
        mirror=False,
        outputs='logits',
        about=json.loads(json.dumps(about)),
    )

    writers = {'litert': lambda path: path.write_bytes(content)}
    return publish(new, writers, output, lambda made: made)


@command(
    option('recipe', type=Path, help='YAML, see training.emotion.readout.Recipe'),
    option('output', type=Path, help='path without suffix'),
)
def fit_readout(recipe: Path, output: Path) -> None:
    """Fit a shipped model's last layer anew: minutes of one core, and no training framework."""
    print(write_model(Readout(read_recipe(recipe)), output))
