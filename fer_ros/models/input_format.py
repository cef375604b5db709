# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an emotion model's input looks like: size, colour, layout and scale of an aligned face."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

NORMALIZATIONS = ('standardize', 'declip', 'equalize', 'clahe', 'none')
"""What fer_ros.recognition.preprocessing can do without further numbers."""
COLOURS = ('grey', 'bgr', 'rgb')
"""What the channels of a model's input are; three channels of 'grey' are the same thing thrice."""
LAYOUTS = ('nhwc', 'nchw')

FER2013_TEMPLATE_48PX: tuple[tuple[float, float], ...] = (
    (14.6, 17.7),
    (32.4, 17.7),
    (23.5, 27.9),
    (16.3, 36.4),
    (30.7, 36.4),
)
"""Mean landmarks of FER2013's faces and their mirror images in 48x48 pixels, found by YuNet in
2,935 of 3,000 training faces; deviations 3 to 5 pixels."""


@dataclass(frozen=True, kw_only=True)
class InputFormat:
    """The input of an emotion model.

    Attributes:
        size_px: S, height and width.
        colour: one of COLOURS: what the channels mean.
        channels: 1 or 3; 3 with colour 'grey' means grey repeated.
        layout: one of LAYOUTS: whether channels come last or first.
        normalization: one of NORMALIZATIONS, or 'mean_std' for (x - mean) / std.
        mean: of 'mean_std', in grey levels 0 to 255: one value, or one per channel in the order of
            colour.
        std: likewise.
    """

    size_px: int
    colour: str = 'grey'
    channels: int = 1
    layout: str = 'nhwc'
    normalization: str
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def crop_channels(self) -> int:
        """1 where faces are aligned in grey, 3 where in BGR."""
        return 1 if self.colour == 'grey' else 3

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one face in the model's input."""
        size, channels = self.size_px, self.channels
        return (size, size, channels) if self.layout == 'nhwc' else (channels, size, size)

    def contradiction(self) -> str:
        """Return what cannot be in one sentence, '' where everything fits together."""
        if not 16 <= self.size_px <= 512 or self.channels not in (1, 3):
            return (
                'expected size_px 16 to 512 and channels 1 or 3, '
                f'got {self.size_px} and {self.channels}'
            )
        if self.colour not in COLOURS:
            return f'colour must be one of {", ".join(COLOURS)}, got {self.colour!r}'
        if self.layout not in LAYOUTS:
            return f'layout must be one of {", ".join(LAYOUTS)}, got {self.layout!r}'
        if self.colour != 'grey' and self.channels == 1:
            return f'colour {self.colour} needs 3 channels, the card says 1'
        if self.normalization not in (*NORMALIZATIONS, 'mean_std'):
            known = ', '.join((*NORMALIZATIONS, 'mean_std'))
            return f'unknown normalization {self.normalization!r}; expected one of {known}'
        if self.colour != 'grey' and self.normalization in ('equalize', 'clahe'):
            return f'normalization {self.normalization} works on grey faces, not on {self.colour}'
        return self._wrong_levels()

    def _wrong_levels(self) -> str:
        """Return what is wrong with mean and std, '' if nothing is."""
        levels = (*self.mean, *self.std)
        if self.normalization != 'mean_std':
            return 'mean and std go with normalization mean_std only' if levels else ''
        if not {len(self.mean), len(self.std)} <= {1, self.crop_channels}:
            return 'mean_std needs mean and std, each of one value or one per channel'
        if not all(map(math.isfinite, levels)) or min(self.std) <= 0:
            return f'mean must be finite and std above 0, got {self.mean} and {self.std}'
        if 0 < max(self.mean) <= 1 and max(self.std) <= 1:
            return 'mean and std are grey levels from 0 to 255, not shares of 1: multiply by 255'
        return ''


def input_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of InputFormat out of a card's content.

    Raises:
        KeyError: one is missing.
        TypeError, ValueError: one is of the wrong type.
    """
    if 'colour' in content:
        colour = str(content['colour'])
        channels = int(content.get('channels', 1 if colour == 'grey' else 3))
    else:  # Cards before 0.2.0 state channels only.
        channels = int(content['channels'])
        colour = 'bgr' if channels == 3 else 'grey'
    return {
        'size_px': int(content['size_px']),
        'colour': colour,
        'channels': channels,
        'layout': str(content.get('layout', 'nhwc')),
        'normalization': str(content['normalization']),
        'mean': _levels(content.get('mean', ())),
        'std': _levels(content.get('std', ())),
    }


def _levels(value: Any) -> tuple[float, ...]:
    """Return a number or a list of numbers as a tuple."""
    return tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),)
