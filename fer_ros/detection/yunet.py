# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""YuNet by OpenCV, for comparison and for those who prefer it; its weights are not shipped.

W. Wu, H. Peng, S. Yu, "YuNet: a tiny millisecond-level face detector", 2023. ``fer models fetch
yunet`` downloads the file that OpenCV's zoo publishes.
"""

from __future__ import annotations

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.detection.limits import tall_enough
from fer_ros.errors import ModelError, named_path
from fer_ros.models.store import installed_path
from fer_ros.types import FaceDetections, UInt8Array

WORK_FACE_PX = 40.0
"""Faces of the least height asked for are scaled to this."""
MAX_SIDE_PX = 4096
MAX_IOU = 0.3
CANDIDATES = 5000
LEAST_SIDE_PX = 64
"""Narrower inputs are continued in black: where the coarsest map has a single row, OpenCV's network
reads memory that was never written, and finds faces in it."""


class YuNetDetector:
    """OpenCV's FaceDetectorYN."""

    name = 'yunet'

    def __init__(self, config: DetectionConfig) -> None:
        """Load the weights that *config* names, or those fetched; raises ModelError."""
        self.config = config
        path = (
            named_path(config.weights, ModelError) if config.weights else installed_path('yunet')
        )
        if not path.is_file():
            raise ModelError(f'YuNet weights {path} do not exist; run: fer models fetch yunet')
        try:
            self._net = cv2.FaceDetectorYN.create(
                str(path), '', (320, 320), config.score_threshold, MAX_IOU, CANDIDATES
            )
            # A damaged file is only noticed when it is used.
            self._net.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            raise ModelError(f'YuNet weights {path} cannot be used: {error}') from error

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, in its pixels, best score first."""
        config, height, width = self.config, *image.shape[:2]
        scale = min(WORK_FACE_PX / config.min_face_px, MAX_SIDE_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        smaller = size[0] < width
        seen = cv2.resize(
            image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        )
        missing = [max(0, LEAST_SIDE_PX - side) for side in seen.shape[:2]]
        if any(missing):
            seen = cv2.copyMakeBorder(seen, 0, missing[0], 0, missing[1], cv2.BORDER_CONSTANT)
        self._net.setInputSize(seen.shape[1::-1])
        self._net.setScoreThreshold(config.score_threshold)
        found = self._net.detect(seen)[1]
        if found is None:
            return FaceDetections.empty()
        # Slivers of images make its box sizes overflow.
        found = found[np.isfinite(found).all(axis=1)]
        steps = np.array([width / size[0], height / size[1]], np.float32)
        boxes = found[:, :4] * np.tile(steps, 2)
        boxes[:, 2:] += boxes[:, :2]
        landmarks = found[:, 4:14].reshape(-1, 5, 2) * steps
        scores = np.clip(found[:, 14], 0, 1)
        wide = boxes[:, 2] - boxes[:, 0]
        usable = np.flatnonzero((wide > 0) & tall_enough(boxes, config.min_face_px))
        order = usable[np.argsort(-scores[usable], kind='stable')][: config.max_faces]
        return FaceDetections(boxes, landmarks, scores)[order]
