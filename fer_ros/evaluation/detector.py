# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good a face detector is: recall at a rate of false boxes, precision, landmarks, time.

A folder holds photos and ``ground_truth.json``: file name to ``boxes_xywh`` (pixels) and
``subset`` (a list a box; boxes with an empty one are neither wanted nor punished).
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.detection import FaceDetector
from fer_ros.errors import DataError
from fer_ros.evaluation.watch import Watch, unwatched
from fer_ros.geometry import box_areas, clip_boxes, pairwise_iou
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

FALSE_PER_IMAGE = {24: 0.25, 40: 0.05}
"""Smallest face height asked for, px, and the rate of false boxes at which recall is read."""
SIZE_EDGES_PX = (24, 40, 80, 160, 100_000)
CURVE_FALSE_PER_IMAGE = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Rates of false boxes at which the report's curve gives the recall."""
SCORED_FROM = 0.02
"""Detectors are asked for faces from this score, so that every threshold can be judged."""
WARM_UP = 5


@dataclass(frozen=True)
class GroundTruth:
    """The faces of one photo.

    Attributes:
        path: of the photo.
        boxes_xyxy: float32 (N, 4) px.
        wanted: bool (N,); the others are neither wanted nor punished.
    """

    path: Path
    boxes_xyxy: Float32Array
    wanted: np.ndarray

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
            wanted = np.array([bool(subset) for subset in entry['subset']], bool)
            if len(wanted) != len(boxes):
                raise ValueError(f'{name}: {len(boxes)} boxes but {len(wanted)} subsets')
            photos.append(GroundTruth(folder / name, boxes, wanted))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f'{path}: {error}') from error
    if not photos:
        raise DataError(f'{path}: names no photo')
    return photos


@dataclass(frozen=True)
class Judged:
    """Every detection of a set of photos, and every wanted face.

    Attributes:
        scores: float32 (D,) of the detections that count.
        hits: bool (D,); whether each found a wanted face (otherwise it is a false box).
        face: int64 (D,); the face found, a row of heights_px, or -1.
        heights_px: float32 (F,) of the wanted faces.
        photos: number of photos.
    """

    scores: Float32Array
    hits: np.ndarray
    face: np.ndarray
    heights_px: Float32Array
    photos: int

    def threshold_at(self, false_per_image: float) -> float:
        """Return the lowest score from which there are at most so many false boxes a photo."""
        false = np.sort(self.scores[~self.hits])[::-1]
        allowed = int(np.floor(false_per_image * self.photos + 1e-9))
        return 0.0 if len(false) <= allowed else float(np.nextafter(false[allowed], np.float32(2)))

    def recall_at(self, threshold: float, low_px: float = 0.0, high_px: float = np.inf) -> float:
        """Return the share of faces of that height found with at least this score; NaN for none."""
        asked = (self.heights_px >= low_px) & (self.heights_px < high_px)
        found = np.zeros(len(asked), bool)
        found[self.face[self.hits & (self.scores >= threshold)]] = True
        return float((found & asked).sum() / asked.sum()) if asked.any() else float('nan')

    def false_at(self, threshold: float) -> float:
        """Return the number of false boxes a photo with at least this score."""
        return float((~self.hits & (self.scores >= threshold)).sum() / self.photos)

    def average_precision(self) -> float:
        """Return the area under the precision-recall curve (all points); NaN without faces."""
        if not len(self.heights_px):
            return float('nan')
        order = np.argsort(-self.scores, kind='stable')
        hits = np.cumsum(self.hits[order])
        precision = hits / np.arange(1, len(hits) + 1)
        # The best precision still reachable at each recall.
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float((best * self.hits[order]).sum() / len(self.heights_px))


