# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Another emotion model while frames run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_msgs.msg import EmotionArray
from fer_msgs.srv import SetModel
from fer_ros.models.card import EmotionModelCard


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """Return the card of a model that is the shipped one by another name."""
    card = EmotionModelCard.load('default')
    source = card.weights_path('litert')
    shutil.copy(source, tmp_path / source.name)
    content = json.loads((card.folder / 'emotion.json').read_text())
    path = tmp_path / 'other.json'
    path.write_text(json.dumps({**content, 'id': 'other-7'}))
    return path


@pytest.fixture
def stream(listener, start, astronaut: np.ndarray) -> list[EmotionArray]:
    """Return the results to a stream of one photo at 20 Hz; a pause leaves the person the same."""
    start('emotion_node', '-p', 'tracking.max_lost_s:=60.0')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    results = listener.collect(EmotionArray, 'emotions')
    listener.create_timer(0.05, lambda: publisher.publish(listener.image(astronaut)))
    listener.until(lambda: len(results) > 2, 'results')
    return results


def set_model(listener, model: Path | str, backend: str = '') -> SetModel.Response:
    request = SetModel.Request(model=str(model), backend=backend)
    return listener.call(SetModel, 'emotion_node/set_model', request)


def parameter(listener, name: str) -> str:
    request = GetParameters.Request(names=[name])
    result = listener.call(GetParameters, 'emotion_node/get_parameters', request)
    return result.values[0].string_value


def test_the_new_model_takes_over_between_two_frames(
    listener, stream: list[EmotionArray], other_model: Path
) -> None:
    before = len(stream)
    response = set_model(listener, other_model)
    assert (response.success, response.message) == (True, 'other-7')
    listener.until(lambda: stream[-1].model_id == 'other-7', 'a result of the new model')
    assert len(stream) > before
    ids = [result.model_id for result in stream]
    assert ids == sorted(ids, key=ids.index), 'no result of the old model after one of the new'
    assert {e.track_id for result in stream for e in result.emotions} == {1}
    assert parameter(listener, 'classification.model') == str(other_model)


def spoil_weights(card: Path) -> None:
    (card.parent / json.loads(card.read_text())['files']['litert']).write_bytes(b'corrupt')


def remove_weights(card: Path) -> None:
    (card.parent / json.loads(card.read_text())['files']['litert']).unlink()


def spoil_card(card: Path) -> None:
    card.write_text('{')


def test_a_bad_model_leaves_the_old_one_working(
    listener, stream: list[EmotionArray], other_model: Path
) -> None:
    for spoil, message in (
        (spoil_weights, 'damaged'),
        (remove_weights, 'missing'),
        (spoil_card, 'other.json is not JSON'),
    ):
        spoil(other_model)
        response = set_model(listener, other_model)
        assert not response.success
        assert message in response.message
        wanted = len(stream) + 3
        listener.until(lambda n=wanted: len(stream) >= n, 'more results')
        assert stream[-1].model_id == EmotionModelCard.load('default').id
        assert parameter(listener, 'classification.model') == 'default'


def test_an_unknown_name_is_one_sentence(listener, start) -> None:
    start('emotion_node')
    for model, backend, message in (
        ('nonsense', '', "no shipped model is called 'nonsense'"),
        ('default', 'magic', 'one of litert, onnx, keras'),
        ('~nosuchuser/x.json', '', 'cannot be used: Could not determine home directory'),
        ('x' * 300 + '.json', '', 'File name too long'),
    ):
        response = set_model(listener, model, backend)
        assert not response.success
        assert message in response.message
