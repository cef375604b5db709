# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The yunet backend: missing or damaged weights, odd images, and a face where the weights are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_ros.config import DetectionConfig
from fer_ros.detection import make_detector
from fer_ros.detection.yunet import YuNetDetector
from fer_ros.errors import ModelError


@pytest.fixture
def weights(shared: Path) -> str:
    return str(shared / 'models' / 'face_detection_yunet_2023mar.onnx')


def test_without_weights_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('FER_ROS_MODELS', str(tmp_path))
    with pytest.raises(ModelError, match='run: fer models fetch yunet'):
        make_detector(DetectionConfig(backend='yunet'))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / 'w.onnx').write_bytes(b'no model')
    with pytest.raises(ModelError, match='cannot be used'):
        YuNetDetector(DetectionConfig(backend='yunet', weights=str(tmp_path / 'w.onnx')))


@pytest.mark.parametrize(
    'shape', [(1, 1, 3), (1, 4000, 3), (480, 640, 3)], ids=['1x1', '1x4000', 'black']
)
def test_images_without_faces_give_none(weights: str, shape: tuple[int, ...]) -> None:
    detector = YuNetDetector(DetectionConfig(backend='yunet', weights=weights))
    assert len(detector.detect(np.zeros(shape, np.uint8))) == 0


def test_memory_left_by_others_is_no_face(weights: str) -> None:
    detector = YuNetDetector(DetectionConfig(backend='yunet', weights=weights, max_faces=1000))
    rng = np.random.default_rng(0)
    for width in range(320, 1280, 32):
        # What an earlier image leaves in memory must not be read for a later one's.
        detector.detect(rng.integers(0, 256, (320, width, 3), np.uint8))
        assert len(detector.detect(np.zeros((1, width, 3), np.uint8))) == 0, width


def test_the_astronaut_is_found(weights: str, astronaut: np.ndarray) -> None:
    detector = YuNetDetector(DetectionConfig(backend='yunet', weights=weights))
    found = detector.detect(astronaut)
    assert len(found) == 1
    right_eye, left_eye, nose, _, _ = found.landmarks[0]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert found.boxes_xyxy[0, 3] - found.boxes_xyxy[0, 1] > 80
