# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector that comes with the package: boxes and landmarks from one small network.

An anchor-free single-shot detector (as FCOS, Z. Tian et al., 2019): every cell of three grids says
how well it knows a face, and where that face's box and landmarks lie from the cell's middle.
Trained by ``training.detector``; run by LiteRT.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import lru_cache

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer_ros.config import DetectionConfig
from fer_ros.errors import ModelError
from fer_ros.geometry import non_maximum_suppression, pairwise_iou
from fer_ros.models.card import DetectorCard
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

STRIDES = (8, 16, 32)
UNIT_STRIDES = 4
"""Offsets and sizes come in units of so many strides."""
OUTPUT_COLUMNS = 15
"""Logit of the score; box as dx, dy, log width, log height; five landmarks as dx, dy."""
MAX_IOU = 0.3
SHARE_POWER = 4
"""A face is the mean of the cells that stand for it, each weighted by this power of its score: a
single cell may be far off, the one in the middle of a face that fills the view among them."""
MAX_CANDIDATES = 600
MAX_SIDE_PX = 4096
"""No side of the network's input is longer."""
KEPT_SIZES = 8
"""Interpreters are kept for so many input sizes, so that changing between cameras costs nothing."""
KEPT_PIXELS = 4_000_000
"""And for inputs of so many pixels together: each takes some 85 bytes."""


