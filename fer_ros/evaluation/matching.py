# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos with ground truth, and which detections match their faces.

A folder holds photos and ``ground_truth.json``: file name to ``boxes_xywh`` (pixels), ``subset`` (a
list per box; boxes with an empty one are ignored: neither missed nor false positives) and, if you
like, ``group``, the name of a group of photos to be reported by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_ros.errors import DataError
from fer_ros.geometry import pairwise_coverage, pairwise_iou
from fer_ros.types import BoolArray, FaceDetections, Float32Array, Int64Array, UInt8Array

MIN_COVERAGE = 0.5
"""A detection of which so much lies in an ignored face is ignored too."""


@dataclass(frozen=True)
class GroundTruth:
    """The faces of one photo.

    Attributes:
        path: of the photo.
        boxes_xyxy: float32 (N, 4) px.
        ignored: bool (N,); faces that count neither as missed nor, if found, as false positives.
        group: of the photo; may be empty.
    """

    path: Path
    boxes_xyxy: Float32Array
    ignored: BoolArray
    group: str = ''

    @property
    def heights_px(self) -> Float32Array:
        """Return float32 (N,) heights of the boxes."""
        return self.boxes_xyxy[:, 3] - self.boxes_xyxy[:, 1]

    def read(self) -> UInt8Array:
        """Return the photo, uint8 (H, W, 3) BGR; raises DataError if it cannot be read."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f'{self.path} is not an image')
        return image


def read_ground_truth(folder: Path) -> list[GroundTruth]:
    """Return the photos of *folder* in order of name.

    Raises:
        DataError: ground_truth.json is missing, empty or malformed.
    """
    path = folder / 'ground_truth.json'
    if not path.is_file():
        raise DataError(f'{path} does not exist; it names the photos and their faces')
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        photos = []
        for name, entry in sorted(content.items()):
            boxes = np.array(entry['boxes_xywh'], np.float32).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            ignored = np.array([not subset for subset in entry['subset']], bool)
            if len(ignored) != len(boxes):
                raise ValueError(f'{name}: {len(boxes)} boxes but {len(ignored)} subsets')
            photos.append(GroundTruth(folder / name, boxes, ignored, str(entry.get('group', ''))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f'{path}: {error}') from error
    if not photos:
        raise DataError(f'{path}: names no photo')
    return photos


@dataclass(frozen=True)
class Matches:
    """Every detection of a set of photos, and every face that is not ignored.

    Attributes:
        scores: float32 (D,) of the detections that count.
        face: int64 (D,); the face matched, a row of heights_px, or -1 for a false positive.
        heights_px: float32 (F,) of the faces.
        photos: number of photos.
    """

    scores: Float32Array
    face: Int64Array
    heights_px: Float32Array
    photos: int

    @property
    def is_match(self) -> BoolArray:
        """Return bool (D,): which detections match a face; the others are false positives."""
        return self.face >= 0

    def threshold_at(self, fppi: float) -> float:
        """Return the lowest score that gives at most so many false positives per image."""
        false = np.sort(self.scores[~self.is_match])[::-1]
        allowed = int(np.floor(fppi * self.photos + 1e-9))
        return 0.0 if len(false) <= allowed else float(np.nextafter(false[allowed], np.float32(2)))

    def recall_at(self, threshold: float, low_px: float = 0.0, high_px: float = np.inf) -> float:
        """Return the share of faces of that height found with at least this score; NaN for none."""
        in_range = (self.heights_px >= low_px) & (self.heights_px < high_px)
        found = np.zeros(len(in_range), bool)
        found[self.face[self.is_match & (self.scores >= threshold)]] = True
        return float((found & in_range).sum() / in_range.sum()) if in_range.any() else float('nan')

    def fppi_at(self, threshold: float) -> float:
        """Return the number of false positives per image with at least this score."""
        return float((~self.is_match & (self.scores >= threshold)).sum() / self.photos)

    def average_precision(self) -> float:
        """Return the area under the precision-recall curve (all points); NaN without faces."""
        if not len(self.heights_px):
            return float('nan')
        order = np.argsort(-self.scores, kind='stable')
        matched = np.cumsum(self.is_match[order])
        precision = matched / np.arange(1, len(matched) + 1)
        # The best precision still reachable at each recall.
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float((best * self.is_match[order]).sum() / len(self.heights_px))


FALSE_POSITIVE, IGNORED = -1, -2


def match_photo(
    predictions: FaceDetections, truth: GroundTruth, min_height_px: float, min_iou: float
) -> tuple[Int64Array, Int64Array]:
    """Decide for each detection, best first, what it is.

    A face at least *min_height_px* high that is not ignored is matched by the best detection that
    overlaps it by *min_iou*. Detections of other faces, and those shorter than that, are ignored.

    Returns:
        int64 (D,) row of the face matched, FALSE_POSITIVE or IGNORED; int64 rows of the faces that
        are not ignored.
    """
    counted = ~truth.ignored & (truth.heights_px >= min_height_px)
    overlaps = pairwise_iou(predictions.boxes_xyxy, truth.boxes_xyxy)
    inside = pairwise_coverage(predictions.boxes_xyxy, truth.boxes_xyxy) >= MIN_COVERAGE
    on_ignored = ((inside | (overlaps >= min_iou)) & ~counted).any(axis=1)
    heights = predictions.boxes_xyxy[:, 3] - predictions.boxes_xyxy[:, 1]
    free = counted.copy()
    verdicts = np.where(on_ignored | (heights < min_height_px), IGNORED, FALSE_POSITIVE)
    for row in range(len(predictions)):
        candidates = np.where(free, overlaps[row], 0.0)
        if candidates.size and candidates.max() >= min_iou:
            verdicts[row] = int(candidates.argmax())
            free[verdicts[row]] = False
    return verdicts.astype(np.int64), np.flatnonzero(counted)


def match_all(
    predictions: Sequence[FaceDetections],
    truths: Sequence[GroundTruth],
    min_height_px: float,
    min_iou: float = 0.5,
) -> Matches:
    """Match the detections of all photos with their faces, see ``match_photo``."""
    scores, faces, heights, seen = [], [], [], 0
    for found, truth in zip(predictions, truths, strict=True):
        verdicts, counted = match_photo(found, truth, min_height_px, min_iou)
        # One more row at the end: a false positive (-1) stays one.
        number = np.full(len(truth.boxes_xyxy) + 1, FALSE_POSITIVE)
        number[counted] = seen + np.arange(len(counted))
        faces.append(number[verdicts[verdicts != IGNORED]])
        scores.append(found.scores[verdicts != IGNORED])
        heights.append(truth.heights_px[counted])
        seen += len(counted)
    face = np.concatenate(faces).astype(np.int64)
    return Matches(np.concatenate(scores), face, np.concatenate(heights), len(truths))
