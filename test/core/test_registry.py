# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Another package adds a detector and a classifier backend without editing ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import replace
from fer_ros.errors import ConfigError

PLUGIN = """
import numpy as np
from fer_ros.types import FaceDetections

class WholeImage:
    name = 'whole image'
    def __init__(self, config):
        self.config = config
    def detect(self, image):
        box = np.array([[0, 0, *image.shape[1::-1]]], np.float32)
        return FaceDetections(box, np.full((1, 5, 2), np.nan, np.float32), np.ones(1, np.float32))

class AlwaysFear:
    name = 'always fear'
    def __init__(self, card, threads):
        self.logits_of_one = np.zeros(card.columns, np.float32)
        self.logits_of_one[2] = 9
    def logits(self, batch):
        return np.tile(self.logits_of_one, (len(batch), 1))
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with both, laid down as pip would."""
    (tmp_path / 'their_package.py').write_text(PLUGIN)
    metadata = tmp_path / 'their_package-1.0.dist-info'
    metadata.mkdir()
    (metadata / 'METADATA').write_text('Metadata-Version: 2.1\nName: their_package\nVersion: 1.0\n')
    (metadata / 'entry_points.txt').write_text(
        '[fer_ros.detectors]\nwhole = their_package:WholeImage\nbroken = their_package:Nothing\n'
        '[fer_ros.classifiers]\nfear = their_package:AlwaysFear\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures('plugin')
def test_models_of_another_package_are_used_by_name() -> None:
    config = replace(
        PipelineConfig(), {'detection.backend': 'whole', 'classification.backend': 'fear'}
    )
    (face,) = EmotionPipeline(config).process(np.zeros((60, 40, 3), np.uint8), 0.0).faces
    assert face.box_xyxy.tolist() == [0, 0, 40, 60]
    assert face.label == 'fear'


@pytest.mark.usefixtures('plugin')
def test_a_plugin_that_cannot_be_loaded_is_named() -> None:
    config = replace(PipelineConfig(), {'detection.backend': 'broken'})
    with pytest.raises(ConfigError, match=r"'broken' of fer_ros.detectors cannot be loaded"):
        EmotionPipeline(config)


def test_a_name_that_nobody_offers_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match="one of builtin, yunet, haar, got 'whole'"):
        replace(PipelineConfig(), {'detection.backend': 'whole'})
