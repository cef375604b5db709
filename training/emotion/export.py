# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's weights to what robots run: LiteRT, ONNX and Keras files with one card beside them.

Every file is run on real faces first and has to give what the Keras model gives. Needs
KERAS_BACKEND=tensorflow.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_ros.data.face_set import NO_LABEL, FaceSet
from fer_ros.errors import ConfigError, DataError, ModelError
from fer_ros.models.card import EmotionModelCard, OutputHead
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.models.publish import publish
from fer_ros.recognition.classifier import softmax
from fer_ros.types import Float32Array, Int64Array
from training.commands import command, option
from training.emotion.batches import class_shares, head_targets, network_input, predict_faces
from training.emotion.calibrate import calibrated, fit_class_biases
from training.emotion.config import HeadConfig, RunConfig, without_places
from training.emotion.data import LoadedSets, load_sets
from training.emotion.runs import load_run
from training.emotion.soup import MEAN_OF
from training.engine.export import (
    LITERT_PRECISIONS,
    as_litert,
    file_predictor,
    keras_predictor,
    need_tensorflow,
    predict,
)

BACKENDS = ('litert', 'onnx', 'keras')
AGREEMENT_FACES = 1000
CALIBRATION_FACES = 40
"""With fewer validation faces the shipped model's temperature and threshold are kept."""
MIN_AGREEMENT = {'float32': 0.999, 'float16': 0.995, 'int8': 0.9, 'int8_weights': 0.97}
"""Least share of faces with the same label as the Keras model."""
MIN_DEVIATION = 1e-4
"""Logits that differ less from face to face say nothing."""


@dataclass(frozen=True)
class Agreement:
    """How alike an exported file and the Keras model are.

    Attributes:
        faces: number compared.
        same_label: share of (face, head) pairs with the same first label.
        max_difference: largest difference of a probability.
        mean_difference: mean absolute difference of the probabilities.
    """

    faces: int
    same_label: float
    max_difference: float
    mean_difference: float


def compare(reference: Float32Array, logits: Float32Array, config: RunConfig) -> Agreement:
    """Return how alike two sets of logits (N, columns) are, head by head."""
    same, parts = [], []
    for _, columns in config.head_columns():
        first, second = softmax(reference[:, columns], 1.0), softmax(logits[:, columns], 1.0)
        same.append(first.argmax(axis=1) == second.argmax(axis=1))
        parts.append(np.abs(first - second))
    differences = np.concatenate(parts, axis=1)
    return Agreement(
        len(reference), float(np.mean(same)), float(differences.max()), float(differences.mean())
    )


def labelled_heads(
    faces: FaceSet, config: RunConfig
) -> Iterator[tuple[HeadConfig, slice, Int64Array, Int64Array]]:
    """Yield each head, its columns, the rows of faces that have its kind of label, their classes.

    Raises:
        DataError: no face has a label of a head.
    """
    for head, columns in config.head_columns():
        targets = faces.class_targets(head.kind, head.classes)
        rows = np.flatnonzero(targets != NO_LABEL)
        if not len(rows):
            raise DataError(f'{faces.name}: no face to calibrate head {head.name!r} with')
        yield head, columns, rows, targets[rows]


def class_biases(logits: Float32Array, faces: FaceSet, config: RunConfig) -> Float32Array:
    """Return float32 (sum of C,): what to add to the logits, see ``fit_class_biases``."""
    biases = np.zeros(logits.shape[1], np.float32)
    for _, columns, rows, targets in labelled_heads(faces, config):
        if len(rows) >= CALIBRATION_FACES:
            biases[columns] = fit_class_biases(logits[rows, columns], targets)
    return biases


def rare_class_biases(
    targets: Float32Array, config: RunConfig, strengths: Mapping[str, float]
) -> Float32Array:
    """Return float32 (sum of C,): what to add to the logits to prefer the rare classes of training.

    Subtracting ``strength * log(share)`` moves predictions from frequent to rare classes
    (arXiv 2007.07314, applied after training): balanced accuracy rises, accuracy falls a little.

    Args:
        targets: float32 (N, sum of C) of the training faces.
        config: of the run.
        strengths: {head: strength}; 0 for none, 1 for evenly frequent classes.

    Raises:
        ConfigError: there is no such head.
    """
    names = [head.name for head in config.heads]
    for name in strengths:
        if name not in names:
            raise ConfigError(
                f'logit adjustment: no head is called {name!r}; there are: {", ".join(names)}'
            )
    biases = np.zeros(targets.shape[1], np.float32)
    for head, columns in config.head_columns():
        shares = np.maximum(class_shares(targets[:, columns]), 1e-6)
        biases[columns] = -strengths.get(head.name, 0.0) * np.log(shares)
    return biases


