# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What alignment is worth: the same faces read from the detector's landmarks or its plain box.

    python -m training.detector.alignment_effect ../shared/data/fer2013.npz --faces 600

FER2013's split PublicTest, each face enlarged onto a grey photo and turned by a random angle. Only
faces that the detector finds are compared; their share is printed too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from fer_ros.config import ClassificationConfig, DetectionConfig
from fer_ros.detection import FaceDetector, make_detector
from fer_ros.errors import DataError
from fer_ros.labels import EMOTIONS, FERPLUS_COLUMN_TO_EMOTION
from fer_ros.recognition.alignment import align_faces
from fer_ros.recognition.classifier import EmotionClassifier, make_classifier
from fer_ros.types import FaceDetections, UInt8Array

PUBLIC_TEST = 1
PHOTO_PX, FACE_PX = 288, 192


def read_voted(path: Path, count: int) -> tuple[UInt8Array, np.ndarray]:
    """Return up to *count* images and their emotion, an index of EMOTIONS, by FER+'s plurality.

    Raises:
        DataError: the file is missing or holds no votes.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            rows = content['usage'] == PUBLIC_TEST
            images, votes = content['images'][rows], content['ferplus'][rows].astype(int)
            names = [str(name) for name in content['ferplus_names']]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f'{path}: {error}') from error
    best = votes.argmax(axis=1)
    emotions = np.array(
        [
            EMOTIONS.index(FERPLUS_COLUMN_TO_EMOTION[name])
            if name in FERPLUS_COLUMN_TO_EMOTION
            else -1
            for name in names
        ]
    )[best]
    clear = (emotions >= 0) & (votes.max(axis=1) * 2 > votes.sum(axis=1))
    chosen = np.flatnonzero(clear)[:count]
    return images[chosen], emotions[chosen]


def as_photo(face: UInt8Array, degrees: float) -> UInt8Array:
    """Return a face set into the middle of a grey photo, turned."""
    scale = FACE_PX / face.shape[0]
    matrix = cv2.getRotationMatrix2D((face.shape[1] / 2, face.shape[0] / 2), degrees, scale)
    matrix[:, 2] += PHOTO_PX / 2 - face.shape[0] / 2
    grey = cv2.warpAffine(
        face, matrix, (PHOTO_PX, PHOTO_PX), flags=cv2.INTER_LINEAR, borderValue=128
    )
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def read_both_ways(
    photo: UInt8Array, detector: FaceDetector, classifier: EmotionClassifier
) -> tuple[int, int] | None:
    """Return what the best face says when aligned and from its plain box; None without a face."""
    found = detector.detect(photo)[:1]
    if not len(found):
        return None
    plain = FaceDetections(found.boxes_xyxy, np.full_like(found.landmarks, np.nan), found.scores)
    card = classifier.card
    answers = []
    for one in (found, plain):
        crops = align_faces(photo, one, card.template_px, card.size_px, card.crop_channels).crops
        scores = classifier.classify(crops)
        answers.append(EMOTIONS.index(scores.labels[int(scores.probabilities[0].argmax())]))
    return answers[0], answers[1]


def main() -> None:
    """Print accuracy both ways, for upright and for turned faces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('dataset', type=Path)
    parser.add_argument('--faces', type=int, default=600)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    images, emotions = read_voted(options.dataset, options.faces)
    detector = make_detector(DetectionConfig(backend='builtin', threads=1))
    classifier = make_classifier(ClassificationConfig(threads=1))
    for spread in (0.0, 15.0, 30.0):
        rng = np.random.default_rng(0)
        turns = rng.uniform(-spread, spread, len(images))
        answers = [
            read_both_ways(as_photo(image, turn), detector, classifier)
            for image, turn in zip(images, turns)
        ]
        found = np.array([answer is not None for answer in answers])
        pairs = np.array([answer for answer in answers if answer is not None]).reshape(-1, 2)
        aligned, plain = (pairs == emotions[found][:, None]).mean(axis=0)
        print(
            f'turned by up to {spread:.0f} degrees: faces found {found.mean():.3f}, '
            f'accuracy aligned {aligned:.3f}, plain box {plain:.3f}',
            flush=True,
        )


if __name__ == '__main__':
    main()
