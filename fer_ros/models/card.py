# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sidecar that states everything about the weights; what disagrees with them is an error.

A card is a JSON file beside its weights. Runtime fields are checked here; everything under
``about`` (data, recipe, metrics with the commands that print them, limits, intended use) is for
people and is kept as it is.

``about.metrics`` holds one measurement a name ('ferplus_private_test'), as
training.emotion.card_page puts it there from what ``fer evaluate dataset`` writes: accuracy,
balanced_accuracy, expected_calibration_error, count, labels, confusion_matrix (a list a true class,
in the order of labels), per_class ({label: precision, recall, f1, support}), perhaps robustness
({condition: what, accuracy, balanced_accuracy, lost}), at_unknown_threshold,
without_faces_seen_in_training and where_most_votes_agree, and the command that prints it. The
dashboard's model view draws what is there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fer_ros.errors import MAX_TEXT, ModelError, named_path, shorten
from fer_ros.labels import UNKNOWN
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX, InputFormat, input_fields

if TYPE_CHECKING:
    from typing_extensions import Self

MODELS_DIR = Path(__file__).parent
OUTPUTS = ('logits', 'probabilities')
MAX_LABEL_LENGTH = 40
SCHEMA = 1
WEIGHT_SUFFIXES = ('.tflite', '.onnx', '.keras', '.h5')
MAX_CARD_BYTES = 1_000_000


@dataclass(frozen=True)
class OutputHead:
    """One set of class scores among the model's output columns.

    Attributes:
        name: 'ferplus', 'fer2013' or the user's own.
        labels: class names, in column order; any words.
        temperature: the logits are divided by this before the softmax.
        unknown_threshold: below this confidence the label is 'unknown'.
    """

    name: str
    labels: tuple[str, ...]
    temperature: float = 1.0
    unknown_threshold: float = 0.0

    def __post_init__(self) -> None:
        """Check that labels can be told apart and numbers make sense."""
        try:
            check_labels(self.labels)
        except ValueError as error:
            raise ModelError(f'output {self.name!r}: {error}') from error
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ModelError(
                f'output {self.name!r}: temperature must be > 0, got {self.temperature}'
            )
        if not 0 <= self.unknown_threshold <= 1:
            raise ModelError(
                f'output {self.name!r}: unknown_threshold must be 0 to 1, '
                f'got {self.unknown_threshold}'
            )


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What every model says of itself, and where its weights lie.

    Attributes:
        id: name and version, published with every message.
        files: backend name to file name beside the card.
        sha256: file name to hex digest.
        about: for people; see the module's text.
        folder: where the card lies.
    """

    kind: ClassVar[str]
    default: ClassVar[str]
    """Name of the shipped model."""

    id: str
    files: dict[str, str]
    sha256: dict[str, str]
    about: dict[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if len(self.id) > MAX_TEXT:
            raise ModelError(f'model {shorten(self.id)}: id is longer than {MAX_TEXT} characters')
        for name in self.files.values():
            if Path(name).name != name:
                raise ModelError(f'model {self.id}: {name!r} must be a plain file name')

    @classmethod
    def load(cls, model: str = 'default') -> Self:
        """Read a card.

        Args:
            model: 'default', the name of a shipped model, or the path of a card.

        Raises:
            ModelError: it cannot be read, or contradicts itself.
        """
        path = cls.find(model)
        content = read_card_json(path, cls.kind)
        try:
            return cls(
                id=str(content['id']),
                files={str(k): str(v) for k, v in content['files'].items()},
                sha256={str(k): str(v) for k, v in content['sha256'].items()},
                about=dict(content.get('about', {})),
                folder=path.parent,
                **cls._fields(content),
            )
        except KeyError as error:
            raise ModelError(f'model card {path}: {error} is missing') from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ModelError(f'model card {path}: {error}') from error

    @classmethod
    def find(cls, model: str) -> Path:
        """Return the path of a card: *model* is a path, the name of a shipped model or 'default'.

        Raises:
            ModelError: no shipped model has that name.
        """
        if model.endswith('.json'):
            return named_path(model, ModelError)
        if model.endswith(WEIGHT_SUFFIXES):
            raise ModelError(
                f'{shorten(model)} holds weights only; give the path of its card, a .json file '
                'that says what goes in and comes out (docs/train_on_your_own_faces.md)'
            )
        shipped = {path.stem: path for path in sorted(MODELS_DIR.glob(f'{cls.default}*.json'))}
        name = cls.default if model == 'default' else model
        if name not in shipped:
            raise ModelError(
                f'no shipped model is called {shorten(model)!r}; there are: {", ".join(shipped)}'
            )
        return shipped[name]

    @classmethod
    def _fields(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that only this kind has, out of a card's content."""
        raise NotImplementedError

    def weights_path(self, backend: str, verify: bool = True) -> Path:
        """Return the weights for *backend*, checked against their sha256.

        Raises:
            ModelError: the card lists none, the file is missing, or its digest differs.
        """
        if backend not in self.files:
            raise ModelError(
                f'model {self.id} has no weights for {backend}, only for '
                f'{", ".join(self.files) or "nothing"}: choose another backend or model '
                '(docs/choose_detector_model_backend.md)'
            )
        path = named_path(f'{self.folder}/{self.files[backend]}', ModelError)
        if not path.is_file():
            raise ModelError(f'model {self.id}: weights {path} are missing')
        if verify:
            digest = file_sha256(path)
            if digest != self.sha256.get(path.name):
                raise ModelError(
                    f'model {self.id}: {path} is damaged or not the file its card names '
                    f'(sha256 {digest[:12]}…, card {str(self.sha256.get(path.name))[:12]}…)'
                )
        return path

    def write(self, path: Path) -> None:
        """Write the card as JSON to *path*."""
        content = dataclasses.asdict(self)
        del content['folder']
        about = content.pop('about')
        path.write_text(
            json.dumps({'schema': SCHEMA, 'kind': self.kind, **content, 'about': about}, indent=2)
            + '\n',
            encoding='utf-8',
        )


