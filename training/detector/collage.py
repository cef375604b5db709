# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training images made on the fly: scenes with their own faces, and cut-out faces set into them.

The photos at hand show either one face that fills the image or scenes with few people. Detection
needs faces of every size among other things, so faces are cut out with soft masks, turned,
squeezed, tinted, partly covered, and set onto hair and shoulders of random colours in a random
scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from fer_ros.types import Float32Array, UInt8Array
from training.detector.costume import cover, draw_person, draw_sunglasses

MASK_PX = 64
MASK_REACH = 1.5
"""A mask covers the face's box enlarged by this factor."""


@dataclass(frozen=True)
class LabelledFaces:
    """Faces of one image: float32 boxes (N, 4) and landmarks (N, 5, 2) px; bool sure (N,).

    Faces that are not sure are neither to be found nor to be punished.
    """

    boxes_xyxy: Float32Array
    landmarks: Float32Array
    sure: np.ndarray

    @classmethod
    def empty(cls) -> LabelledFaces:
        """Return no faces."""
        return cls(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))

    @classmethod
    def join(cls, parts: list[LabelledFaces]) -> LabelledFaces:
        """Return the faces of all *parts*."""
        return cls(
            np.concatenate([part.boxes_xyxy for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.sure for part in parts]),
        )

    def without(self, rows: np.ndarray) -> LabelledFaces:
        """Return the faces but those of *rows*."""
        kept = np.setdiff1d(np.arange(len(self.sure)), rows)
        return LabelledFaces(self.boxes_xyxy[kept], self.landmarks[kept], self.sure[kept])

    def moved(self, scale: float, shift_xy: tuple[float, float]) -> LabelledFaces:
        """Return the faces scaled, then shifted."""
        shift = np.array(shift_xy, np.float32)
        return LabelledFaces(
            self.boxes_xyxy * np.float32(scale) + np.tile(shift, 2),
            self.landmarks * np.float32(scale) + shift,
            self.sure,
        )

    def mirrored(self, width: int) -> LabelledFaces:
        """Return the faces of the image of *width* pixels mirrored left to right."""
        boxes, landmarks = self.boxes_xyxy.copy(), self.landmarks.copy()
        boxes[:, [0, 2]] = width - self.boxes_xyxy[:, [2, 0]]
        landmarks[..., 0] = width - landmarks[..., 0]
        return LabelledFaces(boxes, landmarks[:, [1, 0, 2, 4, 3]], self.sure)


@dataclass(frozen=True)
class CutOut:
    """One face that fills its photo.

    Attributes:
        pyramid: the photo, uint8 (H, W, 3), and its halves, largest first.
        box_xyxy: float32 (4,) px of the largest.
        landmarks: float32 (5, 2) px of the largest.
        shown: float32 (H, W), 0 where the largest holds nothing; None if it holds all.
    """

    pyramid: tuple[UInt8Array, ...]
    box_xyxy: Float32Array
    landmarks: Float32Array
    shown: Float32Array | None = None

    @property
    def size_px(self) -> float:
        """Return the square root of the box's area."""
        return float(np.sqrt((self.box_xyxy[2:] - self.box_xyxy[:2]).prod()))


def log_uniform(rng: np.random.Generator, low: float, high: float, size: int | None = None):
    """Return numbers whose logarithm is evenly spread."""
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def make_pyramid(image: UInt8Array) -> tuple[UInt8Array, ...]:
    """Return the image and its halves down to about 16 pixels."""
    levels = [image]
    while min(levels[-1].shape[:2]) >= 32:
        height, width = levels[-1].shape[:2]
        levels.append(
            cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        )
    return tuple(levels)


def skin_table(rng: np.random.Generator) -> UInt8Array:
    """Return a table, uint8 (256, 1, 3), from grey to a random complexion in random light."""
    grey = np.linspace(0, 1, 256)[:, None] ** rng.uniform(0.8, 1.25)
    warmth = rng.uniform(0.05, 0.55)
    tone = np.array([1 - warmth, 1 - warmth * rng.uniform(0.35, 0.6), 1.0])
    light = rng.uniform(0.92, 1.08, 3)
    # Highlights lose their colour, as on real skin.
    mixed = grey * (tone * (1 - grey**3) + grey**3 * (0.5 + 0.5 * tone)) * light
    return np.clip(mixed * 255 / tone.mean() ** 0.5, 0, 255).astype(np.uint8)[:, None]


