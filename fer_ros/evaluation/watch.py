# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How long work is watched from outside, as a progress bar does, without knowing of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar('Item')


class Watch(Protocol):
    """Wraps the steps of one pass; called once a pass."""

    def __call__(self, steps: Sequence[Item], title: str) -> Iterable[Item]:
        """Yield every step, in order; *title* says what the pass is about."""


def unwatched(steps: Sequence[Item], title: str) -> Iterable[Item]:
    """Yield every step and do nothing else."""
    return steps
