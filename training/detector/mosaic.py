# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training images: real photos side by side, at every scale, and where their faces lie then."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.types import BoolArray, Float32Array, UInt8Array
from training.detector.faces import LabelledFaces, Photo, PhotoSets
from training.detector.photometric import augment

BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE)
"""Not reflected: that would show faces again."""
BLURRED_FROM = 2.0
"""Photos enlarged by more show no small faces but those known before."""
VISIBLE_SHARE = 0.6
"""Faces of which less is on their tile are left open."""
UPRIGHT_DEG, UPSIDE_DOWN_DEG = 55.0, 75.0
"""Faces turned by less are to be found, by more are not: a photo can be turned instead."""
MAX_ENLARGED, SELDOM_ENLARGED, SELDOM_SHARE = 1.6, 2.5, 0.25
"""Faces are enlarged by no more than the first, a share of them by no more than the second: larger
ones of real photos are sharp."""
SHARP_FROM_PX, MOST_SHARP, LEAST_SHARP = 20.0, 6, 0.3
"""Photos of people are drawn as often as they show faces of this size, up to so many; those that
show none as if they did by a share."""
BORDER_SHARE = 0.25
"""What a photo leaves of its tile is a border with this share, and else a scene without faces."""


@dataclass(frozen=True)
class MosaicConfig:
    """How training images are made; shares are probabilities, one tile at a time.

    Attributes:
        size_px: width and height of an image, a multiple of 32.
        people_share: a tile shows a photo of people
        portrait_share: or else a portrait; what is left shows any other scene.
        smallest_px: smallest face sought for a tile (root of its box's area);
        middle_px: up to here the sizes of most faces are drawn,
        close_share: and with this share those above it, up to twice the tile.
        negative_share: a photo is enlarged so far that it shows no whole face.
        turned_share: a photo is turned by any angle,
        tilted_share: or by an angle at which faces are still to be found.
    """

    size_px: int = 256
    people_share: float = 0.7
    portrait_share: float = 0.15
    smallest_px: float = 20.0
    middle_px: float = 100.0
    close_share: float = 0.25
    negative_share: float = 0.08
    turned_share: float = 0.1
    tilted_share: float = 0.2


@dataclass(frozen=True)
class Example:
    """A training image.

    Attributes:
        image: uint8 (S, S, 3) BGR.
        faces: what is known of the faces on it.
        turned_deg: float32 (N,); by how much each face's photo was turned, 0 to 180.
        complete: bool (S, S); where *faces* are all there are, whatever a teacher predicts.
    """

    image: UInt8Array
    faces: LabelledFaces
    turned_deg: Float32Array
    complete: BoolArray


