# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces of a stream followed in small crops between two searches of the whole image."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from fer_ros.config import DetectionConfig
from fer_ros.detection.turning import CERTAIN_SCORE, MAX_IOU, misread
from fer_ros.geometry import non_maximum_suppression, pairwise_coverage, pairwise_iou
from fer_ros.images.cropping import paste_square
from fer_ros.types import BoolArray, FaceDetections, Float32Array, Int64Array, UInt8Array

CROP = (2.4, 1.2)
"""Side of the crop in which a face is followed, and its height there, both in heights of the
smallest face that is looked for. Landmarks lie as close to those of a search as in crops of nearly
three times the pixels (0.057 of the distance between the eyes in the median of 78 faces)."""
REACH = 0.6
"""A face is looked for within so many of its heights of where it was,"""
MAX_SIZE_CHANGE = 1.6
"""and may have become so much larger or smaller."""
LOST_S = 1.0
"""Who is lost is looked for during this time in a crop where they were,"""
RETRY_S = 0.1
"""and in the whole image this often."""
NEWCOMER = 1.1
"""A face that was not there before has to score so many times the threshold, at most CERTAIN_SCORE:
things that look a little like a face do so for as long as they are in view."""
MAX_COLUMNS = 8
"""So many crops lie side by side at most."""


