# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from fer_ros.models.input_format import NORMALIZATIONS
from fer_ros.recognition.preprocessing import lift_highlights, normalize

RAMP = np.arange(48 * 48, dtype=np.uint32).reshape(1, 48, 48).astype(np.uint8)


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
@pytest.mark.parametrize('count', [0, 1, 3])
def test_shape_and_dtype(normalization: str, count: int) -> None:
    result = normalize(np.repeat(RAMP, count, axis=0), normalization)
    assert result.shape == (count, 48, 48, 1)
    assert result.dtype == np.float32


def test_standardize_hand_computed() -> None:
    crop = np.zeros((1, 16, 16), np.uint8)
    crop[:, :, 8:] = 100
    result = normalize(crop, 'standardize')[0, ..., 0]
    assert np.allclose(result[:, :8], -1)
    assert np.allclose(result[:, 8:], 1)


@pytest.mark.parametrize('grey', [0, 7, 255])
def test_a_flat_face_is_zeros_not_noise(grey: int) -> None:
    assert np.all(normalize(np.full((1, 48, 48), grey, np.uint8), 'standardize') == 0)


def test_standardize_ignores_light_and_contrast() -> None:
    darker = (RAMP // 2 + 20).astype(np.uint8)
    assert np.allclose(normalize(RAMP, 'standardize'), normalize(darker, 'standardize'), atol=0.02)


def test_clipped_highlights_are_lifted_with_a_soft_edge() -> None:
    crop = np.full((2, 48, 48), 100, np.uint8)
    crop[1, :, 24:] = 255
    plain, lifted = lift_highlights(crop)
    assert (plain == 100).all(), 'no pixel at white, nothing to lift'
    assert (lifted[:, :24] == 100).all()
    assert lifted[0, -1] == 255 + 60
    assert 100 < lifted[0, 24] < lifted[0, 25] < 255 + 60
    np.testing.assert_array_equal(normalize(crop[:1], 'declip'), normalize(crop[:1], 'standardize'))


def test_none_spans_minus_one_to_one() -> None:
    result = normalize(RAMP, 'none')
    assert (result.min(), result.max()) == (-1, 1)


@pytest.mark.parametrize(
    'crops, normalization, message',
    [
        pytest.param(RAMP, 'magic', 'expected one of standardize', id='name'),
        pytest.param(RAMP.astype(np.float32), 'none', 'got float32', id='dtype'),
        pytest.param(RAMP[0], 'none', r'got uint8 \(48, 48\)', id='rank'),
        pytest.param(np.zeros((1, 48, 48, 3), np.uint8), 'clahe', 'grey crops', id='colour'),
    ],
)
def test_wrong_input_is_named(crops: np.ndarray, normalization: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalize(crops, normalization)