@lru_cache(maxsize=16)
def cell_centres(shape_hw: tuple[int, int]) -> tuple[Float32Array, Float32Array]:
    """Return where the cells lie in an input of *shape_hw*, fine grid first, row by row.

    Args:
        shape_hw: multiples of the largest stride.

    Returns:
        float32 (cells, 2) middles x, y in pixels and float32 (cells,) strides.
    """
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = shape_hw[0] // stride, shape_hw[1] // stride
        y, x = np.mgrid[:rows, :columns]
        centres.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full(rows * columns, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(
    cells: Float32Array,
    shape_hw: tuple[int, int],
    score_threshold: float,
    slope: float = 1.0,
    offset: float = 0.0,
) -> FaceDetections:
    """Return the faces in the network's answer, in pixels of its input, best score first.

    Args:
        cells: float32 (cells, 15), fine grid first.
        shape_hw: height and width of the network's input.
        score_threshold: cells scored below are dropped.
        slope: the logit is multiplied by this
        offset: and this is added.
    """
    logits = cells[:, 0] * np.float32(slope) + np.float32(offset)
    scores = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    chosen = np.flatnonzero(scores >= score_threshold)
    if len(chosen) > MAX_CANDIDATES:
        chosen = chosen[np.argpartition(-scores[chosen], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    centres, strides = cell_centres(shape_hw)
    answers, middles = cells[chosen], centres[chosen]
    units = strides[chosen, None] * UNIT_STRIDES
    box_middles = middles + answers[:, 1:3] * units
    halves = np.exp(np.clip(answers[:, 3:5], -6, 4)) * units / 2
    boxes = np.concatenate([box_middles - halves, box_middles + halves], axis=1)
    landmarks = middles[:, None] + answers[:, 5:15].reshape(-1, 5, 2) * units[:, None]
    scores = scores[chosen].astype(np.float32)
    same = pairwise_iou(boxes, boxes) > MAX_IOU
    kept = non_maximum_suppression(same, scores)
    shares = same[kept] * scores**SHARE_POWER
    shares /= shares.sum(axis=1, keepdims=True)
    return FaceDetections(shares @ boxes, np.tensordot(shares, landmarks, 1), scores[kept])


def input_shape(shape_hw: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return height and width of the network's input for an image shrunk by *scale*.

    Sides are rounded up to multiples of 32, above 512 of 128: few sizes, each planned once.
    """

    def rounded(side: int) -> int:
        scaled = max(1, math.ceil(side * scale - 1e-6))
        step = STRIDES[-1] if scaled <= 512 else 4 * STRIDES[-1]
        return math.ceil(scaled / step) * step

    return rounded(shape_hw[0]), rounded(shape_hw[1])


class BuiltinDetector:
    """The package's own detector."""

    name = 'builtin'

    def __init__(self, config: DetectionConfig) -> None:
        """Load the card and weights that *config* names; raises ModelError."""
        self.config = config
        self.card = DetectorCard.load(config.weights or 'default')
        self._weights = self.card.weights_path('litert').read_bytes()
        self._interpreters: OrderedDict[tuple[int, int], Interpreter] = OrderedDict()
        self._interpreter((STRIDES[-1], STRIDES[-1]))

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, in its pixels, best score first."""
        config, height, width = self.config, *image.shape[:2]
        scale = self.card.least_face_px / config.min_face_px
        scale = min(scale, MAX_SIDE_PX / max(height, width))
        shape = input_shape((height, width), scale)
        size = (
            min(max(1, round(width * scale)), shape[1]),
            min(max(1, round(height * scale)), shape[0]),
        )
        cells = self._run(_shrunk(image, size), shape)
        found = decode(
            cells, shape, config.score_threshold, self.card.score_slope, self.card.score_offset
        )[: config.max_faces]
        steps = np.array([width / size[0], height / size[1]], np.float32)
        boxes = found.boxes_xyxy * np.tile(steps, 2)
        return FaceDetections(boxes, found.landmarks * steps, found.scores)

    def _run(self, image: UInt8Array, shape_hw: tuple[int, int]) -> Float32Array:
        """Return the network's answer, float32 (cells, 15), for an image set top left."""
        interpreter = self._interpreter(shape_hw)
        # Written where the network reads it: a new array a frame costs more in page faults alone.
        _fill(interpreter.tensor(interpreter.get_input_details()[0]['index'])()[0], image)
        interpreter.invoke()
        maps = [interpreter.get_tensor(one['index']) for one in interpreter.get_output_details()]
        maps.sort(key=lambda one: -one.size)
        return np.concatenate([one.reshape(-1, OUTPUT_COLUMNS) for one in maps])

    def _interpreter(self, shape_hw: tuple[int, int]) -> Interpreter:
        """Return an interpreter planned for inputs of *shape_hw*."""
        if shape_hw in self._interpreters:
            self._interpreters.move_to_end(shape_hw)
            return self._interpreters[shape_hw]
        try:
            interpreter = Interpreter(model_content=self._weights, num_threads=self.config.threads)
            index = interpreter.get_input_details()[0]['index']
            interpreter.resize_tensor_input(index, (1, *shape_hw, 3))
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f'{self.card.files["litert"]} of {self.card.id}: {error}') from error
        self._interpreters[shape_hw] = interpreter
        self._forget_old_ones()
        return interpreter

    def _forget_old_ones(self) -> None:
        """Give back what was not used for longest, but never the newest."""
        kept = self._interpreters
        while len(kept) > KEPT_SIZES or (
            len(kept) > 1 and sum(rows * columns for rows, columns in kept) > KEPT_PIXELS
        ):
            kept.popitem(last=False)


def _fill(target: Float32Array, image: UInt8Array) -> None:
    """Write an image as 0..1 into the top left of *target*, and zeros beside it."""
    height, width = image.shape[:2]
    np.multiply(image, np.float32(1 / 255), out=target[:height, :width])
    target[height:], target[:height, width:] = 0, 0


def _shrunk(image: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """Return the image at *size_wh*."""
    if size_wh == image.shape[1::-1]:
        return image
    # Averaging keeps strong shrinking free of aliasing; for less, sampling is as good and faster.
    much_smaller = 2 * size_wh[0] <= image.shape[1]
    method = cv2.INTER_AREA if much_smaller else cv2.INTER_LINEAR
    return cv2.resize(image, size_wh, interpolation=method)