def calibrated_heads(
    logits: Float32Array, faces: FaceSet, config: RunConfig
) -> tuple[OutputHead, ...]:
    """Return the card's heads with temperature and threshold fitted on *faces*.

    Heads with few faces keep the shipped model's, which is printed.

    Raises:
        DataError: no face has a label of a head.
    """
    heads, shipped = [], EmotionModelCard.load()
    for head, columns, rows, targets in labelled_heads(faces, config):
        plain = OutputHead(head.name, head.classes)
        if len(rows) >= CALIBRATION_FACES:
            heads.append(calibrated(plain, logits[rows, columns], targets))
            continue
        names = [one.name for one in shipped.heads]
        known, _ = shipped.head(head.name if head.name in names else '')
        print(
            f'note: {len(rows)} validation faces are too few to calibrate head {head.name} with: '
            "it keeps the shipped model's temperature and threshold for unknown"
        )
        plain = dataclasses.replace(
            plain, temperature=known.temperature, unknown_threshold=known.unknown_threshold
        )
        heads.append(plain)
    return tuple(heads)


def check_logits(logits: Float32Array, config: RunConfig) -> None:
    """Raise ModelError for logits (N, columns) that are not finite or the same for every face."""
    if not np.isfinite(logits).all():
        raise ModelError('the model gives logits that are not finite: its training went wrong')
    for head, columns in config.head_columns():
        if len(logits) > 1 and logits[:, columns].std(axis=0).max() < MIN_DEVIATION:
            raise ModelError(
                f'the model gives the same logits of head {head.name} for every face: its training '
                'went wrong'
            )
        named = np.unique(logits[:, columns].argmax(axis=1))
        if len(logits) >= len(head.classes) * 2 and len(named) == 1:
            print(f'note: head {head.name} says {head.classes[named[0]]} for every validation face')


def export_run(
    run: Path,
    output: Path,
    backends: Sequence[str] = BACKENDS,
    precision: str = 'int8_weights',
    model_id: str = '',
    flip: bool = False,
    adjustment: Mapping[str, float] | None = None,
) -> dict[str, Agreement]:
    """Export a run's best weights, checked, with a calibrated card.

    A model that is there already is replaced once everything is written and right.

    Args:
        run: folder of the run.
        output: path without suffix, e.g. models/emotion: .json, .tflite, … are added.
        backends: which files to write.
        precision: of the LiteRT file.
        model_id: for the card; the run's name by default.
        flip: whether the runtime is to average each face with its mirror image.
        adjustment: {head: strength} of logit adjustment, see rare_class_biases.

    Returns:
        the agreement of each file with the Keras model.

    Raises:
        ConfigError: not under TensorFlow, or not a run.
        DataError: a head has no face to calibrate with.
        ModelError: the logits say nothing, or a file disagrees with the Keras model by more than
            MIN_AGREEMENT allows.
    """
    need_tensorflow()
    for backend in backends:
        if backend not in BACKENDS:
            raise ConfigError(f'backend: expected {", ".join(BACKENDS)}, got {backend!r}')
    config, model = load_run(run)
    loaded = load_sets(config)
    faces = loaded.validation[0]
    predictor = keras_predictor(model)
    logits = predict_faces(predictor, faces.images, config.model)
    check_logits(logits, config)
    if flip:
        flipped = predict_faces(predictor, faces.images[:, :, ::-1], config.model)
        logits = (logits + flipped) / np.float32(2)
    biases = class_biases(logits, faces, config)
    biases += rare_class_biases(head_targets(loaded.training, config), config, adjustment or {})
    model.get_layer('logits').bias.assign_add(biases)
    about: dict[str, Any] = {
        'parameters': model.count_params(),
        'litert_precision': precision,
        'calibrated_on': f'{len(faces)} faces of the validation set',
        'class_biases': {
            head.name: [round(float(bias), 4) for bias in biases[columns]]
            for head, columns in config.head_columns()
        },
        'data': loaded.data,
        'recipe': json.loads(json.dumps(asdict(without_places(config)))),
    }
    if adjustment:
        about['logit_adjustment'] = dict(adjustment)
    if (run / MEAN_OF).exists():
        about['mean_of'] = json.loads((run / MEAN_OF).read_text(encoding='utf-8'))
    heads = calibrated_heads(logits + biases, faces, config)
    card = dataclasses.replace(_card(config, heads), mirror=flip, about=about)
    card = dataclasses.replace(card, id=model_id) if model_id else card
    return _publish(card, model, config, loaded, output, backends, precision)


