# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Collages: faces, decoys and letters set into scenes, with where the faces lie."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array
from training.detector.collage import (
    CutOut,
    FacePaster,
    LabelledFaces,
    log_uniform,
    make_pyramid,
)
from training.detector.stock import Scene, Stock
from training.detector.targets import encode
from training.detector.wear import wear

Example = tuple[UInt8Array, Float32Array]
"""An image, uint8 (S, S, 3), and its targets, see ``encode``."""


@dataclass(frozen=True)
class CollageConfig:
    """How training images are made; shares are probabilities.

    Attributes:
        size_px: width and height of an image.
        least_px: faces smaller than this (root of the box's area) are neither found nor punished.
        smallest_px: smallest face set in.
        largest_px: largest face set in.
        peopled_share: a scene with people is chosen as background.
        quarters_share: the background is put together from four scenes.
        crowd_share: many small faces are set in.
        portrait_share: one large face is set in.
        decoy_share: each place for a face gets a decoy as well.
        text_share: letters and rings are drawn.
        exchange_share: a face of a scene is exchanged for another.
        uses: each collage is used so many times, far apart, mirrored and worn anew.
    """

    size_px: int = 320
    least_px: float = 13.0
    smallest_px: float = 14.0
    largest_px: float = 400.0
    peopled_share: float = 0.4
    quarters_share: float = 0.25
    crowd_share: float = 0.25
    portrait_share: float = 0.15
    decoy_share: float = 0.6
    text_share: float = 0.2
    exchange_share: float = 0.5
    uses: int = 3


POOL = 256
"""So many collages are kept for use again."""


