# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What CameraInfo says of the camera, and what drivers and others write into it."""

from __future__ import annotations

import math
from types import SimpleNamespace as Message

import pytest

from fer_ros.messages.cameras import camera
from fer_ros.types import Camera

GOOD = [600.0, 0, 320, 0, 610, 240, 0, 0, 1]


def read(
    k: list[float] = GOOD, size_wh: tuple[int, int] = (640, 480),
    roi: tuple[int, int, int, int] = (0, 0, 0, 0), d: list[float] | None = None,
    model: str = 'plumb_bob', shape_hw: tuple[int, int] = (480, 640),
) -> Camera | None:  # fmt: skip
    x, y, width, height = roi
    region = Message(x_offset=x, y_offset=y, width=width, height=height)
    info = Message(width=size_wh[0], height=size_wh[1], roi=region, k=k, d=d or [],
                   distortion_model=model)  # fmt: skip
    return camera(info, shape_hw)


@pytest.mark.parametrize(
    'stated, focal_px, centre_px',
    [
        pytest.param({}, (600, 610), (320, 240), id='as it should be'),
        pytest.param({'size_wh': (1280, 960)}, (300, 305), (160, 120), id='image scaled down'),
        pytest.param({'size_wh': (0, 0)}, (600, 610), (320, 240), id='no size'),
        pytest.param({'size_wh': (1280, 960), 'roi': (300, 200, 640, 480)}, (600, 610), (20, 40),
                     id='cut out'),
        pytest.param({'size_wh': (2000, 1500), 'roi': (100, 0, 1280, 960)}, (300, 305), (110, 120),
                     id='cut out and binned'),
    ],
)  # fmt: skip
def test_focal_length_and_centre_are_those_of_the_image(
    stated: dict, focal_px: tuple[float, float], centre_px: tuple[float, float]
) -> None:
    found = read(**stated)
    assert found is not None
    assert (found.focal_px, found.centre_px) == (focal_px, centre_px)


@pytest.mark.parametrize('number', [0, -600, math.nan, math.inf, 1e-300, 1e308])
@pytest.mark.parametrize('place', [0, 4])
def test_a_focal_length_that_no_lens_has_is_none(number: float, place: int) -> None:
    assert read([*GOOD[:place], number, *GOOD[place + 1 :]]) is None


@pytest.mark.parametrize('number', [math.nan, -math.inf, 1e300])
@pytest.mark.parametrize('place', [2, 5])
def test_a_centre_that_no_image_has_is_none(number: float, place: int) -> None:
    assert read([*GOOD[:place], number, *GOOD[place + 1 :]]) is None


@pytest.mark.parametrize(
    'd, model, known',
    [
        pytest.param([0.1] * 5, 'plumb_bob', True, id='known'),
        pytest.param([math.nan] * 5, 'plumb_bob', False, id='not a number'),
        pytest.param([0.1] * 3, 'plumb_bob', False, id='too few'),
        pytest.param([0.1] * 4, 'equidistant', False, id='fisheye'),
    ],
)
def test_distortion(d: list[float], model: str, known: bool) -> None:
    found = read(d=d, model=model)
    assert found is not None
    assert found.distortion.tolist() == (d if known else [])