def match_photo(
    found: FaceDetections, truth: GroundTruth, min_height_px: float, min_iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decide for each detection, best first, what it is.

    A wanted face at least *min_height_px* high is found by the best detection that overlaps it by
    *min_iou*. Detections of other faces, and those too low to have been asked for, do not count.

    Returns:
        int64 (D,) row of the face found, -1 for a false box, -2 for one that does not count;
        int64 rows of the wanted faces.
    """
    heights = truth.boxes_xyxy[:, 3] - truth.boxes_xyxy[:, 1]
    wanted = truth.wanted & (heights >= min_height_px)
    overlaps = pairwise_iou(found.boxes_xyxy, truth.boxes_xyxy)
    top_left = np.maximum(found.boxes_xyxy[:, None, :2], truth.boxes_xyxy[None, :, :2])
    bottom_right = np.minimum(found.boxes_xyxy[:, None, 2:], truth.boxes_xyxy[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    inside = shared / np.maximum(box_areas(found.boxes_xyxy), 1e-6)[:, None]
    free = wanted.copy()
    verdict = np.full(len(found), -1, np.int64)
    for row in range(len(found)):
        candidates = np.where(free, overlaps[row], 0.0)
        if candidates.size and candidates.max() >= min_iou:
            verdict[row] = int(candidates.argmax())
            free[verdict[row]] = False
        elif ((inside[row] >= 0.5) | (overlaps[row] >= min_iou))[~wanted].any() or found.boxes_xyxy[
            row, 3
        ] - found.boxes_xyxy[row, 1] < min_height_px:
            verdict[row] = -2
    return verdict, np.flatnonzero(wanted)


def judge(
    detections: Sequence[FaceDetections],
    truths: Sequence[GroundTruth],
    min_height_px: float,
    min_iou: float = 0.5,
) -> Judged:
    """Match the detections of all photos with their faces, see ``match_photo``."""
    scores, verdicts, heights, seen = [], [], [], 0
    for found, truth in zip(detections, truths, strict=True):
        verdict, wanted = match_photo(found, truth, min_height_px, min_iou)
        row_of = np.full(len(truth.boxes_xyxy), -1)
        row_of[wanted] = seen + np.arange(len(wanted))
        counted = verdict != -2
        hit = verdict[counted] >= 0
        verdicts.append(
            np.where(hit, row_of[np.maximum(verdict[counted], 0)] if len(row_of) else -1, -1)
        )
        scores.append(found.scores[counted])
        heights.append((truth.boxes_xyxy[:, 3] - truth.boxes_xyxy[:, 1])[wanted])
        seen += len(wanted)
    face = np.concatenate(verdicts).astype(np.int64)
    return Judged(np.concatenate(scores), face >= 0, face, np.concatenate(heights), len(truths))


def landmark_errors(found: FaceDetections, reference: FaceDetections) -> Float32Array:
    """Return float32 (K,): mean distance of five landmarks, in eye distances of the reference.

    One number for each face that both found (IoU at least 0.5) and that has all its landmarks.
    """
    if not len(found) or not len(reference):
        return np.zeros(0, np.float32)
    overlaps = pairwise_iou(reference.boxes_xyxy, found.boxes_xyxy)
    best = overlaps.argmax(axis=1)
    points = found.landmarks[best]
    usable = (overlaps.max(axis=1) >= 0.5) & np.isfinite(points).all(axis=(1, 2))
    eyes = np.linalg.norm(reference.landmarks[:, 0] - reference.landmarks[:, 1], axis=1)
    error = np.linalg.norm(points - reference.landmarks, axis=2).mean(axis=1)
    return (error / np.maximum(eyes, 1e-3))[usable & (eyes > 0)].astype(np.float32)


def with_settings(detector: FaceDetector, **changes: Any) -> FaceDetector:
    """Change settings of *detector* in place and return it."""
    detector.config = dataclasses.replace(detector.config, **changes)
    return detector


def detect_within(detector: FaceDetector, image: UInt8Array) -> FaceDetections:
    """Return what *detector* finds on *image*, boxes clipped to it as ground truth is."""
    found = detector.detect(image)
    return dataclasses.replace(found, boxes_xyxy=clip_boxes(found.boxes_xyxy, image.shape[:2]))


def detect_all(detector: FaceDetector, truths: Sequence[GroundTruth]) -> list[FaceDetections]:
    """Return what *detector* finds on every photo."""
    return [detect_within(detector, truth.read()) for truth in truths]


def time_detector(
    detector: FaceDetector, images: Sequence[UInt8Array], watch: Watch = unwatched
) -> float:
    """Return the median milliseconds an image, after a short warm-up."""
    spent = []
    for image in watch([*images[:WARM_UP], *images], 'timing'):
        start = time.perf_counter()
        detector.detect(image)
        spent.append((time.perf_counter() - start) * 1000)
    return float(np.median(spent[min(WARM_UP, len(images)) :]))


def evaluate_detector(
    detector: FaceDetector,
    folder: Path,
    reference: FaceDetector | None = None,
    min_iou: float = 0.5,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Measure a detector on a folder of photos with ground truth.

    For each height in FALSE_PER_IMAGE the detector is asked for faces from there on: recall at that
    rate of false boxes, recall and false boxes at the detector's own threshold, recall by size,
    average precision, milliseconds an image, and landmark error where there is a *reference*.

    Args:
        detector: its ``config.score_threshold`` is the one judged; settings are put back.
        folder: see ``read_ground_truth``.
        reference: a detector whose landmarks are taken for true; asked at its own threshold.
        min_iou: overlap from which a face counts as found.
        watch: wraps each pass over the photos, as a progress bar does.

    Returns:
        what ``format_report`` prints and ``--json`` writes; undefined numbers are None.

    Raises:
        DataError: the folder does not hold what it should.
    """
    truths = read_ground_truth(folder)
    asked = detector.config
    report: dict[str, Any] = {'detector': detector.name, 'photos': len(truths), 'min_iou': min_iou}
    report['score_threshold'] = asked.score_threshold
    images = [truth.read() for truth in truths]
    try:
        report['from_px'] = {
            str(height): _one_size(detector, reference, truths, images, height, min_iou, watch)
            for height in FALSE_PER_IMAGE
        }
    finally:
        detector.config = asked
    return report


def _one_size(
    detector: FaceDetector,
    reference: FaceDetector | None,
    truths: Sequence[GroundTruth],
    images: Sequence[UInt8Array],
    height_px: int,
    min_iou: float,
    watch: Watch,
) -> dict[str, Any]:
    """Return the figures for faces from *height_px* on."""
    threshold, limit = detector.config.score_threshold, FALSE_PER_IMAGE[height_px]
    with_settings(detector, min_face_px=height_px)
    milliseconds = time_detector(detector, images, watch)
    with_settings(detector, score_threshold=SCORED_FROM, max_faces=1000)
    watched = watch(images, f'faces from {height_px} px')
    found = [detect_within(detector, image) for image in watched]
    with_settings(detector, score_threshold=threshold)
    judged = judge(found, truths, height_px, min_iou)
    best = judged.threshold_at(limit)
    result = {
        'faces': len(judged.heights_px),
        'average_precision': judged.average_precision(),
        'false_per_image_limit': limit,
        'threshold_at_limit': best,
        'recall_at_limit': judged.recall_at(best),
        'recall': judged.recall_at(threshold),
        'false_per_image': judged.false_at(threshold),
        'recall_by_height_px': {
            f'{low}-{high}' if high < SIZE_EDGES_PX[-1] else f'{low}-': judged.recall_at(
                threshold, low, high
            )
            for low, high in itertools.pairwise(SIZE_EDGES_PX)
            if low >= height_px
        },
        'curve': [
            [limit, judged.recall_at(judged.threshold_at(limit))] for limit in CURVE_FALSE_PER_IMAGE
        ],
        'milliseconds': milliseconds,
    }
    if reference is not None:
        result.update(_landmarks(found, threshold, reference, truths, images, height_px))
    return {name: _defined(value) for name, value in result.items()}


def _landmarks(
    found: Sequence[FaceDetections],
    threshold: float,
    reference: FaceDetector,
    truths: Sequence[GroundTruth],
    images: Sequence[UInt8Array],
    height_px: int,
) -> dict[str, Any]:
    """Return how far landmarks lie from the reference's, on wanted faces that both found."""
    errors = []
    for mine, truth, image in zip(found, truths, images):
        theirs = detect_within(reference, image)
        sure = match_photo(theirs, truth, height_px, 0.5)[0] >= 0
        errors.append(landmark_errors(mine[mine.scores >= threshold], theirs[sure]))
    all_errors = np.concatenate(errors)
    some = len(all_errors) > 0
    return {
        'landmark_error': float(all_errors.mean()) if some else float('nan'),
        'landmark_error_median': float(np.median(all_errors)) if some else float('nan'),
        'landmark_faces': len(all_errors),
    }


def _defined(value: Any) -> Any:
    """Return *value* with NaN as None, at any depth."""
    if isinstance(value, dict):
        return {name: _defined(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_defined(inner) for inner in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def format_report(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a report for people."""

    def shown(value: float | None) -> str:
        return 'undefined' if value is None else f'{value:.3f}'

    yield (
        f'{report["detector"]}: {report["photos"]} photos, overlap {report["min_iou"]}, '
        f'score from {report["score_threshold"]}'
    )
    for height, one in report['from_px'].items():
        yield f'faces from {height} px: {one["faces"]}'
        yield (
            f'  recall {shown(one["recall_at_limit"])} at {one["false_per_image_limit"]} false '
            f'boxes a photo (score from {one["threshold_at_limit"]:.2f})'
        )
        yield (
            f'  recall {shown(one["recall"])}, {one["false_per_image"]:.3f} false boxes a photo '
            'at the threshold set'
        )
        yield f'  average precision {shown(one["average_precision"])}'
        sizes = (f'{size} px {shown(value)}' for size, value in one['recall_by_height_px'].items())
        yield '  recall by height: ' + ', '.join(sizes)
        if 'landmark_error' in one:
            yield (
                f'  landmark error {shown(one["landmark_error"])} of the eye distance (median '
                f'{shown(one["landmark_error_median"])}, {one["landmark_faces"]} faces)'
            )
        yield f'  {one["milliseconds"]:.2f} ms a photo'
