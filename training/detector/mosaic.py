# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images for a taught network: whole photos side by side and over one another, as they are.

Nobody has to say where their faces are; the teacher is asked. So portraits keep their hair,
shoulders and backgrounds, which cut-out faces lose, and any change is allowed that leaves a
picture of something: turns, squeezes, parts of faces, two photos blended.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array
from training.detector.collage import CutOut, log_uniform, skin_table

LARGEST_IN_SCENE_PX = 160.0
"""Faces in scenes are small; enlarged further they show nothing more."""
CLOSE_PX = 110.0
"""Faces by chance larger than this are rare in mosaics of several tiles."""
Photo = tuple[UInt8Array, Float32Array, float]
"""A photo, the point of it (x, y) that a tile is laid around, and how much it is enlarged."""
BORDERS = (cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class MosaicConfig:
    """How mosaics are made; shares are probabilities.

    Attributes:
        share: an image is a mosaic, not a collage.
        portrait_share: a tile shows a portrait
        peopled_share: or else a scene with people; what is left shows any other scene.
        smallest_px: smallest face of a portrait (root of its box's area).
        largest_px: largest face of a portrait.
        loose_share: a photo is laid over the tiles, turned, instead of filling one.
        tint_share: a grey portrait is given the colours of a complexion.
        blend_share: two images are blended.
        close_share: an image is a single portrait, so near that the face has more than CLOSE_PX.
    """

    share: float = 0.6
    portrait_share: float = 0.6
    peopled_share: float = 0.2
    smallest_px: float = 18.0
    largest_px: float = 280.0
    loose_share: float = 0.5
    tint_share: float = 0.6
    blend_share: float = 0.12
    close_share: float = 0.0


class MosaicMaker:
    """Makes one mosaic after another."""

    def __init__(
        self,
        portraits: list[CutOut],
        peopled: list[tuple[UInt8Array, Float32Array]],
        scenes: list[UInt8Array],
        config: MosaicConfig,
        rng: np.random.Generator,
    ) -> None:
        """Draw every random number from *rng*.

        Args:
            portraits: photos with one known face each.
            peopled: photos with float32 (N, 4) boxes of their faces, N at least 1.
            scenes: other photos.
            config: how often what is done.
            rng: source of all chance.
        """
        self.portraits, self.peopled, self.scenes = portraits, peopled, scenes
        self.config, self.rng = config, rng

    def make(self, size: int) -> UInt8Array:
        """Return one image, uint8 (size, size, 3)."""
        image = self._tiles(size)
        if self.rng.random() < self.config.blend_share:
            share = float(self.rng.uniform(0.5, 0.85))
            image = cv2.addWeighted(image, share, self._tiles(size), 1 - share, 0)
        return image

    def _tiles(self, size: int) -> UInt8Array:
        """Return photos side by side and, perhaps, some over them."""
        rng = self.rng
        canvas = np.empty((size, size, 3), np.uint8)
        if rng.random() < self.config.close_share:
            self._write(canvas, self._portrait(size, CLOSE_PX), fill=True)
            return canvas
        columns, rows = self._cuts(size), self._cuts(size)
        for left, right in itertools.pairwise(columns):
            for top, bottom in itertools.pairwise(rows):
                self._lay(canvas[top:bottom, left:right], fill=True)
        if rng.random() < self.config.loose_share:
            for _ in range(int(rng.integers(1, 5))):
                width, height = (int(rng.integers(size // 6, size // 2)) for _ in range(2))
                left, top = int(rng.integers(size - width)), int(rng.integers(size - height))
                self._lay(canvas[top : top + height, left : left + width], fill=False)
        return canvas

    def _cuts(self, size: int) -> list[int]:
        """Return where tiles begin and end along one side."""
        count = int(self.rng.choice([1, 2, 3, 4], p=[0.35, 0.35, 0.2, 0.1]))
        inner = [round(size * (i + self.rng.uniform(-0.25, 0.25)) / count) for i in range(1, count)]
        return [0, *inner, size]

    def _lay(self, tile: UInt8Array, fill: bool) -> None:
        """Write a drawn photo into *tile*."""
        height, width = tile.shape[:2]
        self._write(tile, self._photo(width, height), fill)

    def _write(self, tile: UInt8Array, photo: Photo, fill: bool) -> None:
        """Write *photo* into *tile*; where it ends, go on somehow or leave what is there."""
        rng = self.rng
        height, width = tile.shape[:2]
        image, focus, scale = photo
        while scale < 0.6 and min(image.shape[:2]) >= 32:
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            focus, scale = focus / 2, scale * 2
        spread = 35 if rng.random() < 0.2 else 12
        angle = np.deg2rad(rng.normal(0, spread)) if rng.random() < 0.7 else 0.0
        squeeze = np.exp(rng.uniform(-0.25, 0.25)) if rng.random() < 0.4 else 1.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * turn @ np.diag([rng.choice([-1, 1]) * squeeze, 1 / squeeze])
        place = rng.uniform(0.15, 0.85, 2) * (width, height)
        matrix = np.column_stack([linear, place - linear @ focus])
        border = BORDERS[rng.integers(len(BORDERS))] if fill else cv2.BORDER_TRANSPARENT
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        tile[:] = cv2.warpAffine(
            image, matrix, (width, height), tile.copy(), borderMode=border, borderValue=colour
        )

    def _photo(self, width: int, height: int) -> Photo:
        """Return a photo for a tile of that size."""
        rng, config = self.rng, self.config
        draw = rng.random()
        if draw < config.portrait_share:
            return self._portrait(min(height, width), config.smallest_px)
        if draw < config.portrait_share + config.peopled_share:
            image, boxes = self.peopled[rng.integers(len(self.peopled))]
            box = boxes[rng.integers(len(boxes))]
            side = float(np.sqrt(max((box[2:] - box[:2]).prod(), 1.0)))
            wanted_px = self._face_px(config.smallest_px, LARGEST_IN_SCENE_PX)
            return image, (box[:2] + box[2:]) / 2, min(wanted_px / side, 4)
        image = self.scenes[rng.integers(len(self.scenes))]
        least = max(width / image.shape[1], height / image.shape[0])
        focus = rng.uniform((0, 0), image.shape[1::-1])
        return image, focus, float(least * log_uniform(rng, 0.8, 2.5))

    def _portrait(self, side: int, smallest_px: float) -> Photo:
        """Return a portrait for a tile whose shorter side is *side*."""
        rng = self.rng
        face = self.portraits[rng.integers(len(self.portraits))]
        wanted_px = self._face_px(smallest_px, min(self.config.largest_px, 1.2 * side))
        image = face.pyramid[0]
        if rng.random() < self.config.tint_share and _is_grey(image):
            image = cv2.LUT(image, skin_table(rng))
        return image, (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2, wanted_px / face.size_px

    def _face_px(self, smallest_px: float, largest_px: float) -> float:
        """Return how large a face is to be."""
        return float(log_uniform(self.rng, smallest_px, max(largest_px, smallest_px)))


def _is_grey(image: UInt8Array) -> bool:
    """Return whether a photo has no colours (up to what JPEG adds)."""
    some = image[::8, ::8].astype(np.int16)
    return bool(np.abs(some[..., 0] - some[..., 2]).mean() < 3)