@dataclass(frozen=True, kw_only=True)
class EmotionModelCard(InputFormat, ModelCard):
    """What the runtime must know about an emotion model.

    The model takes float32 (N, *input_shape), as fer_ros.recognition.preprocessing.model_input
    makes it, and gives one float32 (N, sum of C) array: the heads side by side, in card order.

    Attributes (besides those of InputFormat):
        template_px: five (x, y) landmarks in crop pixels that faces are aligned to.
        heads: the output heads, in column order.
        default_head: name of the head used for live faces.
        outputs: 'logits', 'probabilities' (softmax is part of the model), or '' to find out from
            what the model gives.
        mirror: average each face with its mirror image (twice the cost).
    """

    kind = 'emotion'
    default = 'emotion'

    template_px: tuple[tuple[float, float], ...]
    heads: tuple[OutputHead, ...]
    default_head: str
    outputs: str = ''
    mirror: bool = False

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        super().__post_init__()
        if wrong := self.contradiction():
            raise ModelError(f'model {self.id}: {wrong}')
        if len(self.template_px) != 5 or any(len(point) != 2 for point in self.template_px):
            raise ModelError(f'model {self.id}: template_px must hold five (x, y) points')
        names = [head.name for head in self.heads]
        if self.default_head not in names or len(set(names)) != len(names):
            raise ModelError(
                f'model {self.id}: default_head {self.default_head!r} must be one of its '
                f'heads, each named once: {names}'
            )
        if self.outputs and self.outputs not in OUTPUTS:
            raise ModelError(
                f'model {self.id}: outputs must be {" or ".join(OUTPUTS)}, got {self.outputs!r}'
            )

    @classmethod
    def _fields(cls, content: dict[str, Any]) -> dict[str, Any]:
        heads = tuple(
            OutputHead(
                name=str(head['name']),
                labels=tuple(str(label) for label in head['labels']),
                temperature=float(head.get('temperature', 1.0)),
                unknown_threshold=float(head.get('unknown_threshold', 0.0)),
            )
            for head in content['heads']
        )
        if not heads:
            raise ValueError('heads: expected at least one')
        scale = int(content['size_px']) / 48
        template = content.get('template_px') or [
            (x * scale, y * scale) for x, y in FER2013_TEMPLATE_48PX
        ]
        return {
            **input_fields(content),
            'template_px': tuple((float(x), float(y)) for x, y in template),
            'heads': heads,
            'default_head': str(content.get('default_head', heads[0].name)),
            'outputs': str(content.get('outputs', '')),
            'mirror': bool(content.get('mirror', False)),
        }

    @property
    def columns(self) -> int:
        """Return the width of the model's output."""
        return sum(len(head.labels) for head in self.heads)

    def head(self, name: str = '') -> tuple[OutputHead, slice]:
        """Return the head called *name* (the default one if empty) and its columns.

        Raises:
            ValueError: there is no such head.
        """
        start = 0
        for head in self.heads:
            stop = start + len(head.labels)
            if head.name == (name or self.default_head):
                return head, slice(start, stop)
            start = stop
        raise ValueError(f'model {self.id} has no output {name!r}')


