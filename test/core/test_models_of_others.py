# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Models that were made elsewhere, each described by a short card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_ros.cli import main
from fer_ros.config import ClassificationConfig, PipelineConfig
from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard
from fer_ros.models.input_format import InputFormat
from fer_ros.reader import FaceReader
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from fer_ros.recognition.preprocessing import model_input

LABELS = ['happy', 'sad', 'neutral']


def write_onnx(path: Path, shape: list[object], axes: list[int], softmax: bool) -> None:
    """Write a network whose three outputs are the means of its three channels over *axes*."""
    nodes = [helper.make_node('ReduceMean', ['x', 'axes'], ['means'], keepdims=0)]
    if softmax:
        nodes.append(helper.make_node('Softmax', ['means'], ['y'], axis=1))
    else:
        nodes.append(helper.make_node('Identity', ['means'], ['y']))
    graph = helper.make_graph(
        nodes,
        'means',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, [shape[0], 3])],
        [numpy_helper.from_array(np.array(axes, np.int64), 'axes')],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, path)


def card(folder: Path, **fields: object) -> str:
    """Write a card for the folder's weights: RGB, 32 px, channels first, 0 to 1."""
    weights = folder / 'theirs.onnx'
    content = {
        'schema': 1, 'kind': 'emotion', 'id': 'theirs', 'files': {'onnx': weights.name},
        'sha256': {weights.name: hashlib.sha256(weights.read_bytes()).hexdigest()},
        'size_px': 32, 'colour': 'rgb', 'layout': 'nchw',
        'normalization': 'mean_std', 'mean': 0, 'std': 255,
        'heads': [{'name': 'theirs', 'labels': LABELS}],
    }  # fmt: skip
    path = folder / 'theirs.json'
    path.write_text(json.dumps({**content, **fields}))
    return str(path)


def classifier(folder: Path, **fields: object) -> EmotionClassifier:
    return make_classifier(ClassificationConfig(model=card(folder, **fields), backend='onnx'))


def faces(*bgr: tuple[int, int, int]) -> np.ndarray:
    return np.array([np.full((32, 32, 3), one, np.uint8) for one in bgr])


@pytest.mark.parametrize(
    'batch', [pytest.param(1, id='one face at a time'), pytest.param('N', id='any number')]
)
@pytest.mark.parametrize(
    'softmax', [pytest.param(False, id='logits'), pytest.param(True, id='softmax inside')]
)
@pytest.mark.parametrize(
    'shape, axes, layout',
    [
        pytest.param([3, 32, 32], [2, 3], 'nchw', id='channels first'),
        pytest.param([32, 32, 3], [1, 2], 'nhwc', id='channels last'),
    ],
)
def test_softmax_is_applied_once_whatever_the_layout(
    tmp_path: Path, batch: object, softmax: bool, shape: list, axes: list, layout: str
) -> None:
    """Red, green and blue of 1 and 0 give e/(e+2) = 0.576 and 1/(e+2) = 0.212."""
    write_onnx(tmp_path / 'theirs.onnx', [batch, *shape], axes, softmax)
    model = classifier(tmp_path, layout=layout)
    scores = model.classify(faces((0, 0, 255), (255, 0, 0)))
    expected = [[0.576, 0.212, 0.212], [0.212, 0.212, 0.576]]
    assert scores.labels == tuple(LABELS)
    assert np.allclose(scores.probabilities, expected, atol=1e-3)
    assert model.card.outputs == ('probabilities' if softmax else 'logits')


@pytest.mark.parametrize('softmax, said', [(True, 'logits'), (False, 'probabilities')])
def test_a_card_that_says_the_wrong_outputs_is_refused(
    tmp_path: Path, softmax: bool, said: str
) -> None:
    write_onnx(tmp_path / 'theirs.onnx', ['N', 3, 32, 32], [2, 3], softmax)
    with pytest.raises(ModelError, match=f'says that it gives {said}, but it gives'):
        classifier(tmp_path, outputs=said)


