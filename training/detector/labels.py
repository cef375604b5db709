# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pseudo-labels: what YuNet says of a photo at several scales and flipped, where that agrees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_ros.errors import DataError
from fer_ros.geometry import pairwise_iou
from fer_ros.images.decoding import read_image
from fer_ros.images.sources import IMAGE_SUFFIXES
from fer_ros.types import Float32Array, Int64Array, UInt8Array
from training.commands import command, option

TEACHER = Path('../shared/models/yunet_n_640_640.onnx')
SCALES = (0.5, 1.0, 2.0)
ASKED_SCORE = 0.3
MIN_VISIBLE_PX = 8.0
"""A teacher's pass counts as a voter for a face only if the face has at least this size in it."""
FLIPPED_LANDMARKS = (1, 0, 2, 4, 3)


NamedImage = tuple[str, UInt8Array]
"""Name and image, uint8 (H, W, 3) BGR."""


def read_photos(folder: Path) -> Iterator[NamedImage]:
    """Yield the photos under *folder* in order of name; their names are relative to it.

    Raises:
        DataError: the folder holds no image.
        ImageError: one cannot be read.
    """
    paths = sorted(p for p in folder.rglob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise DataError(f'no images in {folder}')
    for path in paths:
        yield path.relative_to(folder).as_posix(), read_image(path)


@dataclass(frozen=True)
class PhotoLabels:
    """What the teachers say of a set of photos, one row per face, all in pixels of the photo.

    Attributes:
        names: str (P,); file names of the photos.
        photo: int64 (N,); row of the photo in names.
        boxes_xyxy: float32 (N, 4).
        landmarks: float32 (N, 5, 2).
        scores: float32 (N,); mean score over the voters.
        agreement: float32 (N,); share of the voters that found the face, 0 to 1.
    """

    names: np.ndarray
    photo: Int64Array
    boxes_xyxy: Float32Array
    landmarks: Float32Array
    scores: Float32Array
    agreement: Float32Array

    def save(self, path: Path) -> None:
        """Write everything to the .npz file *path*."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **self.__dict__)

    @classmethod
    def load(cls, path: Path) -> PhotoLabels:
        """Read what ``save`` wrote.

        Raises:
            DataError: the file is missing or holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                return cls(**{name: content[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f'labels {path}: {error}') from error


def run_teacher(
    teacher: cv2.FaceDetectorYN, image: UInt8Array, scale: float, flip: bool
) -> Float32Array:
    """Return float32 (N, 15): box xyxy, five landmarks, score, in pixels of *image*."""
    height, width = image.shape[:2]
    size = max(32, round(width * scale)), max(32, round(height * scale))
    seen = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if flip:
        seen = np.ascontiguousarray(seen[:, ::-1])
    teacher.setInputSize(size)
    found = teacher.detect(seen)[1]
    if found is None:
        return np.zeros((0, 15), np.float32)
    # Box sizes overflow or vanish now and then; such a row is no face.
    found = found[np.isfinite(found).all(axis=1) & (found[:, 2:4] > 0.5).all(axis=1)]
    top_left, size_wh = found[:, None, :2], found[:, None, 2:4]
    landmarks = found[:, 4:14].reshape(-1, 5, 2)
    points = np.concatenate([top_left, top_left + size_wh, landmarks], axis=1)
    if flip:
        points[..., 0] = size[0] - points[..., 0]
        points[:, [0, 1], 0] = points[:, [1, 0], 0]  # left and right edge
        points[:, 2:] = points[:, 2:][:, FLIPPED_LANDMARKS]
    points *= np.array([width / size[0], height / size[1]], np.float32)
    return np.concatenate([points.reshape(-1, 14), found[:, 14:]], axis=1).astype(np.float32)


def merge_passes(passes: Sequence[Float32Array], scales: Sequence[float]) -> Float32Array:
    """Return float32 (N, 16): the passes' faces merged, with mean score and agreement.

    Faces are taken best first; every pass, see ``run_teacher``, gives at most one face to each, the
    one that overlaps it most (IoU above 0.5). Boxes and landmarks are means weighted by the scores.
    Agreement is the share of those passes in which, at their *scales*, the face can be seen.
    """
    rows = np.concatenate(passes)
    source = np.repeat(np.arange(len(passes)), [len(one) for one in passes])
    free = np.ones(len(rows), bool)
    merged = []
    for best in np.argsort(-rows[:, 14], kind='stable'):
        if not free[best]:
            continue
        overlap = pairwise_iou(rows[best : best + 1, :4], rows[:, :4])[0] * free
        members = []
        for one in range(len(passes)):
            mine = np.flatnonzero((source == one) & (overlap > 0.5))
            if len(mine):
                members.append(mine[np.argmax(overlap[mine])])
        free[overlap > 0.5] = False
        free[best] = False
        chosen = rows[members]
        mean = np.average(chosen[:, :14], axis=0, weights=chosen[:, 14])
        side = np.sqrt(max(float((mean[2] - mean[0]) * (mean[3] - mean[1])), 0.0))
        voters = max(sum(side * scale >= MIN_VISIBLE_PX for scale in scales), 1)
        share = min(len(members) / voters, 1.0)
        merged.append(np.concatenate([mean, [chosen[:, 14].mean(), share]]))
    return np.array(merged, np.float32).reshape(-1, 16)


def label_photos(photos: Iterable[NamedImage], teacher: Path) -> PhotoLabels:
    """Run YuNet's *teacher* weights on every photo at every scale, plain and flipped."""
    net = cv2.FaceDetectorYN.create(str(teacher), '', (320, 320), ASKED_SCORE, 0.45, 500)
    plan = [(scale, flip) for scale in SCALES for flip in (False, True)]
    scales = [scale for scale, _ in plan]
    found = {
        name: merge_passes([run_teacher(net, image, *one) for one in plan], scales)
        for name, image in photos
    }
    photo = np.repeat(np.arange(len(found)), [len(rows) for rows in found.values()])
    table = np.concatenate(list(found.values()))
    boxes, points, scores, agreement = np.split(table, [4, 14, 15], axis=1)
    return PhotoLabels(
        np.array(list(found)), photo, boxes, points.reshape(-1, 5, 2), scores[:, 0], agreement[:, 0]
    )


@command(
    option('source', type=Path, help='folder of photos'),
    option('output', type=Path, help='.npz to write'),
    option('--teacher', type=Path, default=TEACHER, help="YuNet's weights"),
)
def label(source: Path, output: Path, teacher: Path) -> None:
    """Label a folder of photos."""
    cv2.setNumThreads(1)
    labels = label_photos(read_photos(source), teacher)
    labels.save(output)
    certain = int((labels.agreement >= 0.75).sum())
    print(f'{len(labels.names)} photos, {len(labels.photo)} candidates, {certain} agreed')