@dataclass(frozen=True, kw_only=True)
class DetectorCard(ModelCard):
    """What the runtime must know about a detector's weights.

    Attributes:
        least_face_px: height of the smallest face the network finds reliably in its own input.
        score_slope: the logit is multiplied by this
        score_offset: and this is added before the sigmoid, so that a score of 0.6 is a good
            threshold.
    """

    kind = 'detector'
    default = 'detector'

    least_face_px: float
    score_slope: float = 1.0
    score_offset: float = 0.0

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        super().__post_init__()
        numbers = (self.least_face_px, self.score_slope, self.score_offset)
        if not all(map(math.isfinite, numbers)) or self.least_face_px < 4 or self.score_slope <= 0:
            raise ModelError(
                f'model {self.id}: expected least_face_px >= 4, score_slope > 0 and finite '
                f'numbers, got {numbers}'
            )

    @classmethod
    def _fields(cls, content: dict[str, Any]) -> dict[str, Any]:
        return {
            name: float(content[name]) for name in ('least_face_px', 'score_slope', 'score_offset')
        }


def check_labels(labels: Sequence[str]) -> None:
    """Raise ValueError unless *labels* are at least two different words that can be shown."""
    odd = [
        label
        for label in labels
        if not (label.strip() == label and label.isprintable() and len(label) > 0)
        or len(label) > MAX_LABEL_LENGTH
        or label == UNKNOWN
    ]
    if odd or len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(
            f'expected at least two different class names of 1 to {MAX_LABEL_LENGTH} characters, '
            f"none of them '{UNKNOWN}'; got {', '.join(map(repr, labels))}"
        )


def file_sha256(path: Path) -> str:
    """Return the hex sha256 of a file."""
    digest = hashlib.sha256()
    with path.open('rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def read_card_json(path: Path, kind: str) -> dict[str, Any]:
    """Return the content of a card of *kind* ('emotion' or 'detector').

    Raises:
        ModelError: not there, not JSON, too large, or of another schema or kind.
    """
    if not path.is_file():
        raise ModelError(f'model card {path} does not exist')
    if path.stat().st_size > MAX_CARD_BYTES:
        raise ModelError(f'model card {path} is larger than {MAX_CARD_BYTES} bytes')
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        json.dumps(content, ensure_ascii=False).encode()  # JSON may spell half a character.
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f'model card {path} is not JSON: {error}') from error
    if not isinstance(content, dict) or content.get('kind') != kind:
        raise ModelError(f'model card {path}: expected an object of kind {kind!r}')
    if content.get('schema') != SCHEMA:
        raise ModelError(
            f'model card {path}: schema {content.get("schema")!r}, this version reads {SCHEMA}'
        )
    return content