class MosaicMaker:
    """Makes one training image after another."""

    def __init__(self, photos: PhotoSets, config: MosaicConfig, seed: int) -> None:
        """Draw every random number from a generator started with *seed*."""
        self.photos, self.config = photos, config
        self.rng = np.random.default_rng(seed)
        self._backgrounds = [scene.image for scene in photos.scenes if not len(scene.faces)]
        sharp = [
            int((photo.faces.sides_px[photo.faces.certain] >= SHARP_FROM_PX).sum())
            for photo in photos.people
        ]
        self._frequencies = np.minimum(sharp, MOST_SHARP) + LEAST_SHARP
        self._frequencies /= self._frequencies.sum()

    def make(self) -> Example:
        """Return the next image with its faces."""
        size = self.config.size_px
        canvas, complete = np.empty((size, size, 3), np.uint8), np.zeros((size, size), bool)
        parts, angles = [], []
        columns, rows = self._cuts(size), self._cuts(size)
        for left, right in itertools.pairwise(columns):
            for top, bottom in itertools.pairwise(rows):
                tile = canvas[top:bottom, left:right]
                faces, angle, all_known = self._fill(tile)
                complete[top:bottom, left:right] = all_known
                parts.append(faces.warped(np.array([[1, 0, left], [0, 1, top]], float)))
                angles += [angle] * len(faces)
        faces = LabelledFaces.join(parts)
        return Example(augment(canvas, self.rng), faces, np.array(angles, np.float32), complete)

    def _cuts(self, size: int) -> list[int]:
        """Return where tiles begin and end along one side."""
        count = int(self.rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
        inner = [round(size * (i + self.rng.uniform(-0.2, 0.2)) / count) for i in range(1, count)]
        return [0, *inner, size]

    def _fill(self, tile: UInt8Array) -> tuple[LabelledFaces, float, bool]:
        """Write a photo into *tile*; return its faces, by how much it is turned, and whether
        they are all there are.

        Enlarged photos and scenes show nothing but the faces known on them: there a teacher may
        take blurred things for faces.
        """
        rng = self.rng
        height, width = tile.shape[:2]
        photo = self._draw()
        focus, scale = self._aim(photo, width, height)
        angle = self._angle_deg()
        radians = np.deg2rad(angle)
        squeeze = np.exp(rng.uniform(-0.2, 0.2)) if rng.random() < 0.4 else 1.0
        turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
        linear = scale * turn @ np.diag([rng.choice([-1, 1]) * squeeze, 1 / squeeze])
        place = rng.uniform(0.2, 0.8, 2) * (width, height)
        matrix = np.column_stack([linear, place - linear @ focus])
        self._warp(photo.image, matrix, scale, tile)
        faces = _visible(photo.faces.warped(matrix), width, height)
        return faces, abs((angle + 180) % 360 - 180), photo.complete or scale > BLURRED_FROM

    def _angle_deg(self) -> float:
        """Return by how much to turn a photo: mostly little, now and then as far as heads tilt."""
        rng, draw = self.rng, self.rng.random()
        if draw < self.config.turned_share:
            return float(rng.uniform(-180, 180))
        if draw < self.config.turned_share + self.config.tilted_share:
            return float(rng.uniform(-UPRIGHT_DEG, UPRIGHT_DEG))
        return float(rng.normal(0, 10))

    def _draw(self) -> Photo:
        """Return a photo of a kind chosen by chance."""
        draw, config, photos = self.rng.random(), self.config, self.photos
        if draw < config.people_share:
            return photos.people[self.rng.choice(len(photos.people), p=self._frequencies)]
        draw -= config.people_share
        kind = photos.portraits if draw < config.portrait_share else photos.scenes
        return kind[self.rng.integers(len(kind))]

    def _aim(self, photo: Photo, width: int, height: int) -> tuple[np.ndarray, float]:
        """Return the point of *photo* to show and how much to enlarge it, for a tile."""
        rng, config = self.rng, self.config
        fit = max(width / photo.image.shape[1], height / photo.image.shape[0])
        if rng.random() < config.negative_share:
            return rng.uniform((0, 0), photo.image.shape[1::-1]), fit * rng.uniform(3, 10)
        if not len(photo.faces):
            return rng.uniform((0, 0), photo.image.shape[1::-1]), fit * rng.uniform(0.8, 2.5)
        low, high = config.smallest_px, config.middle_px
        if rng.random() < config.close_share:
            low, high = high, max(2.0 * min(width, height), high)
        face_px = np.exp(rng.uniform(np.log(low), np.log(high)))
        sides, limit = photo.faces.sides_px, MAX_ENLARGED
        sharp = np.flatnonzero(sides >= face_px / limit)
        row = rng.choice(sharp) if len(sharp) else int(sides.argmax())
        if rng.random() < SELDOM_SHARE:
            limit = SELDOM_ENLARGED
        box = photo.faces.boxes_xyxy[row]
        scale = min(face_px / max(float(sides[row]), 1.0), limit)
        return (box[:2] + box[2:]) / 2, scale

    def _warp(self, image: UInt8Array, matrix: np.ndarray, scale: float, tile: UInt8Array) -> None:
        """Write *image* into *tile* through *matrix*; beyond its end goes on somehow."""
        while scale < 0.6 and min(image.shape[:2]) >= 32:
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            matrix, scale = matrix * [2, 2, 1], scale * 2
        how = cv2.INTER_CUBIC if scale > 1.5 else cv2.INTER_LINEAR
        size_wh = tile.shape[1], tile.shape[0]
        border, behind = cv2.BORDER_TRANSPARENT, self._background(size_wh)
        if self.rng.random() < BORDER_SHARE:
            border = BORDERS[self.rng.integers(len(BORDERS))]
        colour = [int(c) for c in self.rng.integers(0, 256, 3)]
        tile[:] = cv2.warpAffine(image, matrix, size_wh, behind, how, border, colour)

    def _background(self, size_wh: tuple[int, int]) -> UInt8Array:
        """Return a part of a scene without faces, black where there is none."""
        if not self._backgrounds:
            return np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
        scene = self._backgrounds[self.rng.integers(len(self._backgrounds))]
        scale = max(np.divide(size_wh, scene.shape[1::-1])) * self.rng.uniform(1, 1.5)
        room = scale * np.array(scene.shape[1::-1]) - size_wh
        shift = -self.rng.uniform(0, 1, 2) * room
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        return cv2.warpAffine(scene, matrix, size_wh, borderMode=cv2.BORDER_REFLECT)


def _visible(faces: LabelledFaces, width: int, height: int) -> LabelledFaces:
    """Return the faces that touch a tile; those mostly outside are left open."""
    clipped = np.clip(faces.boxes_xyxy, 0, (width, height, width, height))
    areas = np.clip(clipped[:, 2:] - clipped[:, :2], 0, None).prod(axis=1)
    shares = areas / np.maximum(faces.sides_px**2, 1e-6)
    kept = shares > 0.05
    certain = faces.certain & (shares >= VISIBLE_SHARE)
    return LabelledFaces(faces.boxes_xyxy[kept], faces.landmarks[kept], certain[kept])