@pytest.mark.parametrize(
    'fields, message',
    [
        pytest.param(
            {'colour': 'hsv'}, "colour must be one of grey, bgr, rgb, got 'hsv'", id='colour'
        ),
        pytest.param({'layout': 'chw'}, 'layout must be one of nhwc, nchw', id='layout'),
        pytest.param({'channels': 1}, 'colour rgb needs 3 channels', id='one channel of colour'),
        pytest.param({'channels': 4}, 'channels 1 or 3', id='four channels'),
        pytest.param({'size_px': 1024}, 'size_px 16 to 512', id='size'),
        pytest.param({'mean': 0.5, 'std': 0.5}, 'multiply by 255', id='shares of 1'),
        pytest.param({'std': 0}, 'std above 0', id='deviation of 0'),
        pytest.param({'std': float('nan')}, 'finite', id='not a number'),
        pytest.param({'mean': [1, 2]}, 'one value or one per channel', id='two means'),
        pytest.param({'mean': []}, 'one value or one per channel', id='no mean'),
        pytest.param({'mean': 'high'}, 'could not convert', id='mean is a word'),
        pytest.param({'normalization': 'none'}, 'go with normalization mean_std only', id='both'),
        pytest.param(
            {'normalization': 'clahe', 'mean': [], 'std': []}, 'works on grey faces', id='clahe'
        ),
        pytest.param({'outputs': 'odds'}, 'logits or probabilities', id='outputs'),
        pytest.param({'layout': 'nhwc'}, 'its card says input and output are', id='other layout'),
        pytest.param({'size_px': 48}, 'its card says input and output are', id='other size'),
    ],
)
def test_a_card_that_cannot_be_is_one_clear_error(
    tmp_path: Path, fields: dict, message: str
) -> None:
    write_onnx(tmp_path / 'theirs.onnx', ['N', 3, 32, 32], [2, 3], softmax=False)
    with pytest.raises(ModelError, match=message):
        classifier(tmp_path, **fields)