def face_masks() -> list[Float32Array]:
    """Return float32 (MASK_PX, MASK_PX) masks, 0 to 1, over the face's box enlarged."""
    axis = (np.arange(MASK_PX) + 0.5) / MASK_PX * 2 - 1
    x, y = np.meshgrid(axis * MASK_REACH, axis * MASK_REACH)  # the box is -1..1
    masks = []
    for wide, high, edge in [
        (0.95, 1.0, 0.1),
        (1.02, 1.05, 0.2),
        (1.1, 1.08, 0.15),
        (1.0, 1.0, 0.05),
    ]:
        radius = np.sqrt((x / wide) ** 2 + (y / high) ** 2)
        masks.append(np.clip((1 + edge / 2 - radius) / edge, 0, 1).astype(np.float32))
    for power, reach in [(4, 1.05), (6, 1.2), (20, 1.4)]:
        radius = (np.abs(x / reach) ** power + np.abs(y / reach) ** power) ** (1 / power)
        masks.append(np.clip((1.05 - radius) / 0.1, 0, 1).astype(np.float32))
    return masks


def in_light(patch: UInt8Array, light: UInt8Array) -> UInt8Array:
    """Return *patch* (H, W, 3) with the mean colour and the contrast of *light* (N, 3)."""
    grey = patch.astype(np.float32).mean(axis=2, keepdims=True)
    wanted = light.astype(np.float32)
    contrast = wanted.mean(axis=1).std() / max(float(grey.std()), 1.0)
    tone = wanted.mean(axis=0) / max(float(wanted.mean()), 1.0)
    shaded = ((grey - grey.mean()) * contrast + wanted.mean()) * tone
    return np.clip(shaded, 0, 255).astype(np.uint8)


ROUND_MASKS = 4
"""The first so many masks follow the outline of a head; the others keep what is around it."""


def turned(face: CutOut, yaw: float, size_px: float) -> CutOut:
    """Return *face* as if its head were turned by *yaw* radians, positive to the image's right.

    The face is taken for the front half of an upright cylinder as wide as its box: a column at
    sin(a) moves to sin(a + yaw). What the turn brings into view was never photographed and stays
    transparent (alpha 0); the nose stands out from the cylinder.

    Args:
        face: a face from the front.
        yaw: less than a quarter turn.
        size_px: how large it will be needed; a level of the pyramid not much larger is used.
    """
    level = int(np.clip(np.log2(face.size_px / max(size_px, 1.0)), 0, len(face.pyramid) - 1))
    picture = face.pyramid[level]
    zoom = picture.shape[1] / face.pyramid[0].shape[1]
    box, landmarks = face.box_xyxy * zoom, face.landmarks * zoom
    middle, half = (box[0] + box[2]) / 2, (box[2] - box[0]) / 2 * 1.05
    height, width = picture.shape[:2]
    across = (np.arange(width) + 0.5 - middle) / half
    angle = np.arcsin(np.clip(across, -1, 1)) - yaw
    shown = (np.abs(across) <= 1) & (np.abs(angle) <= np.pi / 2)
    columns = np.sin(np.clip(angle, -np.pi / 2, np.pi / 2)) * half + middle - 0.5
    map_x = np.broadcast_to(columns.astype(np.float32), (height, width))
    map_y = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    image = cv2.remap(picture, map_x.copy(), map_y.copy(), cv2.INTER_LINEAR)
    offset = np.arcsin(np.clip((landmarks[:, 0] - middle) / half, -1, 1)) + yaw
    radius = np.array([1.0, 1.0, 1.25, 1.0, 1.0])
    landmarks = np.column_stack([np.sin(offset) * radius * half + middle, landmarks[:, 1]])
    edge = -np.cos(yaw) * half if yaw > 0 else np.cos(yaw) * half
    sides = sorted([middle + edge, middle + (half if yaw > 0 else -half)])
    box = np.array([sides[0], box[1], sides[1], box[3]], np.float32)
    shown = np.broadcast_to(shown.astype(np.float32), (height, width))
    return CutOut(make_pyramid(image), box, landmarks.astype(np.float32), shown)