class CollageMaker:
    """Makes one training image after another."""

    def __init__(self, stock: Stock, config: CollageConfig, seed: int) -> None:
        """Draw every random number from a generator started with *seed*."""
        self.stock, self.config = stock, config
        self.rng = np.random.default_rng(seed)
        self.paster = FacePaster(self.rng)
        self._pool: list[Scene] = []

    def make(self) -> Scene:
        """Return one image, uint8 (S, S, 3), and its faces."""
        rng = self.rng
        if len(self._pool) < POOL or rng.random() < 1 / self.config.uses:
            scene = self._compose()
            if len(self._pool) < POOL:
                self._pool.append(scene)
            else:
                self._pool[rng.integers(POOL)] = scene
        else:
            scene = self._pool[rng.integers(POOL)]
        canvas, faces = scene
        if rng.random() < 0.5:
            canvas, faces = np.ascontiguousarray(canvas[:, ::-1]), faces.mirrored(canvas.shape[1])
        return wear(canvas, rng), faces

    def example(self) -> Example:
        """Return one image and the targets of its faces."""
        image, faces = self.make()
        return image, encode(faces, self.config.size_px, self.config.least_px)

    def _compose(self) -> Scene:
        """Return a new collage, not yet worn."""
        config, rng = self.config, self.rng
        size = config.size_px
        if rng.random() < config.quarters_share:
            canvas, faces = self._quarters(size)
        else:
            canvas, faces = self._view(size, size)
        faces = self._exchange(canvas, faces)
        faces = LabelledFaces.join([faces, *self._add_faces(canvas, faces)])
        return canvas, faces

    def _quarters(self, size: int) -> Scene:
        """Return an image put together from four scenes around a random point."""
        x, y = self.rng.integers(size // 4, 3 * size // 4, 2)
        canvas, parts = np.empty((size, size, 3), np.uint8), []
        for left, right in ((0, x), (x, size)):
            for top, bottom in ((0, y), (y, size)):
                view, faces = self._view(int(right - left), int(bottom - top))
                canvas[top:bottom, left:right] = view
                parts.append(faces.moved(1.0, (left, top)))
        return canvas, LabelledFaces.join(parts)

    def _view(self, width: int, height: int) -> Scene:
        """Return a random part of a random scene; of scenes with people, one around a face."""
        rng, stock = self.rng, self.stock
        peopled = rng.random() < self.config.peopled_share
        scenes = stock.peopled if peopled else stock.empty
        image, faces = scenes[rng.integers(len(scenes))]
        least = max(width / image.shape[1], height / image.shape[0])
        if peopled:
            chosen = faces.boxes_xyxy[rng.choice(np.flatnonzero(faces.sure))]
            side = float(np.sqrt((chosen[2:] - chosen[:2]).prod()))
            scale = max(least, min(log_uniform(rng, 16, 140) / side, 8.0))
            focus = (chosen[:2] + chosen[2:]) / 2
        else:
            scale = least * log_uniform(rng, 1.0, 3.0)
            focus = rng.uniform((0, 0), image.shape[1::-1])
        room = np.array([image.shape[1] * scale - width, image.shape[0] * scale - height])
        corner = np.clip(
            focus * scale - rng.uniform(0.1, 0.9, 2) * (width, height), 0, np.maximum(room, 0)
        )
        factor = scale
        if scale < 0.6:
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            factor = 2 * scale
        matrix = np.column_stack([factor * np.eye(2), (factor - 1) / 2 - corner])
        view = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
        faces = within(faces.moved(scale, (-corner[0], -corner[1])), width, height)
        if rng.random() < 0.5:
            view, faces = np.ascontiguousarray(view[:, ::-1]), faces.mirrored(width)
        return view, faces

    def _exchange(self, canvas: UInt8Array, faces: LabelledFaces) -> LabelledFaces:
        """Exchange some faces of people in scenes for others; return where all lie.

        Few scenes show people. With ever new faces the network learns heads on bodies instead of
        these few people by heart.
        """
        size = canvas.shape[0]
        inside = (faces.boxes_xyxy > 0).all(axis=1) & (faces.boxes_xyxy < size).all(axis=1)
        drawn = self.rng.random(len(inside)) < self.config.exchange_share
        chosen = np.flatnonzero(inside & faces.sure & drawn)
        parts = [faces.without(chosen)]
        for row in chosen:
            box = faces.boxes_xyxy[row]
            face = self._choose(float(np.sqrt((box[2:] - box[:2]).prod())))
            parts.append(within(self.paster.exchange(canvas, face, box), size, size))
        return LabelledFaces.join(parts)

    def _add_faces(self, canvas: UInt8Array, present: LabelledFaces) -> list[LabelledFaces]:
        """Set faces in where none is yet; return where they lie."""
        rng, config = self.rng, self.config
        draw = rng.random()
        if draw < config.crowd_share:
            sizes = log_uniform(rng, config.smallest_px, 48) * rng.uniform(
                0.75, 1.3, rng.integers(6, 26)
            )
        elif draw < config.crowd_share + config.portrait_share:
            sizes = np.array([rng.uniform(90, config.largest_px)])
        else:
            count = rng.choice([0, 1, 2, 3, 4, 5], p=[0.2, 0.2, 0.2, 0.15, 0.15, 0.1])
            sizes = log_uniform(rng, config.smallest_px, 130, count)
        if rng.random() < config.text_share:
            draw_text(canvas, rng)
        decoys = sizes[rng.random(len(sizes)) < config.decoy_share]
        plan = [*((one, True) for one in sizes), *((one, False) for one in decoys)]
        taken, added = [*present.boxes_xyxy], []
        for size_px, real in sorted(plan, key=lambda one: -one[0]):
            for _ in range(6):
                centre = rng.uniform(0, config.size_px, 2)
                if all(clear(box, centre, size_px) for box in taken):
                    face = self._choose(size_px) if real else self._decoy(size_px)
                    placed = self.paster.paste(canvas, face, (centre[0], centre[1]), size_px, taken)
                    taken.append(placed.boxes_xyxy[0])
                    if real:
                        added.append(within(placed, config.size_px, config.size_px))
                    break
        return added

    def _decoy(self, size_px: float) -> CutOut:
        """Return what is cut out and set in like a face but is none.

        Without it the network would learn the marks of cutting out instead of faces.
        """
        rng = self.rng
        if rng.random() < 0.4:
            face = self._choose(size_px)
            level = face.pyramid[min(1, len(face.pyramid) - 1)]
            return CutOut(make_pyramid(scrambled(level, rng)), *centred_face(level.shape[:2]))
        image = self.stock.empty[rng.integers(len(self.stock.empty))][0]
        side = int(min(*image.shape[:2], rng.integers(32, 160)))
        y, x = (int(rng.integers(0, length - side + 1)) for length in image.shape[:2])
        patch = image[y : y + side, x : x + side]
        if rng.random() < 0.5:
            patch = cv2.cvtColor(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        return CutOut(make_pyramid(patch), *centred_face(patch.shape[:2]))

    def _choose(self, size_px: float) -> CutOut:
        """Return a face whose photo is not much smaller than *size_px*."""
        small = size_px < 64 and len(self.stock.thumbnails) > 0 and self.rng.random() < 0.6
        faces = self.stock.thumbnails if small else self.stock.portraits
        return faces[self.rng.integers(len(faces))]


def centred_face(shape_hw: tuple[int, int]) -> tuple[Float32Array, Float32Array]:
    """Return a box that fills most of an image of that shape, and landmarks for form's sake."""
    height, width = shape_hw
    box = np.array([0.1 * width, 0.05 * height, 0.9 * width, 0.95 * height], np.float32)
    return box, np.zeros((5, 2), np.float32)


def scrambled(image: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Return the image with its quarters in another order."""
    y, x = image.shape[0] // 2, image.shape[1] // 2
    parts = [image[:y, :x], image[:y, x : 2 * x], image[y : 2 * y, :x], image[y : 2 * y, x : 2 * x]]
    order = [(1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0), (1, 2, 3, 0)][rng.integers(4)]
    a, b, c, d = (parts[i] for i in order)
    return np.concatenate([np.concatenate([a, b], axis=1), np.concatenate([c, d], axis=1)])


def draw_text(canvas: UInt8Array, rng: np.random.Generator) -> None:
    """Draw a few words and rings of any size and colour."""
    size = canvas.shape[0]
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(0, size)), int(rng.integers(0, size))
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        if rng.random() < 0.3:
            radius = int(log_uniform(rng, 4, 40))
            for part in (1.0, 0.6, 0.3)[: int(rng.integers(1, 4))]:
                width = int(rng.integers(-1, 4))
                cv2.circle(
                    canvas, place, max(1, int(radius * part)), colour, width or 1, cv2.LINE_AA
                )
            continue
        word = ''.join(chr(c) for c in rng.integers(48, 91, int(rng.integers(1, 9))))
        scale = float(log_uniform(rng, 0.3, 2.5))
        font, thick = int(rng.integers(0, 8)), int(rng.integers(1, 2 + round(2 * scale)))
        cv2.putText(canvas, word, place, font, scale, colour, thick, cv2.LINE_AA)


def clear(box_xyxy: Float32Array, centre_xy: Float32Array, size_px: float) -> bool:
    """Return whether a face of *size_px* there would overlap *box_xyxy* only a little."""
    other = float(np.sqrt(max((box_xyxy[2:] - box_xyxy[:2]).prod(), 1.0)))
    gap = np.abs((box_xyxy[:2] + box_xyxy[2:]) / 2 - centre_xy)
    return bool(gap.max() > 0.36 * (other + size_px))


def within(faces: LabelledFaces, width: int, height: int) -> LabelledFaces:
    """Return what an image of that size holds of the faces; those mostly cut off are not sure."""
    boxes = np.clip(faces.boxes_xyxy, 0, np.array([width, height] * 2, np.float32))
    whole = np.maximum((faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2]).prod(axis=1), 1e-6)
    sides = boxes[:, 2:] - boxes[:, :2]
    share = np.clip(sides, 0, None).prod(axis=1) / whole
    kept = (share > 0.02) & (sides > 1).all(axis=1)
    return LabelledFaces(boxes[kept], faces.landmarks[kept], (faces.sure & (share > 0.5))[kept])
