# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One LiteRT network planned for images of many sizes, none kept longer than it is used."""

from __future__ import annotations

import bisect
import ctypes
import time
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from fer_ros.models.interpreter import make_interpreter
from fer_ros.types import Float32Array, UInt8Array

SIDES_PX = (
    *range(32, 257, 32), 320, 384, 480, 544, 640, 736, 800, 960, 1088, 1280, 1600, 1920, 2176,
)  # fmt: skip
"""Inputs have sides of these lengths, so that images of about the same size share an interpreter:
multiples of 32, those of common cameras among them."""
MAX_COUNT = 8
"""So many interpreters are kept at most, so that changing between cameras costs nothing,"""
MAX_PIXELS = 6_000_000
"""for inputs of so many pixels together: each takes some 85 bytes,"""
MAX_IDLE_S = 5.0
"""and none that was not used for so long."""


def canvas_side(side_px: int) -> int:
    """Return the shortest side of an input that holds *side_px*, at most the longest one."""
    return SIDES_PX[min(bisect.bisect_left(SIDES_PX, side_px), len(SIDES_PX) - 1)]


class SizedNetwork:
    """The network planned for inputs of one height and width."""

    def __init__(self, content: bytes, threads: int, shape_hw: tuple[int, int]) -> None:
        """Plan the LiteRT file *content*.

        Raises:
            ValueError or RuntimeError: LiteRT cannot read the file or plan for that size.
        """
        self._interpreter = make_interpreter(content, threads)
        index = self._interpreter.get_input_details()[0]['index']
        self._interpreter.resize_tensor_input(index, (1, *shape_hw, 3))
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.tensor(index)
        details = self._interpreter.get_output_details()
        self._outputs = sorted(
            (one['index'] for one in details),
            key=lambda index: -self._interpreter.get_tensor(index).size,
        )

    def run(self, image: UInt8Array) -> list[Float32Array]:
        """Return the network's outputs, the largest first.

        Args:
            image: uint8 (h, w, 3) BGR, no larger than the input, in whose top left it is put.
        """
        height, width = image.shape[:2]
        # Written where the network reads it: a new array per frame costs more in page faults alone.
        target = self._input()[0]
        np.multiply(image, np.float32(1 / 255), out=target[:height, :width])
        target[height:], target[:height, width:] = 0, 0
        del target  # LiteRT does not run while its memory is referred to.
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


class InterpreterCache:
    """The network for inputs of several sizes."""

    def __init__(
        self, content: bytes, threads: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Plan the LiteRT file *content* to run on *threads* threads."""
        self._content, self._threads, self._clock = content, threads, clock
        self._kept: OrderedDict[tuple[int, int], tuple[SizedNetwork, float]] = OrderedDict()

    @property
    def shapes_hw(self) -> list[tuple[int, int]]:
        """The input sizes for which the network is kept, the one used last at the end."""
        return list(self._kept)

    def get(self, shape_hw: tuple[int, int]) -> SizedNetwork:
        """Return the network planned for inputs of *shape_hw*.

        Raises:
            ValueError or RuntimeError: LiteRT cannot read the file or plan for that size.
        """
        network = self._kept.pop(shape_hw, (None, 0.0))[0]
        if network is None:
            network = SizedNetwork(self._content, self._threads, shape_hw)
        self._kept[shape_hw] = network, self._clock()
        self._forget()
        return network

    def _forget(self) -> None:
        """Give back what was not used for longest, but never what was used last."""
        pixels = sum(rows * columns for rows, columns in self._kept)
        oldest_s = self._clock() - MAX_IDLE_S
        before = len(self._kept)
        for shape_hw, (_, used_s) in list(self._kept.items())[:-1]:
            if len(self._kept) <= MAX_COUNT and pixels <= MAX_PIXELS and used_s >= oldest_s:
                break
            pixels -= shape_hw[0] * shape_hw[1]
            del self._kept[shape_hw]
        if len(self._kept) < before:
            _trim_heap()


def _trim_heap() -> None:
    """Have glibc return freed memory to the system; it would keep most of what a large input took.

    Other C libraries know no such call and keep less.
    """
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
