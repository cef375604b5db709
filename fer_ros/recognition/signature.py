# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether weights take and give what their card says, whatever runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_ros.errors import ModelError
from fer_ros.models.card import EmotionModelCard

OUTPUT_TYPES = ('float16', 'float32', 'float64')


@dataclass(frozen=True)
class Tensor:
    """An input or output: its shape with the batch first, and NumPy's name of its type."""

    shape: Sequence[Any]
    dtype: str


def check_signature(
    card: EmotionModelCard, path: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
) -> None:
    """Raise ModelError unless there is one input and one output, as the card describes them."""
    if (len(inputs), len(outputs)) != (1, 1):
        raise ModelError(
            f'model {card.id}: {path} has {len(inputs)} inputs and {len(outputs)} outputs; '
            'expected one of each'
        )
    expected = ([*card.input_shape], [card.columns])
    found = ([*inputs[0].shape[1:]], [*outputs[0].shape[1:]])
    if found != expected:
        raise ModelError(
            f'model {card.id}: its card says input and output are {expected} a face, '
            f'{path} has {found}'
        )
    if inputs[0].dtype != 'float32' or outputs[0].dtype not in OUTPUT_TYPES:
        raise ModelError(
            f'model {card.id}: {path} takes {inputs[0].dtype} and gives {outputs[0].dtype}; '
            'expected float32 (quantized inside, not at its ends)'
        )
