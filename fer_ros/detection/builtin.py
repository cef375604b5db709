# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector that comes with the package: boxes and landmarks from one small network.

Trained by ``training.detector``; run by LiteRT. An image is searched as large as its smallest
faces need, and again at a quarter of that, and so on, until it is so small that no face on it is
too large for the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.detection.cells import OUTPUT_COLUMNS, decode, merge
from fer_ros.detection.interpreters import InterpreterCache, canvas_side
from fer_ros.detection.limits import tall_enough
from fer_ros.errors import ModelError
from fer_ros.models.card import DetectorCard
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

MAX_SIDE_PX = 4096
"""No side of a searched image is longer."""
TILE_PX = 2176
"""Larger images are searched in tiles with sides up to this: to plan one input of 4K takes 0.8 GB,
and 0.6 s in which no other thread of Python runs."""
OVERLAP_PX = 320
"""Tiles overlap by so much: a face whose middle lies in a tile's share is whole in that tile if it
is no taller than BAND_PX allows, and is taken from that tile alone."""
SCALE_STEP = 4
"""Each search of an image is at so much a smaller scale than the one before,"""
LAST_VIEW_PX = 320
"""until no side of it is longer than this: the network finds faces that large."""
BAND_PX = (48.0, 240.0)
"""Faces of these heights are believed in every look; shorter ones only in the first, taller ones
only in the last, for a search at another scale shows them better."""
LARGE_PX = 90.0
"""Taller faces of a look count for less than the same at the next scale."""


def scales(shape_hw: tuple[int, int], first: float) -> Iterator[float]:
    """Yield the scales at which an image of *shape_hw* is searched, from *first* down."""
    longest = max(shape_hw)
    scale = min(first, MAX_SIDE_PX / longest)
    yield scale
    while longest * scale > LAST_VIEW_PX:
        scale /= SCALE_STEP
        yield scale


def tiles(length: int) -> Iterator[tuple[tuple[int, int], tuple[float, float]]]:
    """Yield where tiles along a side of *length* px begin and end, and the share of each.

    Shares do not overlap, and those at the ends have no end: faces reach out of images.
    """
    count = max(1, math.ceil((length - OVERLAP_PX) / (TILE_PX - OVERLAP_PX)))
    borders = [round(number * length / count) for number in range(1, count)]
    for low, high in zip([-math.inf, *borders], [*borders, math.inf]):
        begin, end = low - OVERLAP_PX // 2, high + OVERLAP_PX // 2
        yield (int(max(0, begin)), int(min(length, end))), (low, high)


class BuiltinDetector:
    """The package's own detector."""

    name = 'builtin'

    def __init__(self, config: DetectionConfig) -> None:
        """Load the card and weights that *config* names; raises ModelError."""
        self.config = config
        self.card = DetectorCard.load(config.weights or 'default')
        content = self.card.weights_path('litert').read_bytes()
        self._interpreters = InterpreterCache(content, config.threads)
        self._run(np.zeros((1, 1, 3), np.uint8))

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, in its pixels, best score first."""
        first = self.card.least_face_px / self.config.min_face_px
        planned = list(scales(image.shape[:2], first))
        looks: list[FaceDetections] = []
        seen = image
        for scale in planned:
            # Each look starts from the one before: to shrink a large image takes time.
            seen = _resized(seen, _size_wh(image, scale))
            low = BAND_PX[0] if looks else 0.0
            high = BAND_PX[1] if scale != planned[-1] else np.inf
            found = self._look(seen, low, high)
            looks.append(found.resized(seen.shape[1::-1], image.shape[1::-1]))
        faces = merge(looks, [LARGE_PX / scale for scale in planned[:-1]] + [np.inf])
        tall = tall_enough(faces.boxes_xyxy, self.config.min_face_px)
        return faces[tall][: self.config.max_faces]

    def detect_in_crops(self, mosaic: UInt8Array) -> FaceDetections:
        """Return what ``detect`` does for crops in which faces have about the smallest height."""
        scale = self.card.least_face_px / self.config.min_face_px
        seen = _resized(mosaic, _size_wh(mosaic, scale))
        found = merge([self._look(seen, 0.0, np.inf)])
        return found.resized(seen.shape[1::-1], mosaic.shape[1::-1])

    def _look(self, image: UInt8Array, low_px: float, high_px: float) -> FaceDetections:
        """Return the candidates of such heights in an image of the network's scale."""
        card, threshold = self.card, self.config.score_threshold
        parts = []
        for (top, bottom), (highest, lowest) in tiles(image.shape[0]):
            for (left, right), (leftmost, rightmost) in tiles(image.shape[1]):
                cells, shape_hw = self._run(image[top:bottom, left:right])
                found = decode(cells, shape_hw, threshold, card.score_slope, card.score_offset)
                found = found.moved(left, top)
                x, y = found.boxes_xyxy.reshape(-1, 2, 2).mean(axis=1).T
                own = (x >= leftmost) & (x < rightmost) & (y >= highest) & (y < lowest)
                parts.append(found[own])
        found = FaceDetections.joined(parts)
        heights = found.boxes_xyxy[:, 3] - found.boxes_xyxy[:, 1]
        return found[(heights >= low_px) & (heights <= high_px)]

    def _run(self, image: UInt8Array) -> tuple[Float32Array, tuple[int, int]]:
        """Return the network's prediction, float32 (cells, 15), and its input's height and width.

        The image lies top left in that input.
        """
        shape_hw = canvas_side(image.shape[0]), canvas_side(image.shape[1])
        try:
            network = self._interpreters.get(shape_hw)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f'{self.card.files["litert"]} of {self.card.id}: {error}') from error
        maps = network.run(image)
        return np.concatenate([one.reshape(-1, OUTPUT_COLUMNS) for one in maps]), shape_hw


def _size_wh(image: UInt8Array, scale: float) -> tuple[int, int]:
    """Return width and height of the image at *scale*, at least one pixel."""
    return max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))


def _resized(image: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """Return the image at *size_wh*."""
    if size_wh == image.shape[1::-1]:
        return image
    # Averaging keeps strong shrinking free of aliasing; for less, sampling is as good and faster.
    much_smaller = 2 * size_wh[0] <= image.shape[1]
    method = cv2.INTER_AREA if much_smaller else cv2.INTER_LINEAR
    return cv2.resize(image, size_wh, interpolation=method)
