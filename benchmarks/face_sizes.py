# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces from a small part of the view to larger than it, and turned: what is found of them.

    python -m benchmarks.face_sizes ../shared/data/portraits --yunet ../shared/models [--json FILE]

Photos on which YuNet-n, at their own size, finds one face of at least 64 px are enlarged (cubic)
until the face has the height asked for. A face counts as found if one box overlaps the place where
it was before by 0.5; every other box is counted too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.config import DETECTORS, DetectionConfig
from fer_ros.detection import FaceDetector, make_detector
from fer_ros.detection.following import FaceFollower
from fer_ros.detection.turning import detect_any_way_up
from fer_ros.errors import DataError
from fer_ros.geometry import clip_boxes, pairwise_iou
from fer_ros.images.decoding import read_image
from fer_ros.types import FaceDetections, Float32Array, UInt8Array

CLOSE_PX = (120, 200, 300, 450, 500, 600, 800, 1000, 1400, 2000)
PICTURE_PX = (300, 600, 1000, 1600)
SIDES_PX = (100, 200, 300, 450, 600, 800, 1000)
ANGLES_DEG = tuple(range(0, 181, 15))
LEAST_FACE_PX, MIN_IOU = 64, 0.5
MAX_LANDMARK_ERROR = 0.3
"""Mean distance of landmarks, in eye distances, up to which a face counts as the right way up."""

Sample = tuple[UInt8Array, FaceDetections]
"""A photo and its one face."""


def samples(folder: Path, yunet: Path, count: int) -> list[Sample]:
    """Return photos with one face each, spread evenly over *folder*.

    Raises:
        DataError: there are fewer.
    """
    teacher = make_detector(DetectionConfig(backend='yunet', weights=str(yunet), threads=1))
    paths = sorted(p for p in folder.rglob('*') if p.suffix in ('.jpg', '.png'))
    found = []
    for path in paths[:: max(1, len(paths) // (4 * count))]:
        image = read_image(path)
        faces = teacher.detect(image)
        heights = faces.boxes_xyxy[:, 3] - faces.boxes_xyxy[:, 1]
        if len(faces) == 1 and faces.scores[0] > 0.8 and heights[0] >= LEAST_FACE_PX:
            found.append((image, faces))
        if len(found) == count:
            return found
    raise DataError(f'{folder}: {len(found)} photos with one face, {count} are needed')


def matches(found: FaceDetections, box_xyxy: Float32Array, shape_hw: tuple[int, int]) -> np.ndarray:
    """Return bool (N,): which boxes overlap *box_xyxy* (4,) as far as the image shows it."""
    shown = clip_boxes(np.atleast_2d(box_xyxy).astype(np.float32), shape_hw)
    return pairwise_iou(clip_boxes(found.boxes_xyxy, shape_hw), shown)[:, 0] >= MIN_IOU


def close_up(sample: Sample, face_px: int) -> tuple[UInt8Array, Float32Array]:
    """Return a square view twice as high as the face in its middle, and the face's box."""
    image, faces = sample
    box = faces.boxes_xyxy[0]
    scale = face_px / (box[3] - box[1])
    shift = face_px - scale * (box[:2] + box[2:]) / 2
    matrix = np.column_stack([scale * np.eye(2), shift])
    view = cv2.warpAffine(
        image, matrix, (2 * face_px,) * 2, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return view, scale * box + np.tile(shift, 2)


def enlarged(sample: Sample, scale: float) -> tuple[UInt8Array, Float32Array]:
    """Return the whole photo at *scale*, and the face's box."""
    image, faces = sample
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    steps = np.array(large.shape[1::-1]) / image.shape[1::-1]
    return large, faces.boxes_xyxy[0] * np.tile(steps, 2)


def count_found(
    detector: FaceDetector, views: Iterator[tuple[UInt8Array, Float32Array]]
) -> tuple[int, int]:
    """Return how many faces were found, and the number of all other boxes."""
    right = others = 0
    for view, box in views:
        found = detector.detect(view)
        hits = matches(found, box, view.shape[:2])
        right += bool(hits.any())
        others += len(found) - bool(hits.any())
    return right, others


def turned(sample: Sample, degrees: float) -> tuple[UInt8Array, Float32Array]:
    """Return the photo turned about its face, and where the landmarks lie then."""
    image, faces = sample
    box = faces.boxes_xyxy[0]
    side = int(2 * np.hypot(*image.shape[:2]))
    centre = tuple(float(v) for v in (box[:2] + box[2:]) / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    matrix[:, 2] += side / 2 - np.array(centre)
    view = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return view, faces.landmarks[0] @ matrix[:, :2].T + matrix[:, 2]


def count_turned(
    detect: Callable[[UInt8Array], FaceDetections], chosen: Sequence[Sample], degrees: float
) -> tuple[int, int]:
    """Return how many faces were found the right way up, and how many another way up."""
    right = wrong = 0
    for view, points in (turned(sample, degrees) for sample in chosen):
        found = detect(view)
        eyes = np.linalg.norm(points[0] - points[1])
        away = np.linalg.norm(found.landmarks - points, axis=2).mean(axis=1) / eyes
        near = np.linalg.norm(found.landmarks.mean(axis=1) - points.mean(axis=0), axis=1) < eyes
        right += bool((away <= MAX_LANDMARK_ERROR).any())
        wrong += int((near & (away > MAX_LANDMARK_ERROR)).sum())
    return right, wrong


def measure(detector: FaceDetector, chosen: list[Sample]) -> dict[str, Any]:
    """Return every table as a list of rows: pixels or degrees, found, and others.

    Of turned faces: how many are right and wrong in one search, in a stream and on photos.
    """

    def fitting(sample: Sample, side_px: int) -> float:
        return side_px / max(sample[0].shape[:2])

    def face_scale(sample: Sample, face_px: int) -> float:
        return face_px / float(sample[1].boxes_xyxy[0, 3] - sample[1].boxes_xyxy[0, 1])

    def in_stream(view: UInt8Array) -> FaceDetections:
        return FaceFollower(detector.detect, DetectionConfig()).detect(view, 0.0)

    def in_photo(view: UInt8Array) -> FaceDetections:
        return detect_any_way_up(detector.detect, view)

    ways = (detector.detect, in_stream, in_photo)
    seven, forty, others = chosen[:7], chosen[7:47], chosen[47:71]
    return {
        'close_up': [
            [px, *count_found(detector, (close_up(one, px) for one in seven))] for px in CLOSE_PX
        ],
        'photo_side': [
            [px, *count_found(detector, (enlarged(one, fitting(one, px)) for one in forty))]
            for px in SIDES_PX
        ],
        'photo_face': [
            [px, *count_found(detector, (enlarged(one, face_scale(one, px)) for one in others))]
            for px in PICTURE_PX
        ],
        'turned': [
            [degrees, *(n for way in ways for n in count_turned(way, others, degrees))]
            for degrees in ANGLES_DEG
        ],
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='photos')
    parser.add_argument('--yunet', type=Path, required=True, help='weights of YuNet-n')
    parser.add_argument('--detector', choices=DETECTORS, default='builtin')
    parser.add_argument('--weights', default='', help="the detector's, or its card")
    parser.add_argument('--json', type=Path, help='write the tables here too')
    options = parser.parse_args()
    config = DetectionConfig(backend=options.detector, weights=options.weights, threads=1)
    tables = measure(make_detector(config), samples(options.folder, options.yunet, 71))
    for name, rows in tables.items():
        print(name, *(' '.join(map(str, row)) for row in rows), sep='\n  ')
    if options.json:
        options.json.write_text(json.dumps(tables) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
