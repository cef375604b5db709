# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One YAML file a run: every switch of training with its default, and nothing else accepted."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_ros.config import CLASSIFIERS, setting
from fer_ros.config.settings import Checked
from fer_ros.data.face_set import LABEL_KINDS, classes_of
from fer_ros.errors import ConfigError, ModelError
from fer_ros.labels import EMOTIONS, find_label
from fer_ros.models.card import EmotionModelCard, check_labels
from fer_ros.models.input_format import NORMALIZATIONS
from training.emotion.augment import AugmentationConfig
from training.engine import settings
from training.engine.schedules import Course

SHIPPED = 'shipped'
"""What ``start`` calls the model that comes with the package."""
OPTIMIZERS = ('sgd', 'adamw')
PRECISIONS = ('float32', 'bfloat16', 'float16')
BALANCING = ('none', 'class_weights', 'oversampling', 'focal', 'logit_adjustment')


@dataclass(frozen=True)
class SetConfig:
    """One data set of a run."""

    path: str = setting('', 'npz, csv or folder; relative to the configuration file')
    name: str = setting('', 'name in reports; empty for the file name')
    votes: str = setting('', "FER+'s fer2013new.csv, for a csv of faces; joined by row")
    label_map: dict[str, str] = field(default_factory=dict)
    weight: float = setting(1.0, "factor of the set's loss", low=0, high=1000)
    photos: bool = setting(False, 'a folder of photos, from which faces are cut first')
    unlabelled: bool = setting(False, 'a folder without classes, which learns from teachers alone')


