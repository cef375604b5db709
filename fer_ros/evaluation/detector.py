# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good a face detector is: recall at a rate of false positives, precision, landmarks, time.

On a folder of photos with ground truth, see ``fer_ros.evaluation.matching``.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.detection import FaceDetector
from fer_ros.evaluation.matching import (
    GroundTruth,
    match_all,
    match_photo,
    read_ground_truth,
)
from fer_ros.evaluation.watch import Watch, unwatched
from fer_ros.geometry import clip_boxes, pairwise_iou
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

FPPI_LIMITS = {24: 0.25, 40: 0.05}
"""Shortest face looked for, px, and the false positives per image at which recall is read."""
SIZE_EDGES_PX = (24, 40, 80, 160, 100_000)
CURVE_FPPI = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""False positives per image at which the report's curve gives the recall."""
SCORED_FROM = 0.02
"""Detectors return faces from this score on, so that every threshold can be measured."""
WARM_UP = 5


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
    """Return the median milliseconds per image, after a short warm-up."""
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

    For each height in FPPI_LIMITS the detector looks for faces from there on: recall at that many
    false positives per image (FPPI), recall and FPPI at the detector's own threshold, recall by
    size and by group of photos, average precision, milliseconds per image, and landmark error where
    there is a *reference*.

    Args:
        detector: its ``config.score_threshold`` is the one measured; settings are put back.
        folder: see ``read_ground_truth``.
        reference: a detector whose landmarks are taken for true, at its own threshold.
        min_iou: overlap from which a face counts as found.
        watch: wraps each pass over the photos, as a progress bar does.

    Returns:
        what ``format_report`` prints and ``--json`` writes; undefined numbers are None.

    Raises:
        DataError: the folder does not hold what it should.
    """
    truths = read_ground_truth(folder)
    settings = detector.config
    report: dict[str, Any] = {'detector': detector.name, 'photos': len(truths), 'min_iou': min_iou}
    report['score_threshold'] = settings.score_threshold
    images = [truth.read() for truth in truths]
    try:
        report['from_px'] = {
            str(height): _one_size(detector, reference, truths, images, height, min_iou, watch)
            for height in FPPI_LIMITS
        }
    finally:
        detector.config = settings
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
    threshold, limit = detector.config.score_threshold, FPPI_LIMITS[height_px]
    with_settings(detector, min_face_px=height_px)
    milliseconds = time_detector(detector, images, watch)
    with_settings(detector, score_threshold=SCORED_FROM, max_faces=1000)
    watched = watch(images, f'faces from {height_px} px')
    found = [detect_within(detector, image) for image in watched]
    with_settings(detector, score_threshold=threshold)
    matches = match_all(found, truths, height_px, min_iou)
    best = matches.threshold_at(limit)
    result = {
        'faces': len(matches.heights_px),
        'average_precision': matches.average_precision(),
        'false_per_image_limit': limit,
        'threshold_at_limit': best,
        'recall_at_limit': matches.recall_at(best),
        'recall': matches.recall_at(threshold),
        'false_per_image': matches.fppi_at(threshold),
        'recall_by_height_px': {
            f'{low}-{high}' if high < SIZE_EDGES_PX[-1] else f'{low}-': matches.recall_at(
                threshold, low, high
            )
            for low, high in itertools.pairwise(SIZE_EDGES_PX)
            if low >= height_px
        },
        'by_group': _by_group(found, truths, height_px, min_iou, threshold),
        'curve': [
            [limit, matches.recall_at(matches.threshold_at(limit))] for limit in CURVE_FPPI
        ],
        'milliseconds': milliseconds,
    }
    if reference is not None:
        result.update(_landmarks(found, threshold, reference, truths, images, height_px))
    return {name: _defined(value) for name, value in result.items()}


def _by_group(
    found: Sequence[FaceDetections],
    truths: Sequence[GroundTruth],
    height_px: int,
    min_iou: float,
    threshold: float,
) -> dict[str, Any]:
    """Return photos, faces, recall and false positives per image of each group of photos."""
    groups = {}
    for group in sorted({truth.group for truth in truths if truth.group}):
        rows = [row for row, truth in enumerate(truths) if truth.group == group]
        chosen = [found[row] for row in rows], [truths[row] for row in rows]
        matches = match_all(*chosen, height_px, min_iou)
        groups[group] = {
            'photos': len(rows),
            'faces': len(matches.heights_px),
            'recall': matches.recall_at(threshold),
            'false_per_image': matches.fppi_at(threshold),
        }
    return groups


def _landmarks(
    found: Sequence[FaceDetections],
    threshold: float,
    reference: FaceDetector,
    truths: Sequence[GroundTruth],
    images: Sequence[UInt8Array],
    height_px: int,
) -> dict[str, Any]:
    """Return how far landmarks lie from the reference's, on faces that both found."""
    errors = []
    for mine, truth, image in zip(found, truths, images):
        theirs = detect_within(reference, image)
        matched = match_photo(theirs, truth, height_px, 0.5)[0] >= 0
        errors.append(landmark_errors(mine[mine.scores >= threshold], theirs[matched]))
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
            f'positives per image (score from {one["threshold_at_limit"]:.2f})'
        )
        yield (
            f'  recall {shown(one["recall"])}, {one["false_per_image"]:.3f} false positives per '
            'image at the threshold set'
        )
        yield f'  average precision {shown(one["average_precision"])}'
        sizes = (f'{size} px {shown(value)}' for size, value in one['recall_by_height_px'].items())
        yield '  recall by height: ' + ', '.join(sizes)
        for group, part in one['by_group'].items():
            yield (
                f'  {group}: recall {shown(part["recall"])} of {part["faces"]} faces, '
                f'{part["false_per_image"]:.3f} false positives per image'
            )
        if 'landmark_error' in one:
            yield (
                f'  landmark error {shown(one["landmark_error"])} of the eye distance (median '
                f'{shown(one["landmark_error_median"])}, {one["landmark_faces"]} faces)'
            )
        yield f'  {one["milliseconds"]:.2f} ms per image'
