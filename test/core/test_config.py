# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from fer_ros.config import (
    BagPlayerConfig,
    CameraNodeConfig,
    DetectionConfig,
    EmotionNodeConfig,
    PipelineConfig,
    flatten,
    replace,
)


@pytest.mark.parametrize('config', [PipelineConfig(), EmotionNodeConfig(), CameraNodeConfig()])
def test_every_setting_says_what_it_means(config: object) -> None:
    for name, (_, item) in flatten(config).items():
        assert item.metadata['description'], name


@pytest.mark.parametrize(
    'changes, message',
    [
        pytest.param({'detection.backend': 'magic'}, 'one of builtin, yunet, haar', id='choice'),
        pytest.param({'detection.score_threshold': 1.5}, '0.0 to 1.0, got 1.5', id='range'),
        pytest.param({'detection.min_face_px': 4}, '10 to 2000, got 4', id='too small'),
        pytest.param({'detection.min_face_px': 'big'}, 'expected int, got str', id='type'),
        pytest.param({'detection.min_face_px': True}, 'expected int, got bool', id='bool'),
        pytest.param({'detection.mood': 1}, "no setting is called 'detection.mood'", id='name'),
        pytest.param({'smoothing.time_constant_s': float('nan')}, 'got nan', id='not a number'),
    ],
)
def test_a_wrong_setting_is_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PipelineConfig(), changes)


@pytest.mark.parametrize(
    'make, message',
    [
        pytest.param(lambda: CameraNodeConfig(source=''), '1 to 4096 printable', id='empty'),
        pytest.param(lambda: CameraNodeConfig(source='a\nb'), r"got 'a\\nb'", id='line break'),
        pytest.param(lambda: CameraNodeConfig(source='x' * 5000), '4096', id='endless'),
        pytest.param(lambda: CameraNodeConfig(source='\ud800'), 'ud800', id='half a character'),
        pytest.param(lambda: CameraNodeConfig(frame_id='a b'), 'a frame', id='frame'),
        pytest.param(lambda: CameraNodeConfig(frame_id='/a'), 'a frame', id='frame of tf 1'),
        pytest.param(lambda: BagPlayerConfig(bag='a\0'), 'printable', id='NUL'),
        pytest.param(lambda: BagPlayerConfig(topics='a;b'), 'topics with commas', id='topics'),
        pytest.param(lambda: BagPlayerConfig(results_topic='7'), 'expected a topic', id='topic'),
    ],
)
def test_a_text_that_means_nothing_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert len(str(caught.value)) < 300


def test_settings_are_replaced_where_they_belong() -> None:
    changed = replace(
        PipelineConfig(), {'detection.min_face_px': 24, 'smoothing.time_constant_s': 1}
    )
    assert changed.detection.min_face_px == 24
    assert changed.smoothing.time_constant_s == 1.0
    assert changed.tracking == PipelineConfig().tracking


def test_defaults_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DetectionConfig().min_face_px = 1  # type: ignore[misc]
