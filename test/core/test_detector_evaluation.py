# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measuring a detector, with photos and predictions whose figures can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.config import DetectionConfig
from fer_ros.errors import DataError
from fer_ros.evaluation.detector import evaluate_detector, format_report, landmark_errors
from fer_ros.evaluation.matching import (
    GroundTruth,
    match_all,
    match_photo,
    read_ground_truth,
)
from fer_ros.types import FaceDetections

FACE = (100, 100, 150, 150)
SHORT_FACE = (10, 10, 40, 40)


def found(*rows: tuple[float, ...]) -> FaceDetections:
    """Detections from rows of left, top, right, bottom, score."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return FaceDetections(
        table[:, :4].copy(), np.full((len(table), 5, 2), np.nan, np.float32), table[:, 4].copy()
    )


def truth(boxes: list[tuple[float, ...]], ignored: list[bool] | None = None) -> GroundTruth:
    flags = [False] * len(boxes) if ignored is None else ignored
    return GroundTruth(
        Path('none.png'), np.array(boxes, np.float32).reshape(-1, 4), np.array(flags, bool)
    )


@pytest.mark.parametrize(
    'detections, faces, verdict',
    [
        pytest.param(found(), truth([]), [], id='nothing at all'),
        pytest.param(found(), truth([FACE]), [], id='nothing found'),
        pytest.param(found((*FACE, 0.9)), truth([]), [-1], id='nobody there'),
        pytest.param(found((*FACE, 0.9)), truth([FACE]), [0], id='found'),
        pytest.param(found((*FACE, 0.9), (*FACE, 0.8)), truth([FACE]), [0, -1], id='found twice'),
        pytest.param(
            found((125, 100, 175, 150, 0.9)), truth([FACE]), [-1], id='overlap of a third'
        ),
        pytest.param(found((*FACE, 0.9)), truth([FACE], [True]), [-2], id='ignored'),
        pytest.param(found((110, 110, 120, 120, 0.9)), truth([FACE], [True]), [-2], id='inside'),
        pytest.param(found((*SHORT_FACE, 0.9)), truth([SHORT_FACE]), [-2], id='too short a face'),
        pytest.param(found((0, 0, 30, 30, 0.9)), truth([]), [-2], id='too short a box'),
        pytest.param(
            found((101, 101, 151, 151, 0.9), (200, 100, 250, 150, 0.7)),
            truth([(200, 100, 250, 150), FACE]),
            [1, 0],
            id='each its own',
        ),
    ],
)
def test_what_a_detection_is(
    detections: FaceDetections, faces: GroundTruth, verdict: list[int]
) -> None:
    assert match_photo(detections, faces, 40, 0.5)[0].tolist() == verdict


def two_photos() -> tuple[list[FaceDetections], list[GroundTruth]]:
    """Three faces of 50, 50 and 100 px; matches at 0.9 and 0.5, false positives at 0.7 and 0.3."""
    big = (200, 200, 300, 300)
    detections = [
        found((*FACE, 0.9), (300, 0, 350, 50, 0.7)),
        found((*big, 0.5), (0, 300, 50, 350, 0.3)),
    ]
    return detections, [truth([FACE, (400, 400, 450, 450)]), truth([big])]


def test_recall_false_positives_and_precision_by_hand() -> None:
    matches = match_all(*two_photos(), min_height_px=40)
    assert matches.heights_px.tolist() == [50, 50, 100]
    assert matches.recall_at(0.0) == pytest.approx(2 / 3)
    assert matches.recall_at(0.6) == pytest.approx(1 / 3)
    assert matches.recall_at(0.0, 80) == 1.0
    assert np.isnan(matches.recall_at(0.0, 500))
    assert matches.fppi_at(0.6) == 0.5
    # Match, false, match, false: precision 1 up to a third, 2/3 up to two thirds.
    assert matches.average_precision() == pytest.approx((1 + 2 / 3) / 3)


@pytest.mark.parametrize(
    'limit, false, recall', [(0.0, 0.0, 1 / 3), (0.5, 0.5, 2 / 3), (0.7, 0.5, 2 / 3), (1, 1, 2 / 3)]
)
def test_threshold_for_so_many_false_positives_per_image(
    limit: float, false: float, recall: float
) -> None:
    matches = match_all(*two_photos(), min_height_px=40)
    threshold = matches.threshold_at(limit)
    assert matches.fppi_at(threshold) == false
    assert matches.recall_at(threshold) == pytest.approx(recall)


def test_photos_without_faces_leave_recall_undefined() -> None:
    matches = match_all([found()], [truth([])], min_height_px=40)
    assert np.isnan(matches.recall_at(0.0))
    assert np.isnan(matches.average_precision())
    assert matches.fppi_at(0.0) == 0


def test_landmark_error_is_a_share_of_the_eye_distance() -> None:
    points = np.array([[[110, 110], [130, 110], [120, 125], [112, 140], [128, 140]]], np.float32)
    box, scores = np.array([FACE], np.float32), np.ones(1, np.float32)
    reference = FaceDetections(box, points, scores)
    shifted = FaceDetections(box, points + np.float32([3, 4]), scores)
    np.testing.assert_allclose(landmark_errors(shifted, reference), [5 / 20])
    assert len(landmark_errors(found((*FACE, 1.0)), reference)) == 0
    assert len(landmark_errors(FaceDetections.empty(), reference)) == 0


class Scripted:
    """Finds bright squares; keeps to its configuration."""

    name = 'scripted'

    def __init__(self) -> None:
        self.config = DetectionConfig(score_threshold=0.6)
        self.asked: list[int] = []

    def detect(self, image: np.ndarray) -> FaceDetections:
        self.asked.append(self.config.min_face_px)
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 100).astype(np.uint8))
        boxes = [(x, y, x + w, y + h, image[y, x, 0] / 255) for x, y, w, h, _ in stats[1:]]
        rows = found(*boxes)
        order = np.argsort(-rows.scores)
        return rows[order][rows.scores[order] >= self.config.score_threshold]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One photo: a bright face of 50 px found surely, a dim one of 30 px; one empty photo."""
    image = np.zeros((200, 200, 3), np.uint8)
    image[100:150, 100:150] = 250
    image[10:40, 10:40] = 120
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    cv2.imwrite(str(tmp_path / 'b.png'), np.zeros((50, 50, 3), np.uint8))
    content = {
        'a.png': {
            'boxes_xywh': [[100, 100, 50, 50], [10, 10, 30, 30]],
            'subset': [['easy'], ['hard']],
        },
        'b.png': {'boxes_xywh': [], 'subset': []},
    }
    (tmp_path / 'ground_truth.json').write_text(json.dumps(content))
    return tmp_path


