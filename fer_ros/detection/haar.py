# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenCV's Haar cascades: a frontal face detector that needs no weights file of its own.

P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple features", 2001.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.errors import ModelError
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

BORDER_SHARE = 8
"""The border around the image is this part of its shorter side."""
WORK_FACE_PX = 36
"""Faces of the least height asked for are scaled to this; the cascade itself knows 24 pixels."""


def _cascade(name: str) -> cv2.CascadeClassifier:
    folder = getattr(getattr(cv2, 'data', None), 'haarcascades', '')
    path = Path(folder) / name
    cascade = cv2.CascadeClassifier(str(path)) if path.is_file() else None
    if cascade is None or cascade.empty():
        raise ModelError(
            f'this OpenCV ({cv2.__version__}) comes without {name}; '
            'install OpenCV 4 or choose another detector'
        )
    return cascade


class HaarDetector:
    """Frontal faces by Haar cascade, eyes by a second one for alignment."""

    name = 'haar'

    def __init__(self, config: DetectionConfig) -> None:
        """Load both cascades; raises ModelError if this OpenCV has none."""
        self.config = config
        self._faces = _cascade('haarcascade_frontalface_alt2.xml')
        self._eyes = _cascade('haarcascade_eye_tree_eyeglasses.xml')

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, in its pixels, best score first."""
        scale = min(1.0, WORK_FACE_PX / self.config.min_face_px)
        height, width = (max(1, round(n * scale)) for n in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        # A cascade finds whole faces only; with a border, also those that leave the image.
        border = min(grey.shape) // BORDER_SHARE
        grey = cv2.copyMakeBorder(grey, border, border, border, border, cv2.BORDER_REPLICATE)
        least = max(24, round(self.config.min_face_px * scale))
        if min(grey.shape) < least:
            return FaceDetections.empty()
        boxes_xywh, _, weights = self._faces.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=4, minSize=(least, least), outputRejectLevels=True
        )
        if not len(boxes_xywh):
            return FaceDetections.empty()
        boxes = np.asarray(boxes_xywh, np.float32).reshape(-1, 4)
        # The last stage's margin, squeezed to 0..1: 0 is 0.5, and good faces lie above 2.
        scores = (1.0 / (1.0 + np.exp(-np.asarray(weights, np.float64).ravel()))).astype(np.float32)
        landmarks = np.stack([self._landmarks(grey, box) for box in boxes])
        boxes[:, 2:] += boxes[:, :2]
        boxes, landmarks = boxes - border, landmarks - border
        kept = np.flatnonzero(scores >= self.config.score_threshold)
        kept = kept[np.argsort(-scores[kept], kind='stable')][: self.config.max_faces]
        found = FaceDetections(boxes, landmarks, scores)[kept]
        return found.resized((width, height), image.shape[1::-1])

    def _landmarks(self, grey: UInt8Array, box_xywh: Float32Array) -> Float32Array:
        """Return float32 (5, 2): the eyes if there is one in each half of the box, else NaN."""
        landmarks = np.full((5, 2), np.nan, np.float32)
        x, y, width, height = box_xywh.astype(int)
        upper = grey[y : y + int(0.6 * height), x : x + width]
        eyes = self._eyes.detectMultiScale(upper, 1.1, 2, minSize=(max(8, width // 8),) * 2)
        if len(eyes) < 2:
            return landmarks
        centres = np.asarray(eyes, np.float32)[:, :2] + np.asarray(eyes, np.float32)[:, 2:] / 2
        sides = [centres[centres[:, 0] < width / 2], centres[centres[:, 0] >= width / 2]]
        if all(len(side) == 1 for side in sides):
            landmarks[0], landmarks[1] = (side[0] + (x, y) for side in sides)
        return landmarks
