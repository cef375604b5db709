# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every setting of pipeline and nodes with its default, meaning and range: the home of defaults.

ROS parameters, the YAML files under config/, command line options and the parameters' page are all
made from, or checked against, these dataclasses.
"""

from __future__ import annotations

from fer_ros.config.nodes import (
    MAX_IMAGE_PIXELS,
    BagPlayerConfig,
    BagRecorderConfig,
    CameraNodeConfig,
    EmotionNodeConfig,
    HriBridgeConfig,
)
from fer_ros.config.pipeline import (
    CLASSIFIER_PLUGINS,
    CLASSIFIERS,
    DETECTOR_PLUGINS,
    DETECTORS,
    RECORDED,
    ClassificationConfig,
    DetectionConfig,
    HeadPoseConfig,
    PipelineConfig,
    QualityConfig,
    SmoothingConfig,
    TrackingConfig,
)
from fer_ros.config.settings import (
    RENAMED,
    check_live,
    check_settings,
    flatten,
    replace,
    setting,
)

__all__ = [
    'CLASSIFIERS',
    'CLASSIFIER_PLUGINS',
    'DETECTORS',
    'DETECTOR_PLUGINS',
    'MAX_IMAGE_PIXELS',
    'RECORDED',
    'RENAMED',
    'BagPlayerConfig',
    'BagRecorderConfig',
    'CameraNodeConfig',
    'ClassificationConfig',
    'DetectionConfig',
    'EmotionNodeConfig',
    'HeadPoseConfig',
    'HriBridgeConfig',
    'PipelineConfig',
    'QualityConfig',
    'SmoothingConfig',
    'TrackingConfig',
    'check_live',
    'check_settings',
    'flatten',
    'replace',
    'setting',
]