class FaceFollower:
    """Finds the upright faces of a stream: known ones where they were, new ones now and then.

    The whole image is searched every ``search_period_ms``, at once when a face is not found where
    it was, more often as long as it is missed, and whenever stamps or image size do not continue
    the stream. Half-way between two searches it is searched at half its size, which takes a quarter
    of the time, for newcomers at least twice as tall as the smallest face.
    """

    def __init__(
        self,
        search: Callable[[UInt8Array], FaceDetections],
        config: DetectionConfig,
        search_crops: Callable[[UInt8Array], FaceDetections] | None = None,
    ) -> None:
        """Start without a face.

        Args:
            search: finds the faces in uint8 (H, W, 3) BGR, in its pixels, unclipped, best first.
            config: says how often, and how tall the smallest face is that *search* finds.
            search_crops: does the same in crops that show faces of about that height and no
                others; None for *search*.
        """
        self.config = config
        self._search = search
        self._search_crops = search_crops or search
        self._boxes_xyxy = np.zeros((0, 4), np.float32)
        self._seen_s = np.zeros(0)
        self._shape_hw = (0, 0)
        self._searched_s = self._glanced_s = self._last_s = -math.inf

    def detect(self, image: UInt8Array, stamp_s: float) -> FaceDetections:
        """Return the faces of the stream's next image, unclipped, best score first.

        Args:
            image: uint8 (H, W, 3) BGR.
            stamp_s: its time in seconds.
        """
        found = None if self._search_is_due(image, stamp_s) else self._follow(image, stamp_s)
        if found is None:
            found = self._trusted(image, self._search(image))
            self._adopt(found, stamp_s)
        elif stamp_s - self._glanced_s >= self.config.search_period_ms / 2e3:
            found = self._glance(image, found, stamp_s)
        self._shape_hw, self._last_s = image.shape[:2], stamp_s
        return found

    def _trusted(self, image: UInt8Array, found: FaceDetections) -> FaceDetections:
        """Return faces followed already and newcomers that score high enough, if read upright."""
        known = pairwise_iou(found.boxes_xyxy, self._boxes_xyxy).max(axis=1, initial=0) > MAX_IOU
        needed = min(NEWCOMER * self.config.score_threshold, CERTAIN_SCORE)
        found = found[known | (found.scores >= max(needed, self.config.score_threshold))]
        return found[~misread(self._search_crops, image, found, self.config.min_face_px)]

    def _glance(self, image: UInt8Array, found: FaceDetections, stamp_s: float) -> FaceDetections:
        """Return *found* and whoever else is seen at half the size, and follow them."""
        self._glanced_s = stamp_s
        size_wh = max(1, image.shape[1] // 2), max(1, image.shape[0] // 2)
        half = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
        seen = self._search(half).resized(size_wh, image.shape[1::-1])
        covered = pairwise_coverage(seen.boxes_xyxy, self._boxes_xyxy).max(axis=1, initial=0)
        newcomers = self._trusted(image, seen[covered <= MAX_IOU])
        self._boxes_xyxy = np.concatenate([self._boxes_xyxy, newcomers.boxes_xyxy])
        self._seen_s = np.concatenate([self._seen_s, np.full(len(newcomers), stamp_s)])
        found = FaceDetections.joined([found, newcomers])
        return found[np.argsort(-found.scores, kind='stable')][: self.config.max_faces]

    def _search_is_due(self, image: UInt8Array, stamp_s: float) -> bool:
        period_s = self.config.search_period_ms / 1e3
        if (self._seen_s < self._last_s).any():
            period_s = min(period_s, RETRY_S)
        return (
            stamp_s <= self._last_s
            or stamp_s - self._searched_s >= period_s
            or image.shape[:2] != self._shape_hw
            or len(self._boxes_xyxy) * self._tile_px**2 > image.shape[0] * image.shape[1]
        )

    @property
    def _tile_px(self) -> int:
        return round(CROP[0] * self.config.min_face_px)

    def _adopt(self, found: FaceDetections, stamp_s: float) -> None:
        """Follow what a search has found, and for a while also whom it has missed."""
        overlap = pairwise_iou(self._boxes_xyxy, found.boxes_xyxy).max(axis=1, initial=0)
        age_s = stamp_s - self._seen_s
        missed = (overlap <= MAX_IOU) & (age_s >= 0) & (age_s < LOST_S)
        self._boxes_xyxy = np.concatenate([found.boxes_xyxy, self._boxes_xyxy[missed]])
        self._seen_s = np.concatenate([np.full(len(found), stamp_s), self._seen_s[missed]])
        self._searched_s = self._glanced_s = stamp_s

    def _follow(self, image: UInt8Array, stamp_s: float) -> FaceDetections | None:
        """Return the faces that are near where they were; None if one is not that was in view."""
        if not len(self._boxes_xyxy):
            return FaceDetections.empty()
        tile_px = self._tile_px
        heights = (self._boxes_xyxy[:, 2:] - self._boxes_xyxy[:, :2]).max(axis=1)
        # In multiples of a size that can be halved.
        sides_px = 8 * np.maximum(np.round(heights * (CROP[0] / CROP[1] / 8)), 1).astype(int)
        mosaic, origins, corners = _mosaic(image, self._boxes_xyxy, sides_px, tile_px)
        seen = self._search_crops(mosaic)
        steps = (sides_px / tile_px).astype(np.float32)
        rows = _nearest(seen.boxes_xyxy, corners + np.float32(tile_px / 2), heights / steps)
        if ((self._seen_s == self._last_s) & (rows < 0)).any():
            return None
        known = np.flatnonzero(rows >= 0)
        seen = seen[rows[known]]
        steps = steps[known, None]
        shifts = origins[known] - corners[known] * steps
        found = FaceDetections(
            seen.boxes_xyxy * steps + np.tile(shifts, 2),
            seen.landmarks * steps[:, None] + shifts[:, None],
            seen.scores,
        )
        self._boxes_xyxy[known], self._seen_s[known] = found.boxes_xyxy, stamp_s
        same = pairwise_iou(found.boxes_xyxy, found.boxes_xyxy) > MAX_IOU
        kept = non_maximum_suppression(same, found.scores)
        return None if len(kept) < len(found) else found[kept]


def _mosaic(
    image: UInt8Array, boxes_xyxy: Float32Array, sides_px: Int64Array, tile_px: int
) -> tuple[UInt8Array, Float32Array, Float32Array]:
    """Return square crops of *image* beside one another, in as few pixels as can be.

    Args:
        image: uint8 (H, W, 3) BGR.
        boxes_xyxy: float32 (N, 4) px of the image, about which the crops lie; N at least 1.
        sides_px: int64 (N,); sides of the crops in the image.
        tile_px: side of a crop in the mosaic.

    Returns:
        the mosaic, uint8 (h, w, 3); where each crop has its left top corner in the image,
        float32 (N, 2) px; and where in the mosaic, float32 (N, 2).
    """
    count = len(boxes_xyxy)
    # The squarest of the smallest rectangles.
    columns = min(
        range(1, min(count, MAX_COLUMNS) + 1),
        key=lambda wide: (wide * math.ceil(count / wide), wide + math.ceil(count / wide)),
    )
    mosaic = np.zeros((math.ceil(count / columns) * tile_px, columns * tile_px, 3), np.uint8)
    origins, corners = [], []
    for number, (box, side_px) in enumerate(zip(boxes_xyxy.tolist(), sides_px.tolist())):
        top, left = (place * tile_px for place in divmod(number, columns))
        tile = mosaic[top : top + tile_px, left : left + tile_px]
        centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        origins.append(paste_square(image, centre, side_px, tile))
        corners.append((left, top))
    return mosaic, np.array(origins, np.float32), np.array(corners, np.float32)


def _nearest(boxes_xyxy: Float32Array, centres: Float32Array, faces_px: Float32Array) -> Int64Array:
    """Return for each centre the row of the nearest box of about the size, or -1.

    Args:
        boxes_xyxy: float32 (M, 4).
        centres: float32 (N, 2).
        faces_px: float32 (N,); heights of the faces that lay there.

    Returns:
        int64 (N,).
    """
    if not len(boxes_xyxy):
        return np.full(len(centres), -1, np.int64)
    middles = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    distances = np.linalg.norm(middles[None] - centres[:, None], axis=2)
    ratios = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).max(axis=1) / faces_px[:, None]
    fits: BoolArray = (ratios < MAX_SIZE_CHANGE) & (ratios > 1 / MAX_SIZE_CHANGE)
    distances[~fits] = np.inf
    rows = distances.argmin(axis=1)
    near = distances[np.arange(len(centres)), rows] <= REACH * faces_px
    return np.where(near, rows, -1)