def would_cover(centre_xy: tuple[float, float], size_px: float, box_xyxy: Float32Array) -> bool:
    """Return whether hair or shoulders of a head set there would cover the face in *box_xyxy*."""
    x, y = centre_xy
    left, top, right, bottom = x - size_px, y - 0.8 * size_px, x + size_px, y + 2.2 * size_px
    return bool(
        box_xyxy[0] < right and box_xyxy[2] > left and box_xyxy[1] < bottom and box_xyxy[3] > top
    )


class FacePaster:
    """Sets cut-out faces into an image."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw every random number from *rng*."""
        self.rng = rng
        self.masks = face_masks()

    def paste(
        self,
        canvas: UInt8Array,
        face: CutOut,
        centre_xy: tuple[float, float],
        size_px: float,
        others: Sequence[Float32Array] = (),
    ) -> LabelledFaces:
        """Set *face* into *canvas* with a box of about *size_px*; return where it lies now.

        Hair and shoulders are drawn only where they cover none of the boxes in *others*.
        """
        return self._set(canvas, face, centre_xy, size_px, others, None)

    def exchange(self, canvas: UInt8Array, face: CutOut, box_xyxy: Float32Array) -> LabelledFaces:
        """Set *face* over the face in *box_xyxy*, on the head and in the light found there."""
        centre = (box_xyxy[:2] + box_xyxy[2:]) / 2
        size_px = float(np.sqrt((box_xyxy[2:] - box_xyxy[:2]).prod()))
        left, top = np.maximum(box_xyxy[:2].astype(int), 0)
        right, bottom = np.ceil(box_xyxy[2:]).astype(int)
        there = canvas[top:bottom, left:right].reshape(-1, 3)
        return self._set(canvas, face, (centre[0], centre[1]), size_px, (box_xyxy,), there)

    def _set(
        self,
        canvas: UInt8Array,
        face: CutOut,
        centre_xy: tuple[float, float],
        size_px: float,
        others: Sequence[Float32Array],
        light: UInt8Array | None,
    ) -> LabelledFaces:
        """Set a face in; *light*, uint8 (N, 3), is a sample of colours to take over."""
        rng = self.rng
        if rng.random() < 0.3:
            face = turned(face, rng.choice([-1, 1]) * rng.uniform(0.25, 1.1), size_px)
        scale = size_px / face.size_px
        squeeze = rng.uniform(0.72, 1.08) if rng.random() < 0.5 else 1.0
        spread = 25 if rng.random() < 0.25 else 10
        angle = np.deg2rad(rng.normal(0, spread))
        mirror = -1.0 if rng.random() < 0.5 else 1.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        nod = rng.uniform(0.75, 1.0) if rng.random() < 0.3 else 1.0
        linear = scale * turn @ np.diag([squeeze * mirror, nod])
        middle = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
        to_canvas = np.column_stack([linear, np.array(centre_xy) - linear @ middle])

        mask_index = int(rng.integers(len(self.masks) if light is None else ROUND_MASKS))
        room = not any(would_cover(centre_xy, size_px, box) for box in others)
        if mask_index < ROUND_MASKS and room and rng.random() < 0.75:
            draw_person(canvas, centre_xy, size_px, float(np.rad2deg(angle)), rng)
        self._blend(canvas, face, to_canvas, self.masks[mask_index], light)

        landmarks = face.landmarks @ linear.T + to_canvas[:, 2]
        if mirror < 0:
            landmarks = landmarks[[1, 0, 2, 4, 3]]
        # A box turned by a small angle still fits an upright box of nearly the same sides.
        side = (face.box_xyxy[2:] - face.box_xyxy[:2]) * scale * (squeeze, nod) / 2
        cos, sin = abs(np.cos(angle)), abs(np.sin(angle)) * 0.5
        half = np.array([cos * side[0] + sin * side[1], cos * side[1] + sin * side[0]])
        box = np.concatenate([centre_xy - half, centre_xy + half])
        if rng.random() < 0.15:
            draw_sunglasses(canvas, landmarks, rng)
        if rng.random() < 0.35:
            cover(canvas, box, rng)
        return LabelledFaces(
            box[None].astype(np.float32), landmarks[None].astype(np.float32), np.ones(1, bool)
        )

    def _blend(
        self,
        canvas: UInt8Array,
        face: CutOut,
        to_canvas: np.ndarray,
        mask: Float32Array,
        light: UInt8Array | None,
    ) -> None:
        """Warp face and mask into the part of the canvas they touch and mix them in."""
        middle = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
        reach = (face.box_xyxy[2:] - face.box_xyxy[:2]) / 2 * MASK_REACH
        corners = middle + reach * np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
        # What lies outside of the photo cannot be cut out; a little is made up by reflection.
        height, width = face.pyramid[0].shape[:2]
        slack = 0.04 * max(height, width)
        corners = np.clip(corners, -slack, (width + slack, height + slack))
        touched = corners @ to_canvas[:, :2].T + to_canvas[:, 2]
        left, top = np.maximum(np.floor(touched.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(touched.max(axis=0)).astype(int), canvas.shape[1::-1])
        if right - left < 2 or bottom - top < 2:
            return
        scale = np.sqrt(abs(np.linalg.det(to_canvas[:, :2])))
        level = int(np.clip(np.floor(-np.log2(max(scale, 1e-6)) + 0.2), 0, len(face.pyramid) - 1))
        shift = np.array([left, top])
        picture = face.pyramid[level]
        zoom = np.array([width / picture.shape[1], height / picture.shape[0]])
        patch = self._warp(
            picture, to_canvas, zoom, np.zeros(2), shift, (right - left, bottom - top)
        )
        patch = self._shade(patch) if light is None else in_light(patch, light)
        step = 2 * reach / MASK_PX
        soft = self._warp(
            mask,
            to_canvas,
            step,
            middle - reach,
            shift,
            (right - left, bottom - top),
            constant=True,
        )
        whole = face.shown is None
        grow = 0.04 if whole else 0.0
        inside = self._warp(
            np.ones(picture.shape[:2], np.float32) if face.shown is None else face.shown,
            to_canvas,
            (zoom if whole else np.ones(2)) * (1 + 2 * grow),
            -grow * np.array([width, height]),
            shift,
            (right - left, bottom - top),
            constant=True,
        )
        alpha = (soft * inside)[..., None]
        part = canvas[top:bottom, left:right]
        part[:] = (part + alpha * (patch.astype(np.float32) - part)).astype(np.uint8)

    @staticmethod
    def _warp(
        picture: np.ndarray,
        to_canvas: np.ndarray,
        zoom: np.ndarray,
        origin: np.ndarray,
        shift: np.ndarray,
        size: tuple[int, int],
        constant: bool = False,
    ) -> np.ndarray:
        """Warp a picture whose pixel (u, v) lies at origin + zoom * (u, v) of the photo."""
        linear = to_canvas[:, :2] * zoom
        offset = to_canvas[:, :2] @ (origin + 0.5 * zoom) + to_canvas[:, 2] - shift - 0.5
        border = cv2.BORDER_CONSTANT if constant else cv2.BORDER_REFLECT_101
        return cv2.warpAffine(
            picture,
            np.column_stack([linear, offset]),
            (int(size[0]), int(size[1])),
            flags=cv2.INTER_LINEAR,
            borderMode=border,
        )

    def _shade(self, patch: UInt8Array) -> UInt8Array:
        """Give a cut-out face complexion, contrast and one-sided light."""
        rng = self.rng
        if rng.random() < 0.75:
            patch = cv2.LUT(patch, skin_table(rng))
        gain, offset = rng.uniform(0.4, 1.4), rng.uniform(-30, 30)
        shaded = patch.astype(np.float32) * gain + offset
        if rng.random() < 0.3:
            width = patch.shape[1]
            ramp = np.linspace(
                rng.uniform(0.3, 1.0), rng.uniform(0.6, 1.2), width, dtype=np.float32
            )
            shaded *= ramp[None, :: rng.choice([1, -1]), None]
        return np.clip(shaded, 0, 255).astype(np.uint8)