def test_report_of_a_folder(folder: Path) -> None:
    detector = Scripted()
    before = detector.config
    report = evaluate_detector(detector, folder)
    small, large = report['from_px']['24'], report['from_px']['40']
    assert (small['faces'], large['faces']) == (2, 1)
    assert (small['recall'], small['recall_at_limit'], large['recall']) == (0.5, 1.0, 1.0)
    assert small['average_precision'] == 1.0
    assert small['recall_by_height_px'] == {
        '24-40': 0.0,
        '40-80': 1.0,
        '80-160': None,
        '160-': None,
    }
    assert small['milliseconds'] > 0
    assert detector.config == before
    assert set(detector.asked) == {24, 40}
    json.dumps(report, allow_nan=False)
    lines = '\n'.join(format_report(report))
    assert 'recall 0.500, 0.000 false positives per image at the threshold set' in lines
    assert '80-160 px undefined' in lines


def test_groups_of_photos_are_reported_by_themselves(folder: Path) -> None:
    path = folder / 'ground_truth.json'
    content = json.loads(path.read_text())
    content['a.png']['group'], content['b.png']['group'] = 'masks', 'none'
    path.write_text(json.dumps(content))
    report = evaluate_detector(Scripted(), folder)
    assert report['from_px']['24']['by_group'] == {
        'masks': {'photos': 1, 'faces': 2, 'recall': 0.5, 'false_per_image': 0.0},
        'none': {'photos': 1, 'faces': 0, 'recall': None, 'false_per_image': 0.0},
    }
    assert '  masks: recall 0.500 of 2 faces, 0.000 false positives per image' in format_report(
        report
    )


def test_landmarks_are_compared_where_there_is_a_reference(folder: Path) -> None:
    class WithLandmarks(Scripted):
        def detect(self, image: np.ndarray) -> FaceDetections:
            plain = super().detect(image)
            corners = plain.boxes_xyxy[:, [0, 1, 2, 1, 0, 1, 0, 3, 2, 3]].reshape(-1, 5, 2)
            return FaceDetections(plain.boxes_xyxy, corners, plain.scores)

    report = evaluate_detector(WithLandmarks(), folder, WithLandmarks())
    assert report['from_px']['40']['landmark_error'] == 0
    assert report['from_px']['40']['landmark_faces'] == 1
    assert any('landmark error 0.000' in line for line in format_report(report))
    without = evaluate_detector(Scripted(), folder, WithLandmarks())
    assert without['from_px']['40']['landmark_error'] is None


@pytest.mark.parametrize(
    'content, said',
    [
        pytest.param(None, 'does not exist', id='missing'),
        pytest.param('{', 'Expecting property name', id='not JSON'),
        pytest.param('{}', 'names no photo', id='empty'),
        pytest.param('{"a.png": {}}', 'boxes_xywh', id='no boxes'),
        pytest.param('[1]', 'no attribute', id='a list'),
        pytest.param(
            '{"a.png": {"boxes_xywh": [[1, 2, 3, 4]], "subset": []}}', '1 boxes but 0', id='uneven'
        ),
    ],
)
def test_ground_truth_that_is_wrong_is_refused(tmp_path: Path, content: str, said: str) -> None:
    if content is not None:
        (tmp_path / 'ground_truth.json').write_text(content)
    with pytest.raises(DataError, match=said):
        read_ground_truth(tmp_path)


def test_a_photo_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / 'ground_truth.json').write_text('{"a.png": {"boxes_xywh": [], "subset": []}}')
    with pytest.raises(DataError, match=r'a\.png is not an image'):
        evaluate_detector(Scripted(), tmp_path)


def test_crowds_can_be_read(shared: Path) -> None:
    photos = read_ground_truth(shared / 'data' / 'crowds')
    assert len(photos) == 96
    assert sum(len(photo.boxes_xyxy) for photo in photos) > 454