@pytest.mark.parametrize(
    'input_type, output_types, problem',
    [
        pytest.param('UINT8', ['FLOAT'], 'takes uint8 and gives float32; expected', id='uint8 in'),
        pytest.param('FLOAT', ['INT8'], 'takes float32 and gives int8; expected', id='int8 out'),
        pytest.param('FLOAT16', ['FLOAT16'], 'takes float16', id='half precision'),
        pytest.param('FLOAT', ['FLOAT', 'FLOAT'], '1 inputs and 2 outputs; expected one', id='two'),
        pytest.param('FLOAT', ['DOUBLE'], '', id='double out'),
    ],
)
def test_types_and_numbers_of_inputs_and_outputs(
    tmp_path: Path, input_type: str, output_types: list[str], problem: str
) -> None:
    types = [getattr(TensorProto, name) for name in output_types]
    shape, names = ['N', 3, 32, 32], [f'y{number}' for number in range(len(types))]
    graph = helper.make_graph(
        [helper.make_node('Cast', ['x'], ['floats'], to=TensorProto.FLOAT),
         helper.make_node('ReduceMean', ['floats', 'axes'], ['means'], keepdims=0),
         *(helper.make_node('Cast', ['means'], [n], to=kind) for n, kind in zip(names, types))],
        'casts',
        [helper.make_tensor_value_info('x', getattr(TensorProto, input_type), shape)],
        [helper.make_tensor_value_info(n, kind, ['N', 3]) for n, kind in zip(names, types)],
        [numpy_helper.from_array(np.array([2, 3], np.int64), 'axes')],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    onnx.save(model, tmp_path / 'theirs.onnx')
    if problem:
        with pytest.raises(ModelError, match=problem):
            classifier(tmp_path)
    else:
        assert classifier(tmp_path).classify(faces((0, 0, 255))).labels[0] == 'happy'


def test_outputs_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    write_onnx(tmp_path / 'theirs.onnx', ['N', 3, 32, 32], [2, 3], softmax=False)
    with pytest.raises(ModelError, match='not finite'):
        classifier(tmp_path, mean=3e38)


@pytest.mark.parametrize('weights', ['theirs.onnx', 'my.keras', 'a/model.tflite'])
def test_weights_in_place_of_a_card_are_explained(weights: str) -> None:
    with pytest.raises(ModelError, match='holds weights only; give the path of its card'):
        EmotionModelCard.load(weights)


@pytest.mark.parametrize(
    'form, expected',
    [
        pytest.param(
            InputFormat(size_px=16, normalization='none', colour='rgb', channels=3),
            [-1.0, 0.2, 1.0], id='rgb',
        ),
        pytest.param(
            InputFormat(
                size_px=16, normalization='mean_std', colour='bgr', channels=3,
                mean=(103.0, 100.0, 0.0), std=(2.0,),
            ),
            [76.0, 26.5, 0.0], id='bgr less a mean per channel',
        ),
    ],
)  # fmt: skip
def test_colour_is_ordered_and_scaled(form: InputFormat, expected: list[float]) -> None:
    crop = np.broadcast_to(np.array([255, 153, 0], np.uint8), (1, 16, 16, 3))
    assert np.allclose(model_input(crop, form)[0, 0, 0], expected)


def test_three_grey_channels_are_the_same_and_take_local_contrast() -> None:
    """A model that training gave grey repeated is given grey repeated, not colour."""
    form = InputFormat(size_px=16, normalization='clahe', colour='grey', channels=3)
    assert (form.crop_channels, form.input_shape) == (1, (16, 16, 3))
    crops = np.random.default_rng(0).integers(0, 256, (2, 16, 16), np.uint8)
    given = model_input(crops, form)
    assert given.shape == (2, 16, 16, 3)
    assert np.array_equal(given[..., 0], given[..., 2])


def test_a_reader_feeds_a_colour_model_from_a_photo(tmp_path: Path) -> None:
    write_onnx(tmp_path / 'theirs.onnx', [1, 3, 32, 32], [2, 3], softmax=False)
    classification = ClassificationConfig(model=card(tmp_path), backend='onnx')
    reader = FaceReader(PipelineConfig(classification=classification))
    assert reader.read(np.full((64, 64, 3), 90, np.uint8)).scores.labels == tuple(LABELS)


ADD = ['--labels', 'Happy,sadness,bored', '--size', '32', '--colour', 'rgb', '--range', '0..1']


def test_a_model_is_added_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_onnx(tmp_path / 'net_1.0.onnx', ['n', 3, 32, 32], [2, 3], softmax=True)
    command = ['models', 'add', str(tmp_path / 'net_1.0.onnx'), *ADD, '--layout', 'nchw']
    assert main(command) == 0
    said = capsys.readouterr().out
    assert 'demo photo 1, a smile: ' in said
    assert f'--model {tmp_path}/net_1.0.json --backend onnx' in said
    added = EmotionModelCard.load(str(tmp_path / 'net_1.0.json'))
    assert added.heads[0].labels == ('happy', 'sad', 'bored')
    assert main(command) == 1
    assert 'net_1.0.json exists already' in capsys.readouterr().err


@pytest.mark.parametrize(
    'changed, message',
    [
        pytest.param(['--labels', 'happy,sad'], 'its card says', id='too few labels'),
        pytest.param(['--size', '48'], 'its card says', id='another size'),
        pytest.param(['--labels', 'happy,happiness,sad'], 'different class names', id='twice'),
        pytest.param(['--output', 'elsewhere.json'], 'in the folder of its weights', id='folder'),
    ],
)
def test_a_model_that_is_described_wrongly_is_not_added(
    tmp_path: Path, capsys: pytest.CaptureFixture, changed: list[str], message: str
) -> None:
    write_onnx(tmp_path / 'net.onnx', ['n', 3, 32, 32], [2, 3], softmax=True)
    command = ['models', 'add', str(tmp_path / 'net.onnx'), *ADD, '--layout', 'nchw']
    assert main([*command, *changed]) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['net.onnx']
