# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's two people, for where there is no camera."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_ros.errors import SourceError
from fer_ros.images.decoding import read_image
from fer_ros.types import Float32Array, UInt8Array

BOOTSTRAP_PHOTOS = Path(sys.prefix) / 'share' / 'fer_ros' / 'photos'
"""Where scripts/bootstrap puts scikit-image's photos; with all its needs it is 200 MB."""


@dataclass(frozen=True)
class _Appearance:
    """When and where a demo person is in view, as shares of period and picture."""

    photo: UInt8Array
    face_xywh: tuple[int, int, int, int]
    enters: float
    leaves: float
    middle: float
    phase: float


class DemoSource:
    """Two people from free sample photos who come, move, come closer and go.

    Astronaut Eileen Collins (NASA, scikit-image's data.astronaut()) and Rear Admiral Grace Hopper
    (US Navy, Matplotlib's grace_hopper.jpg), in a loop of ten seconds.
    """

    PERIOD_S = 10.0
    FADE_S = 0.25

    def __init__(
        self, size_wh: tuple[int, int] = (640, 480), rate_hz: float = 30.0, people: int = 2
    ) -> None:
        """Load the photos.

        Args:
            size_wh: width and height of the images in pixels.
            rate_hz: frames per second.
            people: 0 to 2.

        Raises:
            SourceError: a photo's package is not installed.
        """
        self.rate_hz = rate_hz
        self._size_wh = size_wh
        width, height = size_wh
        glow = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        wall = np.array([92, 82, 70], np.float32) * (1 - glow) + glow * (52, 50, 56)
        self._wall = np.broadcast_to(wall, (height, width, 3)).astype(np.uint8)
        astronaut, hopper = demo_photos()
        self._people = (
            _Appearance(astronaut, (174, 66, 104, 128), 0.06, 0.72, 0.28, 0.0),
            _Appearance(hopper, (190, 110, 150, 180), 0.34, 0.92, 0.74, 1.3),
        )[:people]

    def at(self, stamp_s: float) -> UInt8Array:
        """Return the picture at a time, uint8 (H, W, 3) BGR."""
        picture = self._wall.copy()
        for person in self._people:
            self._paint(picture, person, stamp_s)
        return picture

    def _paint(self, picture: UInt8Array, person: _Appearance, stamp_s: float) -> None:
        phase_s = stamp_s % self.PERIOD_S
        since_s = phase_s - person.enters * self.PERIOD_S
        until_s = person.leaves * self.PERIOD_S - phase_s
        opacity = min(1.0, since_s / self.FADE_S, until_s / self.FADE_S)
        if opacity <= 0:
            return
        width, height = self._size_wh
        turn = 2 * math.pi * stamp_s / self.PERIOD_S + person.phase
        face_px = height * (0.27 + 0.09 * math.sin(2 * turn))
        x, y, face_width, face_height = person.face_xywh
        scale = face_px / face_height
        centre = np.array(
            [
                width * (person.middle + 0.05 * math.sin(turn)),
                height * (0.42 + 0.04 * math.cos(turn)),
            ]
        )
        # A window about the face, softened at its rim, so that the photo melts into the wall.
        half = np.array([0.62, 0.95]) * face_px
        left, top = np.clip(np.floor(centre - half), 0, self._size_wh).astype(int)
        right, bottom = np.clip(np.ceil(centre + half), 0, self._size_wh).astype(int)
        window = picture[top:bottom, left:right]
        if not window.size:
            return
        face_centre = np.array([x + face_width / 2, y + face_height / 2])
        shift = centre - (left, top) - scale * face_centre
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        photo = cv2.warpAffine(
            person.photo, matrix, window.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
        )
        mask = _soft_ellipse(window.shape[:2], centre - (left, top), half) * np.float32(opacity)
        window[:] = (window + mask[..., None] * (photo.astype(np.float32) - window)).astype(
            np.uint8
        )

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield pictures without end, stamps counting from 0."""
        number = 0
        while True:
            stamp_s = number / self.rate_hz
            yield stamp_s, self.at(stamp_s)
            number += 1

    def problem(self) -> str:
        """Return ''."""
        return ''

    def close(self) -> None:
        """Nothing is held open."""


def _soft_ellipse(
    shape_hw: tuple[int, ...], centre_xy: np.ndarray, half_xy: np.ndarray
) -> Float32Array:
    """Return float32 (H, W): 1 inside an upright ellipse, falling to 0 at its rim."""
    y, x = (np.arange(n, dtype=np.float32) for n in shape_hw)
    x = (x - np.float32(centre_xy[0])) / np.float32(half_xy[0])
    y = (y - np.float32(centre_xy[1])) / np.float32(half_xy[1])
    radius = np.sqrt(x[None, :] ** 2 + y[:, None] ** 2)
    return np.clip((1.0 - radius) / np.float32(0.15), 0.0, 1.0)


def demo_photos() -> tuple[UInt8Array, UInt8Array]:
    """Return the photos of the astronaut (512x512) and of Grace Hopper, uint8 (H, W, 3) BGR.

    Raises:
        SourceError: scikit-image or Matplotlib is not installed.
    """
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError as error:
        raise SourceError(
            f'a demo photo comes with Matplotlib: {error}; pip install matplotlib'
        ) from error
    hopper = read_image(Path(str(get_sample_data('grace_hopper.jpg', asfileobj=False))))
    return sample_photo('astronaut.png'), hopper


def sample_photo(name: str) -> UInt8Array:
    """Return a photo out of scikit-image's data folder, uint8 (H, W, 3) BGR.

    Raises:
        SourceError: neither scikit-image nor its photos are installed.
    """
    folder = BOOTSTRAP_PHOTOS
    if not (folder / name).is_file():
        try:
            from skimage import data
        except ImportError as error:
            raise SourceError(
                f'the sample photos come with scikit-image: {error}; pip install scikit-image'
            ) from error
        folder = Path(data.__file__).parent
    return read_image(folder / name)
