# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's weights to files: ``python -m training.emotion.export RUN --output models/emotion``.

Writes LiteRT, ONNX and Keras files with one card beside them, after checking on real faces that
each says what the Keras model says. Needs KERAS_BACKEND=tensorflow.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from fer_ros.data.face_set import NO_LABEL, FaceSet
from fer_ros.errors import ConfigError, DataError, FerError, ModelError
from fer_ros.models.card import EmotionModelCard, OutputHead, file_sha256
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.recognition.classifier import softmax
from fer_ros.types import Float32Array, Int64Array
from training.emotion.batches import head_targets, model_input
from training.emotion.calibrate import fit_class_biases, fit_temperature, fit_unknown_threshold
from training.emotion.config import HeadConfig, RunConfig
from training.emotion.data import load_sets
from training.emotion.losses import class_shares
from training.emotion.runs import load_run
from training.emotion.soup import MEAN_OF

LITERT_PRECISIONS = ('float32', 'float16', 'int8', 'int8_weights')
AGREEMENT_FACES = 1000
MIN_AGREEMENT = {'float32': 0.999, 'float16': 0.995, 'int8': 0.9, 'int8_weights': 0.97}
"""Least share of faces with the same label as the Keras model."""

Predictor = Callable[[Float32Array], Float32Array]


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


def predict(model: Predictor, inputs: Float32Array, batch_size: int = 100) -> Float32Array:
    """Return the logits of all *inputs*, batch by batch."""
    starts = range(0, len(inputs), batch_size)
    return np.concatenate([model(inputs[start : start + batch_size]) for start in starts])


def keras_predictor(model: keras.Model) -> Predictor:
    """Return a function from inputs to logits."""
    return lambda inputs: np.asarray(
        keras.ops.convert_to_numpy(model(inputs, training=False)), np.float32
    )


def litert_predictor(path: Path) -> Predictor:
    """Return a function from inputs to logits that runs a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    source = interpreter.get_input_details()[0]['index']
    result = interpreter.get_output_details()[0]['index']

    def run(inputs: Float32Array) -> Float32Array:
        interpreter.resize_tensor_input(source, inputs.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, inputs)
        interpreter.invoke()
        logits: Float32Array = interpreter.get_tensor(result).copy()
        return logits

    return run


def onnx_predictor(path: Path) -> Predictor:
    """Return a function from inputs to logits that runs an ONNX file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda inputs: session.run(None, {name: inputs})[0]


def compare(reference: Float32Array, logits: Float32Array, config: RunConfig) -> Agreement:
    """Return how alike two sets of logits (N, columns) are, head by head."""
    same, differences = [], []
    for _, columns in config.head_columns():
        first, second = softmax(reference[:, columns], 1.0), softmax(logits[:, columns], 1.0)
        same.append(first.argmax(axis=1) == second.argmax(axis=1))
        differences.append(np.abs(first - second))
    all_differences = np.concatenate(differences, axis=1)
    return Agreement(
        faces=len(reference),
        same_label=float(np.mean(same)),
        max_difference=float(all_differences.max()),
        mean_difference=float(all_differences.mean()),
    )


def write_litert(
    model: keras.Model, path: Path, precision: str, representative: Float32Array
) -> None:
    """Write a LiteRT file.

    Args:
        model: under the TensorFlow backend.
        path: of the file.
        precision: 'float32'; 'float16' halves the file; 'int8_weights' quarters it and computes
            with 8-bit weights and activations scaled as they come; 'int8' fixes the scales of
            activations from *representative*.
        representative: float32 (N, S, S, C) inputs, only for 'int8'.
    """
    import tensorflow as tf

    if precision not in LITERT_PRECISIONS:
        raise ConfigError(
            f'precision: expected one of {", ".join(LITERT_PRECISIONS)}, got {precision!r}'
        )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != 'float32':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == 'float16':
        converter.target_spec.supported_types = [tf.float16]
    if precision == 'int8':
        converter.representative_dataset = lambda: ([face[None]] for face in representative)
    path.write_bytes(converter.convert())


