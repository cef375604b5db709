# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces out of photos, by the detector and alignment that the live node uses."""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.data.folders import Cutter
from fer_ros.detection import make_detector
from fer_ros.models.input_format import FER2013_TEMPLATE_48PX
from fer_ros.recognition.alignment import align_faces
from fer_ros.types import UInt8Array

CLOSE_UP_PX = 256
"""Of an image no larger than this, the face may fill the whole."""
BORDER_SHARE = 0.25


def face_cutter(size_px: int, config: DetectionConfig | None = None) -> Cutter:
    """Return a function from a photo to its largest face, aligned to the template.

    A small picture in which no face is found is taken for one cut closely around a face, and looked
    at again enlarged, with a border.

    Args:
        size_px: side of the crops.
        config: of the detector; the live node's defaults by default.
    """
    detector = make_detector(config or DetectionConfig())
    scale = size_px / 48
    template = tuple((x * scale, y * scale) for x, y in FER2013_TEMPLATE_48PX)

    def largest(image: UInt8Array) -> UInt8Array | None:
        detections = detector.detect(image)
        faces = align_faces(image, detections, template, size_px)
        if not len(faces):
            return None
        boxes = detections.boxes_xyxy[faces.source_index]
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return faces.crops[int(np.argmax(areas))]

    def cut(image: UInt8Array) -> UInt8Array | None:
        face = largest(image)
        if face is None and max(image.shape[:2]) <= CLOSE_UP_PX:
            face = largest(_with_border(image))
        return face

    return cut


def _with_border(image: UInt8Array) -> UInt8Array:
    """Return a picture enlarged to CLOSE_UP_PX, its edges continued on all sides."""
    scale = CLOSE_UP_PX / max(image.shape[:2])
    border = round(CLOSE_UP_PX * BORDER_SHARE)
    larger = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(larger, border, border, border, border, cv2.BORDER_REPLICATE)
