# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page knows of one camera: written by the ROS thread, read by all viewers."""

from __future__ import annotations

import math
import time
from collections import deque
from itertools import islice
from threading import Lock
from typing import Any

import cv2
import numpy as np

from fer_ros.drawing.plot_style import COLOURS
from fer_ros.errors import shorten
from fer_ros.labels import UNKNOWN
from fer_ros.types import FaceEmotion, FrameEmotions, UInt8Array

HISTORY_S = 180.0
SAMPLE_S = 0.25
"""The timeline keeps one sample so often, so that its size does not depend on the camera."""

MAX_WIDTH_PX = 1280
"""Wider images are shrunk before they go to the browser."""

WATCH_S = 3.0
"""A viewer who has not asked for so long has gone."""

JPEG_QUALITY = 85
MAX_FACES = 200
MAX_VALUES = 100
MAX_WARNING = 1000
"""What other programs publish may be of any size."""

Sample = tuple[float, list[tuple[int, str, float]]]


class CameraView:
    """The newest results and image of one camera, and its last minutes."""

    def __init__(self, topic: str) -> None:
        """Know nothing yet of the camera whose emotions are published on *topic*."""
        self.topic = topic
        self.node_name = ''
        self.is_enabled = True
        self._lock = Lock()
        self._frame: FrameEmotions | None = None
        self._model = ''
        self._arrivals_s: deque[float] = deque(maxlen=300)
        self._samples: deque[Sample] = deque(maxlen=round(HISTORY_S / SAMPLE_S))
        self._diagnostics: dict[str, str] = {}
        self._warning = ''
        self._notice = ''
        self._image: UInt8Array | None = None
        self._jpeg = b''
        self._jpeg_number = 0
        self._watched_s = float('-inf')
        self.image_number = 0

    def take_frame(self, frame: FrameEmotions, model: str) -> None:
        """Remember what the newest image says."""
        now_s = time.time()
        with self._lock:
            self._frame, self._model = frame, model
            self._arrivals_s.append(now_s)
            if not self._samples or now_s - self._samples[-1][0] >= SAMPLE_S:
                self._samples.append(
                    (
                        round(now_s, 3),
                        [
                            (face.track_id, face.label, _number(face.confidence, 3))
                            for face in frame.faces[:MAX_FACES]
                        ],
                    )
                )

    def take_image(self, image: UInt8Array) -> None:
        """Remember the newest annotated image, uint8 (H, W, 3) BGR."""
        with self._lock:
            self._image = image
            self.image_number += 1

    def take_jpeg(self, jpeg: bytes) -> None:
        """Remember the newest annotated image where it is encoded already."""
        with self._lock:
            self._image, self._jpeg = None, jpeg
            self.image_number += 1
            self._jpeg_number = self.image_number

    def take_diagnostics(self, values: dict[str, str], warning: str) -> None:
        """Remember what the node says of itself; *warning* is empty when all is well."""
        shown = {shorten(k): shorten(v) for k, v in islice(values.items(), MAX_VALUES)}
        with self._lock:
            self._diagnostics, self._warning = shown, shorten(warning, MAX_WARNING)

    def take_notice(self, text: str) -> None:
        """Remember what people in view have to be told; empty for nothing."""
        self._notice = shorten(text, MAX_WARNING)

    def watch(self) -> None:
        """Note that the image has a viewer now."""
        self._watched_s = time.monotonic()

    @property
    def is_watched(self) -> bool:
        """Whether the image has had a viewer lately; else nobody need draw it."""
        return time.monotonic() - self._watched_s < WATCH_S

    def jpeg(self) -> tuple[int, bytes]:
        """Return the number of the newest image, and the image; encoded once for all viewers."""
        with self._lock:
            if self._image is not None and self._jpeg_number != self.image_number:
                self._jpeg = encode(self._image)
                self._jpeg_number = self.image_number
            return self._jpeg_number, self._jpeg

    @property
    def last_sample_s(self) -> float:
        """The Unix time of the timeline's newest sample; 0 before the first."""
        with self._lock:
            return self._samples[-1][0] if self._samples else 0.0

    def snapshot(self, since_s: float) -> dict[str, Any]:
        """Return the state as JSON can hold it, with the timeline after *since_s* (Unix time)."""
        now_s = time.time()
        with self._lock:
            frame, samples = self._frame, list(self._samples)
            arrivals = [t for t in self._arrivals_s if now_s - t < 5.0]
            last_s = self._arrivals_s[-1] if self._arrivals_s else None
            model, values, warning = self._model, self._diagnostics, self._warning
        rate = (len(arrivals) - 1) / max(now_s - arrivals[0], 1e-3) if len(arrivals) > 1 else 0.0
        return {
            'topic': self.topic,
            'node': self.node_name,
            'now_s': round(now_s, 3),
            'age_s': None if last_s is None else round(now_s - last_s, 3),
            'rate_hz': round(rate, 1),
            'model': model,
            'labels': list(frame.labels) if frame else [],
            'colours': {n: COLOURS[n] for n in (*frame.labels, UNKNOWN)} if frame else {},
            'faces': [_face(face) for face in frame.faces[:MAX_FACES]] if frame else [],
            'samples': [sample for sample in samples if sample[0] > since_s],
            'diagnostics': values,
            'warning': warning,
            'notice': self._notice,
        }


def _face(face: FaceEmotion) -> dict[str, Any]:
    return {
        'id': face.track_id,
        'box': [_number(n, 1) for n in face.box_xyxy],
        'label': face.label,
        'confidence': _number(face.confidence, 4),
        'probabilities': [_number(p, 4) for p in face.probabilities],
        'raw': [_number(p, 4) for p in face.raw_probabilities],
        'quality': list(face.quality),
    }


def _number(value: float, digits: int) -> float:
    """Return a number as JSON can hold it: another program's message may hold NaN."""
    return round(float(value), digits) if math.isfinite(value) else 0.0


def shrink(image: UInt8Array) -> UInt8Array:
    """Return an image scaled to MAX_WIDTH_PX if it is wider."""
    height, width = image.shape[:2]
    if width <= MAX_WIDTH_PX:
        return image
    size_wh = (MAX_WIDTH_PX, max(1, round(height * MAX_WIDTH_PX / width)))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def encode(image: UInt8Array) -> bytes:
    """Return a BGR image as JPEG, shrunk if it is wide."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    jpeg: bytes = cv2.imencode('.jpg', shrink(image), quality)[1].tobytes()
    return jpeg