def _card(config: RunConfig, heads: tuple[OutputHead, ...]) -> EmotionModelCard:
    """Return the card of a run's network, without files."""
    model, scale = config.model, config.model.size_px / 48
    return EmotionModelCard(
        id=config.name,
        files={},
        sha256={},
        size_px=model.size_px,
        channels=model.channels,
        colour='grey',
        outputs='logits',
        normalization=model.normalization,
        template_px=tuple((x * scale, y * scale) for x, y in FER2013_TEMPLATE_48PX),
        heads=heads,
        default_head=config.heads[0].name,
    )


def _publish(
    card: EmotionModelCard,
    model: keras.Model,
    config: RunConfig,
    loaded: LoadedSets,
    output: Path,
    backends: Sequence[str],
    precision: str,
) -> dict[str, Agreement]:
    """Write the files and the card, each file checked against the Keras model."""
    every = max(1, len(loaded.training) // 200)
    representative = network_input(loaded.training.images[::every], config.model)
    images = np.concatenate([loaded.validation[0].images, loaded.training.images])
    some = network_input(images[:AGREEMENT_FACES], config.model)
    agreements: dict[str, Agreement] = {}

    def check(made: EmotionModelCard) -> EmotionModelCard:
        expected = predict(keras_predictor(model), some)
        for backend in backends:
            path = made.weights_path(backend)
            agreement = compare(expected, predict(file_predictor(backend, path), some), config)
            need = MIN_AGREEMENT[precision if backend == 'litert' else 'float32']
            if agreement.same_label < need:
                raise ModelError(
                    f'{path.name} gives the label of the Keras model for only '
                    f'{agreement.same_label:.1%} of {agreement.faces} faces (at least {need:.1%})'
                )
            agreements[backend] = agreement
        said = {name: asdict(item) for name, item in agreements.items()}
        return dataclasses.replace(made, about={**made.about, 'agreement_with_keras': said})

    writers = {
        backend: functools.partial(_write, model, backend, precision, representative)
        for backend in backends
    }
    publish(card, writers, output, check)
    return agreements


def _write(
    model: keras.Model, backend: str, precision: str, representative: Float32Array, path: Path
) -> None:
    """Write the model for a backend to *path*; ConfigError where that cannot be done here."""
    if backend == 'litert':
        path.write_bytes(as_litert(model, precision, representative))
    elif backend == 'keras':
        model.save(path)
    else:
        try:
            model.export(str(path), format='onnx', verbose=False)
        except ImportError as error:
            raise ConfigError(
                'ONNX files need tf2onnx (requirements/train.txt), or choose other --backends: '
                f'{error}'
            ) from error


@command(
    option('run', type=Path, help='folder of the run'),
    option('--output', type=Path, required=True, help='path without suffix'),
    option('--backends', nargs='+', default=BACKENDS),
    option('--precision', choices=LITERT_PRECISIONS, default='int8_weights'),
    option('--id', dest='model_id', default='', help='name and version for the card'),
    option(
        '--flip', '--mirror', action='store_true', help='average with the mirror image (flip TTA)'
    ),
    option(
        '--logit-adjustment',
        '--favour',
        nargs=2,
        action='append',
        default=[],
        metavar=('HEAD', 'STRENGTH'),
        help='move predictions of a head towards rare classes; strength from 0 to 1',
    ),
)
def export(logit_adjustment: list[tuple[str, str]], **chosen: Any) -> None:
    """Export a run's best weights to LiteRT, ONNX and Keras files with one card beside them."""
    adjustment = {head: float(strength) for head, strength in logit_adjustment}
    for name, agreement in export_run(**chosen, adjustment=adjustment).items():
        print(name, json.dumps(asdict(agreement)))
