# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0

"""A run exported: the same results from every file, and a card that tells the truth."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
pytest.importorskip('keras', reason='Keras is not installed (requirements/train.txt)')
pytest.importorskip('tensorflow', reason='TensorFlow is not installed (requirements/train.txt)')

from fer_ros.config import ClassificationConfig
from fer_ros.data.datasets import read_csv
from fer_ros.errors import ConfigError, DataError, ModelError
from fer_ros.evaluation.dataset import evaluate_faces
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.publish import publish
from fer_ros.recognition.classifier import make_classifier
from training.emotion.batches import network_input
from training.emotion.calibrate import fit_class_biases, fit_temperature
from training.emotion.config import HeadConfig, RunConfig
from training.emotion.export import (
    MIN_AGREEMENT,
    calibrated_heads,
    check_logits,
    class_biases,
    export_run,
    rare_class_biases,
)
from training.emotion.runs import load_run
from training.emotion.search import with_values
from training.engine import settings


@pytest.fixture(scope='module')
def exported(run: Path, folder: Path) -> Path:
    agreements = export_run(run, folder / 'out' / 'tiny', precision='float32', model_id='tiny 1')
    assert {name: item.same_label for name, item in agreements.items()} == {
        'litert': 1.0,
        'onnx': 1.0,
        'keras': 1.0,
    }
    return folder / 'out' / 'tiny.json'


def test_keras_litert_and_onnx_give_the_same_probabilities(exported: Path, folder: Path) -> None:
    faces = read_csv(folder / 'faces.csv').split('public_test')
    results = {
        backend: make_classifier(ClassificationConfig(model=str(exported), backend=backend))
        .classify(faces.images)
        .probabilities
        for backend in ('keras', 'litert', 'onnx')
    }
    np.testing.assert_allclose(results['litert'], results['keras'], atol=1e-4)
    np.testing.assert_allclose(results['onnx'], results['keras'], atol=1e-4)


def test_an_exported_model_can_be_evaluated_and_is_calibrated(exported: Path, folder: Path) -> None:
    classifier = make_classifier(ClassificationConfig(model=str(exported)))
    faces = read_csv(folder / 'faces.csv')
    report = evaluate_faces(faces, 'public_test', 'fer2013', classifier)
    logits = classifier.logits(faces.split('public_test').images)
    truth = faces.split('public_test').labels
    assert fit_temperature(logits, truth) == pytest.approx(
        classifier.card.heads[0].temperature, rel=0.01
    )
    assert report.to_json_line()['count'] == 42


def test_a_keras_file_beside_it_is_what_training_starts_from(
    exported: Path, run: Path, tmp_path: Path
) -> None:
    _, model = load_run(exported)
    for mine, its in zip(model.get_weights(), load_run(run)[1].get_weights()):
        if mine.ndim == 4:
            np.testing.assert_array_equal(mine, its)
    content = json.loads(exported.read_text())
    del content['files']['keras']
    (tmp_path / 'tiny.json').write_text(json.dumps(content))
    shutil.copy(exported.with_suffix('.tflite'), tmp_path)
    shutil.copy(exported.with_suffix('.onnx'), tmp_path)
    with pytest.raises(ConfigError, match=r'lists no \.keras file'):
        load_run(tmp_path / 'tiny.json')


def test_a_card_tells_no_path_of_the_machine(run: Path, config: RunConfig, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / 'run')
    learned = with_values(config, {'start': str(tmp_path / 'a'), 'teachers': [str(tmp_path / 'b')]})
    settings.save(learned, tmp_path / 'run' / 'config.yaml')
    export_run(tmp_path / 'run', tmp_path / 'out', ['keras'])
    card = (tmp_path / 'out.json').read_text()
    assert '"start": "a"' in card
    assert '/' not in json.dumps(json.loads(card)['about']['recipe'])


def test_rare_classes_can_be_preferred(config: RunConfig) -> None:
    targets = np.eye(7, dtype=np.float32)[[0, 0, 0, 1, 2, 3, 4, 5, 6]]
    biases = rare_class_biases(targets, config, {'fer2013': 0.5})
    np.testing.assert_allclose(biases[:2], -0.5 * np.log([3 / 9, 1 / 9]), atol=1e-5)
    with pytest.raises(ConfigError, match="no head is called 'mine'"):
        rare_class_biases(targets, config, {'mine': 0.5})


def test_calibration_moves_what_the_file_responds(exported: Path, run: Path, folder: Path) -> None:
    faces = read_csv(folder / 'faces.csv').split('public_test')
    config, model = load_run(run)
    raw = np.asarray(model(network_input(faces.images, config.model), training=False))
    classifier = make_classifier(ClassificationConfig(model=str(exported)))
    moved = classifier.logits(faces.images) - raw
    expected = fit_class_biases(raw, faces.class_targets('fer2013'))
    assert np.abs(expected).max() > 1e-3
    told = json.loads(exported.read_text())['about']['class_biases']['fer2013']
    np.testing.assert_allclose(told, expected, atol=1e-3)
    np.testing.assert_allclose(moved, np.broadcast_to(expected, moved.shape), atol=1e-3)


def test_a_head_that_nobody_labelled_cannot_be_calibrated(config: RunConfig, folder: Path) -> None:
    faces = read_csv(folder / 'faces.csv').split('public_test')
    voted = dataclasses.replace(config, heads=(HeadConfig('people', 'ferplus'),))
    with pytest.raises(DataError, match="no face to calibrate head 'people' with"):
        class_biases(np.zeros((len(faces), 8), np.float32), faces, voted)


def test_an_export_that_fails_leaves_the_older_model(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_run(run, tmp_path / 'robot_1.2', ['keras'], model_id='robot 1.2')
    older = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(older) == {'robot_1.2.json', 'robot_1.2.keras'}
    monkeypatch.setitem(MIN_AGREEMENT, 'float32', 1.1)
    with pytest.raises(ModelError, match='gives the label of the Keras model for only'):
        export_run(run, tmp_path / 'robot_1.2', ['keras'])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == older


def test_a_folder_is_not_replaced_by_a_model(tmp_path: Path) -> None:
    (tmp_path / 'robot_1.2.tflite').mkdir()
    writers = {'litert': lambda path: path.write_bytes(b'weights')}
    with pytest.raises(ModelError, match=r'robot_1\.2\.tflite is a folder'):
        publish(EmotionModelCard.load(), writers, tmp_path / 'robot_1.2', lambda card: card)
    assert [path.name for path in tmp_path.iterdir()] == ['robot_1.2.tflite']


@pytest.mark.parametrize(
    'logits, message',
    [
        pytest.param([[np.nan] * 7, [0.0] * 7], 'not finite', id='nan'),
        pytest.param([[1.0] * 7, [1.0] * 7], 'the same logits of head fer2013', id='constant'),
    ],
)
def test_logits_that_say_nothing_are_refused(
    config: RunConfig, logits: list, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        check_logits(np.array(logits, np.float32), config)


def test_few_faces_leave_the_shipped_calibration(
    config: RunConfig, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    faces = read_csv(folder / 'faces.csv').split('public_test')[:20]
    (head,) = calibrated_heads(np.eye(20, 7, dtype=np.float32), faces, config)
    shipped, _ = EmotionModelCard.load().head('fer2013')
    assert (head.temperature, head.unknown_threshold) == (
        shipped.temperature,
        shipped.unknown_threshold,
    )
    assert '20 validation faces are too few' in capsys.readouterr().out


@pytest.mark.parametrize('precision', ['float16', 'int8', 'int8_weights'])
def test_smaller_files_stay_close(run: Path, folder: Path, precision: str) -> None:
    output = folder / precision / 'tiny'
    agreement = export_run(run, output, ['litert'], precision)['litert']
    assert agreement.mean_difference < 0.03


@pytest.mark.parametrize('backend', ['onnx', 'keras'])
def test_a_file_that_is_no_model_is_refused(exported: Path, tmp_path: Path, backend: str) -> None:
    card = exported.read_text()
    name = f'tiny.{backend}'
    (tmp_path / name).write_bytes(b'no model')
    content = json.loads(card)
    content['sha256'][name] = hashlib.sha256(b'no model').hexdigest()
    (tmp_path / 'tiny.json').write_text(json.dumps(content))
    with pytest.raises(ModelError, match=f'{name} is not an? (ONNX|Keras) model'):
        make_classifier(ClassificationConfig(model=str(tmp_path / 'tiny.json'), backend=backend))
