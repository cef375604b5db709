# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Copies and neighbours of a face end up in one group, others do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_ros.data.groups import group_faces


def blobs(seed: int, size: int = 48) -> np.ndarray:
    """A smooth random picture: another one for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def recompressed(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image, (40, 40), interpolation=cv2.INTER_AREA)
    data = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return cv2.resize(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), (48, 48))


def shifted(image: np.ndarray) -> np.ndarray:
    return np.roll(image, 1, axis=1)


@pytest.mark.parametrize(
    'images, files, expected',
    [
        pytest.param([blobs(1), blobs(2), blobs(3)], (), [0, 1, 2], id='all different'),
        pytest.param([blobs(1), blobs(2), blobs(1)], (), [0, 1, 0], id='copy'),
        pytest.param(
            [blobs(1), recompressed(blobs(1)), blobs(2)],
            ('happy/a.png', 'sad/b.png', 'sad/c.png'),
            [0, 0, 1],
            id='smaller and compressed, in another class',
        ),
        pytest.param(
            [blobs(1), shifted(blobs(1)), blobs(2)],
            ('happy/v_0007.png', 'happy/v_0009.png', 'happy/v_0010.png'),
            [0, 0, 1],
            id='frames of a video',
        ),
        pytest.param(
            [blobs(1), blobs(2), blobs(3)],
            ('happy/anna/1.png', 'sad/anna/2.png', 'sad/ben/1.png'),
            [0, 0, 1],
            id='folders of persons',
        ),
    ],
)
def test_groups(images: list[np.ndarray], files: tuple[str, ...], expected: list[int]) -> None:
    groups = group_faces(np.stack(images), files)
    first = {number: place for place, number in enumerate(dict.fromkeys(groups.tolist()))}
    assert [first[number] for number in groups.tolist()] == expected


def test_brightness_changes_no_group() -> None:
    darker = (blobs(1) * 0.5).astype(np.uint8)
    assert len(set(group_faces(np.stack([blobs(1), darker])).tolist())) == 1
