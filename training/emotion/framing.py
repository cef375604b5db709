# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How faces are framed: ``python -m training framing faces.npz --yunet yunet.onnx``.

YuNet looks at each face, enlarged four times on a grey border; the mean of the landmarks it finds
is the template that live faces are aligned to, and where they lie in its boxes is what is guessed
for detectors without landmarks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.data.datasets import read_faces
from fer_ros.errors import DataError
from fer_ros.types import UInt8Array

ENLARGED_PX = 192
BORDER_PX = 48


def measure_framing(images: UInt8Array, yunet: Path, min_score: float = 0.6) -> dict[str, Any]:
    """Return the mean landmarks of faces, in pixels of a 48x48 face and as shares of YuNet's box.

    Args:
        images: uint8 (N, S, S).
        yunet: OpenCV's face_detection_yunet ONNX file.
        min_score: faces found with less are left out.

    Raises:
        DataError: no face is found at all.
    """
    canvas_px = ENLARGED_PX + 2 * BORDER_PX
    detector = cv2.FaceDetectorYN.create(str(yunet), '', (canvas_px, canvas_px), min_score)
    canvas = np.full((canvas_px, canvas_px, 3), 127, np.uint8)
    inside = slice(BORDER_PX, BORDER_PX + ENLARGED_PX)
    points, shares = [], []
    for image in images:
        enlarged = cv2.resize(image, (ENLARGED_PX,) * 2, interpolation=cv2.INTER_CUBIC)
        canvas[inside, inside] = enlarged[..., None]
        _, faces = detector.detect(canvas)
        if faces is None:
            continue
        box, landmarks = faces[0, :4], faces[0, 4:14].reshape(5, 2)
        # Pixel centres: a point u of the canvas is (u - border + 0.5) / enlargement - 0.5.
        points.append((landmarks - BORDER_PX + 0.5) * 48 / ENLARGED_PX - 0.5)
        shares.append((landmarks - box[:2]) / box[2:])
    if not points:
        raise DataError('YuNet finds a face in none of the images')
    return {
        'found': len(points),
        'of': len(images),
        'template_48px': np.mean(points, axis=0).round(1).tolist(),
        'deviation_48px': np.std(points, axis=0).round(1).tolist(),
        'in_box': np.mean(shares, axis=0).round(2).tolist(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog='python -m training framing', description=__doc__)
    parser.add_argument('faces', type=Path, help='npz, csv or folder')
    parser.add_argument('--yunet', type=Path, required=True, help='face_detection_yunet_*.onnx')
    parser.add_argument('--count', type=int, default=3000, help='faces to look at')
    options = parser.parse_args(arguments)
    images = read_faces(options.faces).split('training').images
    rows = np.random.default_rng(0).permutation(len(images))[: options.count]
    print(json.dumps(measure_framing(images[rows], options.yunet)))
    return 0