def labelled_heads(
    faces: FaceSet, config: RunConfig
) -> Iterator[tuple[HeadConfig, slice, Int64Array, Int64Array]]:
    """Yield each head, its columns, the rows of faces that have its kind of label, their classes.

    Raises:
        DataError: no face has a label of a head.
    """
    for head, columns in config.head_columns():
        truth = faces.truth(head.kind, head.classes)
        rows = np.flatnonzero(truth != NO_LABEL)
        if not len(rows):
            raise DataError(f'{faces.name}: no face to calibrate head {head.name!r} with')
        yield head, columns, rows, truth[rows]


def class_biases(logits: Float32Array, faces: FaceSet, config: RunConfig) -> Float32Array:
    """Return float32 (sum of C,): what to add to the logits, see ``fit_class_biases``."""
    biases = np.zeros(logits.shape[1], np.float32)
    for _, columns, rows, truth in labelled_heads(faces, config):
        biases[columns] = fit_class_biases(logits[rows, columns], truth)
    return biases


def rare_class_biases(
    targets: Float32Array, config: RunConfig, strengths: Mapping[str, float]
) -> Float32Array:
    """Return float32 (sum of C,): what to add to the logits to favour the rare classes of training.

    Subtracting ``strength * log(share)`` moves answers from frequent to rare classes
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
            raise ConfigError(f'favour: no head is called {name!r}; there are: {", ".join(names)}')
    biases = np.zeros(targets.shape[1], np.float32)
    for head, columns in config.head_columns():
        shares = np.maximum(class_shares(targets[:, columns]), 1e-6)
        biases[columns] = -strengths.get(head.name, 0.0) * np.log(shares)
    return biases


def calibrated_heads(
    logits: Float32Array, faces: FaceSet, config: RunConfig
) -> tuple[OutputHead, ...]:
    """Return the card's heads with temperature and threshold fitted on *faces*.

    Raises:
        DataError: no face has a label of a head.
    """
    heads = []
    for head, columns, rows, truth in labelled_heads(faces, config):
        temperature = fit_temperature(logits[rows, columns], truth)
        threshold = fit_unknown_threshold(softmax(logits[rows, columns], temperature), truth)
        heads.append(OutputHead(head.name, head.classes, temperature, threshold))
    return tuple(heads)


def export_run(
    run: Path,
    output: Path,
    backends: Sequence[str] = ('litert', 'onnx', 'keras'),
    precision: str = 'int8_weights',
    model_id: str = '',
    mirror: bool = False,
    favour: Mapping[str, float] | None = None,
) -> dict[str, Agreement]:
    """Export a run's best weights, checked, with a calibrated card.

    Args:
        run: folder of the run.
        output: path without suffix, e.g. models/emotion: .json, .tflite, … are added.
        backends: which files to write.
        precision: of the LiteRT file.
        model_id: for the card; the run's name by default.
        mirror: whether the runtime is to average each face with its mirror image.
        favour: {head: strength}, see rare_class_biases.

    Returns:
        the agreement of each file with the Keras model.

    Raises:
        ConfigError: not under TensorFlow, or not a run.
        DataError: a head has no face to calibrate with.
        ModelError: a file disagrees with the Keras model by more than MIN_AGREEMENT allows.
    """
    if keras.backend.backend() != 'tensorflow':
        raise ConfigError('export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow')
    config, model = load_run(run)
    loaded = load_sets(config)
    faces = loaded.validation[0]
    inputs = model_input(faces.images, config.model.normalization, config.model.channels)
    reference = predict(keras_predictor(model), inputs)
    both = reference
    if mirror:
        both = (reference + predict(keras_predictor(model), inputs[:, :, ::-1])) / 2
    biases = class_biases(both, faces, config)
    biases += rare_class_biases(head_targets(loaded.training, config), config, favour or {})
    model.get_layer('logits').bias.assign_add(biases)
    reference, both = reference + biases, both + biases
    heads = calibrated_heads(both, faces, config)
    output.parent.mkdir(parents=True, exist_ok=True)
    seen = loaded.training.images[:: max(1, len(loaded.training) // 200)]
    representative = model_input(seen, config.model.normalization, config.model.channels)
    files: dict[str, str] = {}
    agreements: dict[str, Agreement] = {}
    some = slice(0, AGREEMENT_FACES)
    for backend in backends:
        path, predictor = _write(model, backend, output, precision, representative)
        agreement = compare(reference[some], predict(predictor, inputs[some]), config)
        need = MIN_AGREEMENT[precision if backend == 'litert' else 'float32']
        if agreement.same_label < need:
            raise ModelError(
                f'{path.name} gives the label of the Keras model for only '
                f'{agreement.same_label:.1%} of {agreement.faces} faces (at least {need:.1%})'
            )
        files[backend] = path.name
        agreements[backend] = agreement
    about = _about(config, model, precision, agreements, loaded.counts, biases)
    if favour:
        about['favoured_rare_classes'] = dict(favour)
    if (run / MEAN_OF).exists():
        about['mean_of'] = json.loads((run / MEAN_OF).read_text(encoding='utf-8'))
    scale = config.model.size_px / 48
    EmotionModelCard(
        id=model_id or config.name,
        files=files,
        sha256={name: file_sha256(output.parent / name) for name in files.values()},
        size_px=config.model.size_px,
        channels=config.model.channels,
        outputs='logits',
        normalization=config.model.normalization,
        template_px=tuple((x * scale, y * scale) for x, y in FER2013_TEMPLATE_48PX),
        heads=heads,
        default_head=config.heads[0].name,
        mirror=mirror,
        about=about,
    ).write(output.with_suffix('.json'))
    return agreements


def _write(
    model: keras.Model, backend: str, output: Path, precision: str, representative: Float32Array
) -> tuple[Path, Predictor]:
    """Write one file beside *output*; return its path and a function that runs it."""
    if backend == 'litert':
        path = output.with_suffix('.tflite')
        write_litert(model, path, precision, representative)
        return path, litert_predictor(path)
    if backend == 'onnx':
        path = output.with_suffix('.onnx')
        model.export(str(path), format='onnx', verbose=False)
        return path, onnx_predictor(path)
    if backend == 'keras':
        path = output.with_suffix('.keras')
        model.save(path)
        return path, keras_predictor(keras.saving.load_model(path, compile=False, safe_mode=True))
    raise ConfigError(f'backend: expected litert, onnx or keras, got {backend!r}')


def _about(
    config: RunConfig,
    model: keras.Model,
    precision: str,
    agreements: dict[str, Agreement],
    counts: dict[str, object],
    biases: Float32Array,
) -> dict[str, object]:
    """Return what the card tells people."""
    recipe = asdict(config)
    # Where files lay on the machine of the training is nobody's business.
    for item in recipe['sets']:
        item['path'] = Path(item['path']).name
    recipe['start'] = Path(config.start).name
    recipe['teachers'] = [Path(name).name for name in config.teachers]
    return {
        'parameters': model.count_params(),
        'litert_precision': precision,
        'agreement_with_keras': {name: asdict(item) for name, item in agreements.items()},
        'calibrated_on': 'the public_test split',
        'class_biases': {
            head.name: [round(float(bias), 4) for bias in biases[columns]]
            for head, columns in config.head_columns()
        },
        'data': counts,
        'recipe': json.loads(json.dumps(recipe)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training.emotion.export', description=__doc__)
    parser.add_argument('run', type=Path, help='folder of the run')
    parser.add_argument('--output', type=Path, required=True, help='path without suffix')
    parser.add_argument('--backends', nargs='+', default=['litert', 'onnx', 'keras'])
    parser.add_argument('--precision', choices=LITERT_PRECISIONS, default='int8_weights')
    parser.add_argument('--id', default='', help='name and version for the card')
    parser.add_argument('--mirror', action='store_true', help='average with the mirror image')
    parser.add_argument(
        '--favour',
        nargs=2,
        action='append',
        default=[],
        metavar=('HEAD', 'STRENGTH'),
        help='move answers of a head towards rare classes; strength from 0 to 1',
    )
    options = parser.parse_args(arguments)
    try:
        agreements = export_run(
            options.run,
            options.output,
            options.backends,
            options.precision,
            options.id,
            options.mirror,
            {head: float(strength) for head, strength in options.favour},
        )
    except FerError as error:
        print(f'export: {error}', file=sys.stderr)
        return 1
    for name, agreement in agreements.items():
        print(name, json.dumps(asdict(agreement)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
