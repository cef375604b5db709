# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Videos whose frames come when they please, as phones and browsers record them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + b'\x01' + len(content).to_bytes(7, 'big') + content


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(4, 'big'))


def matroska(times_ms: Sequence[int]) -> bytes:
    """Return a file of motion JPEG without a frame rate; frame number n has brightness 10 n."""
    head = (
        _number('4286', 1) + _number('42f7', 1) + _number('42f2', 4) + _number('42f3', 8)
        + _element('4282', b'matroska') + _number('4287', 4) + _number('4285', 2)
    )  # fmt: skip
    info = _number('2ad7b1', 1_000_000)
    size = _element('e0', _number('b0', 64) + _number('ba', 48))
    entry = _number('d7', 1) + _number('73c5', 1) + _number('83', 1) + _element('86', b'V_MJPEG')
    tracks = _element('ae', entry + size)
    clusters = b''
    for number, time_ms in enumerate(times_ms):
        pixels = np.full((48, 64, 3), 10 * number, np.uint8)
        frame = cv2.imencode('.jpg', pixels)[1].tobytes()
        block = _element('a3', b'\x81\0\0\x80' + frame)
        clusters += _element('1f43b675', _number('e7', time_ms) + block)
    segment = _element('1549a966', info) + _element('1654ae6b', tracks) + clusters
    return _element('1a45dfa3', head) + _element('18538067', segment)
