# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Interpreters of the detector: shared by close sizes, bounded, and given back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_ros.detection import interpreters
from fer_ros.detection.interpreters import InterpreterCache, canvas_side
from fer_ros.models.card import DetectorCard


@pytest.fixture(scope='module')
def content() -> bytes:
    return DetectorCard.load('default').weights_path('litert').read_bytes()


@pytest.mark.parametrize(
    'side, expected',
    [(1, 32), (32, 32), (33, 64), (480, 480), (513, 544), (1080, 1088), (2176, 2176), (9999, 2176)],
)
def test_close_sizes_share_a_canvas(side: int, expected: int) -> None:
    assert canvas_side(side) == expected


def test_canvases_fit_the_network_and_are_little_larger_than_images() -> None:
    assert all(side % 32 == 0 for side in interpreters.SIDES_PX)
    assert all(canvas_side(side) <= 1.27 * side for side in range(128, 2177))


def test_only_so_many_sizes_are_kept(content: bytes) -> None:
    cache = InterpreterCache(content, 1)
    for width in range(32, 32 * 13, 32):
        cache.get((32, width))
    assert len(cache.shapes_hw) == interpreters.MAX_COUNT
    assert cache.shapes_hw[-1] == (32, 384)


def test_large_sizes_are_not_kept_together(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, 'MAX_PIXELS', 60_000)
    cache = InterpreterCache(content, 1)
    for width in (320, 64, 96, 320):
        cache.get((128, width))
    assert cache.shapes_hw == [(128, 64), (128, 96), (128, 320)][1:]
    cache.get((128, 640))
    assert cache.shapes_hw == [(128, 640)]


def test_what_was_not_used_for_some_seconds_is_given_back(content: bytes) -> None:
    now = 0.0
    cache = InterpreterCache(content, 1, lambda: now)
    first = cache.get((32, 32))
    now = 3.0
    cache.get((64, 64))
    assert cache.get((32, 32)) is first
    now = 7.0
    cache.get((32, 32))
    assert cache.shapes_hw == [(64, 64), (32, 32)]
    now = 8.5
    cache.get((32, 32))
    assert cache.shapes_hw == [(32, 32)]
    now = 100.0
    assert cache.get((32, 32)) is first


def resident_mb() -> float:
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6


def test_memory_comes_back_after_other_sizes(content: bytes) -> None:
    now = 0.0
    cache = InterpreterCache(content, 1, lambda: now)

    def run(shape_hw: tuple[int, int]) -> None:
        cache.get(shape_hw).run(np.zeros((*shape_hw, 3), np.uint8))

    run((480, 640))
    before_mb = resident_mb()
    for shape_hw in [(736, 1280), (1088, 1600), (960, 960), (320, 384)]:
        run(shape_hw)
    now = 10.0
    run((480, 640))
    assert resident_mb() < 1.2 * before_mb
