# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Face detectors: image -> FaceDetections."""

from __future__ import annotations

from typing import Protocol

from fer_ros.config import DETECTOR_PLUGINS, DetectionConfig
from fer_ros.models.registry import find
from fer_ros.types import FaceDetections, UInt8Array

OWN = {
    'builtin': 'fer_ros.detection.builtin:BuiltinDetector',
    'yunet': 'fer_ros.detection.yunet:YuNetDetector',
    'haar': 'fer_ros.detection.haar:HaarDetector',
}


class FaceDetector(Protocol):
    """Finds faces in an image.

    Faces of a stream are followed in crops that are all of about the smallest face's height. A
    detector that is faster knowing so may have a method ``detect_in_crops`` like ``detect``.

    Attributes:
        name: what diagnostics call it.
        config: its settings; a new one may be assigned between two images.
    """

    name: str
    config: DetectionConfig

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR with at least one pixel.

        Boxes and landmarks are in pixels of the image, best score first, and not clipped: a face
        that leaves the image has a box that reaches beyond it.
        """


def make_detector(config: DetectionConfig) -> FaceDetector:
    """Return the detector that *config* names.

    Raises:
        ModelError: its weights are missing or damaged.
        ConfigError: no package that is installed offers it.
    """
    detector: FaceDetector = find(OWN, DETECTOR_PLUGINS, config.backend)(config)
    return detector