@dataclass(frozen=True)
class HeadConfig:
    """One output of the model and what it learns from."""

    name: str = setting('ferplus', 'name of the head in the model card')
    kind: str = setting('ferplus', 'what the targets are', choices=LABEL_KINDS)
    labels: tuple[str, ...] = ()
    weight: float = setting(1.0, "factor of the head's loss", low=0, high=1000)

    def __post_init__(self) -> None:
        """Take known words for their classes, and check the labels."""
        labels = tuple(find_label(label) or label for label in self.labels)
        object.__setattr__(self, 'labels', labels)
        if labels:
            check_labels(labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the head's class names in column order."""
        return classes_of(self.kind, self.labels)


@dataclass(frozen=True)
class ModelConfig:
    """The network and its input."""

    architecture: str = setting('residual', 'see training.emotion.architectures.ARCHITECTURES')
    options: dict[str, Any] = field(default_factory=dict)
    size_px: int = setting(48, 'side of the faces', low=16, high=512)
    channels: int = setting(1, '1, or 3 for grey repeated (weights made on colour)')
    normalization: str = setting(
        'standardize', 'see fer_ros.recognition.preprocessing', choices=NORMALIZATIONS
    )


@dataclass(frozen=True)
class OptimizationConfig(Course):
    """How weights are found."""

    batch_size: int = setting(128, 'faces per step', low=1, high=100000)
    optimizer: str = setting('sgd', 'sgd is with Nesterov momentum', choices=OPTIMIZERS)
    momentum: float = setting(0.9, 'of sgd', low=0, high=1)
    # Frameworks that add decay to the gradient say 5e-4 for the same: momentum makes it tenfold.
    weight_decay: float = setting(
        5e-3, 'share by which kernels shrink a step, times the learning rate', low=0, high=1
    )
    label_smoothing: float = setting(0.0, 'share of a target spread evenly', low=0, high=1)
    frozen_epochs: int = setting(
        0, 'epochs in which a backbone keeps the weights it came with', low=0, high=100000
    )
    precision: str = setting('bfloat16', 'of activations', choices=PRECISIONS)
    size_steps: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BalanceConfig:
    """What evens out rare classes."""

    method: str = setting('none', 'one of them', choices=BALANCING)
    strength: float = setting(
        0.5,
        'class_weights, oversampling: power of 1/frequency; focal: gamma; logit_adjustment: tau',
        low=0,
        high=10,
    )


@dataclass(frozen=True)
class SecondOpinionConfig(Checked):
    """Another model's word on pairs of classes that the teachers take for each other."""

    model: str = setting('', "path of the other model's card; empty for none")
    backend: str = setting('onnx', 'what runs it', choices=CLASSIFIERS)
    pairs: tuple[tuple[str, ...], ...] = ()
    share: float = setting(0.5, "its share in a pair's split", low=0, high=1)
    least: float = setting(0.3, 'probability that both must give to the pair', low=0, high=1)

    def __post_init__(self) -> None:
        """Check ranges and pairs."""
        super().__post_init__()
        for pair in self.pairs:
            if len(pair) != 2:
                raise ConfigError(f'second_opinion.pairs: expected two classes, got {list(pair)}')


@dataclass(frozen=True)
class RunConfig:
    """One training run."""

    name: str = setting('emotion', 'of the model')
    seed: int = setting(1, 'of everything random', low=0, high=2**31)
    sets: tuple[SetConfig, ...] = ()
    heads: tuple[HeadConfig, ...] = (
        HeadConfig(),
        HeadConfig(name='fer2013', kind='fer2013'),
    )
    model: ModelConfig = field(default_factory=ModelConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    balance: BalanceConfig = field(default_factory=BalanceConfig)
    start: str = setting(
        '', "what this run goes on from: 'shipped', a model's card, or the folder of a run"
    )
    teachers: tuple[str, ...] = ()
    second_opinion: SecondOpinionConfig = field(default_factory=SecondOpinionConfig)
    distillation: float = setting(0.7, 'share of the targets that the teachers give', low=0, high=1)
    max_faces: int = setting(0, 'train on that many faces at most; 0 for all', low=0, high=2**31)
    workers: int = setting(0, 'processes that make batches; 0 for none beside', low=0, high=256)

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if not self.sets:
            raise ConfigError('sets: a run needs at least one data set')
        names = [head.name for head in self.heads]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f'heads: expected at least one, each named once, got {names}')
        if self.model.channels not in (1, 3):
            raise ConfigError(f'model.channels: expected 1 or 3, got {self.model.channels}')

    @property
    def own_classes(self) -> tuple[str, ...]:
        """Return the classes that are none of EMOTIONS, in order of appearance."""
        labels = [label for head in self.heads for label in head.classes]
        return tuple(dict.fromkeys(label for label in labels if label not in EMOTIONS))

    def head_columns(self) -> Iterator[tuple[HeadConfig, slice]]:
        """Yield each head with its columns of the logits and targets."""
        start = 0
        for head in self.heads:
            stop = start + len(head.classes)
            yield head, slice(start, stop)
            start = stop


FREE_ON_RESUME = (
    'name', 'start', 'distillation', 'augmentation', 'workers', 'optimization.epochs',
    'optimization.minutes', 'optimization.learning_rate', 'optimization.schedule',
    'optimization.warmup_epochs', 'optimization.cooldown', 'optimization.plateau_patience',
    'optimization.early_stopping', 'optimization.label_smoothing',
)  # fmt: skip
"""Settings that a run may change on its way; the others give its weights their meaning."""


def from_mapping(content: Any) -> RunConfig:
    """Return the configuration that a mapping (a parsed YAML file) describes.

    Raises:
        ConfigError: unknown names, wrong types, values out of range.
    """
    return settings.from_mapping(RunConfig, content)


def load(path: Path) -> RunConfig:
    """Read a run's YAML; the paths of data sets and other runs are taken from its folder.

    Raises:
        ConfigError: it cannot be read, or see ``from_mapping``.
    """
    base = path.resolve().parent

    def absolute(name: str) -> str:
        known = name in ('', SHIPPED)
        return name if known else str((base / Path(name).expanduser()).resolve())

    return with_places(from_mapping(settings.read_yaml(path)), absolute)


def without_places(config: RunConfig) -> RunConfig:
    """Return the configuration without the folders of the machine that it was made for."""
    return with_places(config, lambda name: Path(name).name)


def with_places(config: RunConfig, change: Callable[[str], str]) -> RunConfig:
    """Return the configuration with every path of a data set, a run or a model changed."""
    sets = tuple(
        dataclasses.replace(item, path=change(item.path), votes=change(item.votes))
        for item in config.sets
    )
    opinion = config.second_opinion
    return dataclasses.replace(
        config,
        sets=sets,
        start=change(config.start),
        teachers=tuple(map(change, config.teachers)),
        second_opinion=dataclasses.replace(opinion, model=change(opinion.model)),
    )


def from_card(card: EmotionModelCard) -> RunConfig:
    """Return the configuration that a model's card keeps.

    Raises:
        ModelError: it keeps none.
    """
    try:
        # JSON knows no numbers as keys.
        recipe: Any = json.loads(json.dumps(card.about.get('recipe')))
        steps = recipe['optimization']['size_steps']
        recipe['optimization']['size_steps'] = {int(k): v for k, v in steps.items()}
        # The network may be read with another normalization than it was trained with.
        recipe['model']['normalization'] = card.normalization
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)  # names of the version it was made by
            return from_mapping(recipe)
    except (TypeError, KeyError, ValueError) as error:
        raise ModelError(
            f'model {card.id} has no recipe, so its network cannot be rebuilt: {error!r}'
        ) from error
