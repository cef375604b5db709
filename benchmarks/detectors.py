# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""All detectors in one run, on one thread: accuracy on a folder, time at 640x480, faces in clips.

    python -m benchmarks.detectors ../shared/data/crowds --clips ../shared/data/clips \
        --yunet ../shared/models --detectors builtin yunet haar mtcnn

Haar needs OpenCV 4; mtcnn needs its package and TensorFlow.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.detection import FaceDetector, make_detector, yunet
from fer_ros.drawing.plot_style import plot_style
from fer_ros.evaluation.detector import evaluate_detector, time_detector
from fer_ros.evaluation.matching import read_ground_truth
from fer_ros.images.sources import VideoSource
from fer_ros.measuring.report import table
from fer_ros.types import FaceDetections, UInt8Array

YUNET_FILES = {
    'yunet': 'face_detection_yunet_2023mar.onnx',
    'yunet_n': 'yunet_n_640_640.onnx',
}
MIN_IOU = {'haar': 0.4}
"""Haar's boxes are drawn tighter than the ground truth's; a smaller overlap is fair to it."""
TIMED_PHOTOS = 30


class MtcnnDetector:
    """The ``mtcnn`` package, installed for comparison only; wants TensorFlow."""

    name = 'mtcnn'

    def __init__(self, config: DetectionConfig) -> None:
        """Load the networks that come with the package."""
        from mtcnn import MTCNN

        self.config = config
        self._net = MTCNN(device='CPU:0')

    def detect(self, image: UInt8Array) -> FaceDetections:
        """Return the faces of *image*, uint8 (H, W, 3) BGR, in its pixels, best score first."""
        faces = self._net.detect_faces(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        # It names sides as the viewer sees them.
        names = ('left_eye', 'right_eye', 'nose', 'mouth_left', 'mouth_right')
        boxes = np.array([face['box'] for face in faces], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        points = [[face['keypoints'][name] for name in names] for face in faces]
        landmarks = np.array(points, np.float32).reshape(-1, 5, 2)
        scores = np.array([face['confidence'] for face in faces], np.float32)
        kept = np.flatnonzero(scores >= self.config.score_threshold)
        order = kept[np.argsort(-scores[kept], kind='stable')]
        return FaceDetections(boxes, landmarks, scores)[order]


def create(name: str, models: Path, min_face_px: int = 40) -> FaceDetector:
    """Return the detector called *name*, on one thread."""
    plain = DetectionConfig(threads=1, min_face_px=min_face_px)
    if name == 'mtcnn':
        return MtcnnDetector(dataclasses.replace(plain, score_threshold=0.9))
    if name in YUNET_FILES:
        weights = str(models / YUNET_FILES[name])
        return make_detector(dataclasses.replace(plain, backend='yunet', weights=weights))
    return make_detector(dataclasses.replace(plain, backend=name))


def share_with_face(detector: FaceDetector, clip: Path) -> float:
    """Return the share of a clip's frames in which *detector* finds at least one face."""
    return float(np.mean([len(detector.detect(image)) > 0 for _, image in VideoSource(clip)]))


def draw_curves(reports: dict[str, dict[str, Any]], output: Path) -> None:
    """Draw each detector's recall over false positives per image, for faces from 40 and 24 px."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(8.5, 3.6))
        for axes, height in zip(figure.subplots(1, 2, sharey=True), ('40', '24')):
            for name, report in reports.items():
                curve = np.array(report['from_px'][height]['curve'], float)
                axes.plot(curve[:, 0], curve[:, 1], marker='o', markersize=3, label=name)
            axes.set(xscale='log', ylim=(0, 1), xlabel='false positives per image')
            axes.set_title(f'faces from {height} px')
        figure.axes[0].set_ylabel('recall')
        figure.axes[0].legend()
        figure.savefig(output)


def row(name: str, report: dict[str, Any]) -> list[str]:
    """Return a detector's line of the table."""
    large, small = report['from_px']['40'], report['from_px']['24']
    figures = [
        large['recall_at_limit'], small['recall_at_limit'], large['average_precision'],
        small['average_precision'], large['landmark_error'], large['landmark_error_median'],
    ]  # fmt: skip
    shown = ['-' if one is None else f'{one:.3f}' for one in figures]
    clips = ', '.join(f'{share:.3f}' for share in report['clips'].values()) or '-'
    return [name, *shown, f'{report["milliseconds_at_640x480"]:.1f}', clips]


def main() -> None:
    """Print one table and one line of JSON a detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--clips', type=Path)
    parser.add_argument('--yunet', type=Path, required=True, help="folder with YuNet's files")
    parser.add_argument('--figure', type=Path, help='draw recall over false positives here')
    parser.add_argument('--detectors', nargs='+', default=['builtin', 'yunet', 'haar'])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reference = create('yunet_n', options.yunet, round(yunet.WORK_FACE_PX))  # at full size
    detectors = {name: create(name, options.yunet) for name in options.detectors}
    photos = [truth.read() for truth in read_ground_truth(options.folder)[:TIMED_PHOTOS]]
    frames = [cv2.resize(photo, (640, 480)) for photo in photos]
    clips = sorted(options.clips.glob('*.mp4')) if options.clips else []
    reports: dict[str, dict[str, Any]] = {}
    for name, detector in detectors.items():
        report = evaluate_detector(detector, options.folder, reference, MIN_IOU.get(name, 0.5))
        report['milliseconds_at_640x480'] = time_detector(detector, frames)
        report['clips'] = {clip.stem: share_with_face(detector, clip) for clip in clips}
        reports[name] = report
    header = (
        'detector', 'recall, 40 px, 0.05', 'recall, 24 px, 0.25', 'AP, 40 px', 'AP, 24 px',
        'landmarks', 'their median', 'ms at 640x480', 'clips',
    )  # fmt: skip
    print(table(header, [row(name, report) for name, report in reports.items()]))
    for name, report in reports.items():
        print(json.dumps({**report, 'detector': name}))
    if options.figure:
        draw_curves(reports, options.figure)


if __name__ == '__main__':
    main()
