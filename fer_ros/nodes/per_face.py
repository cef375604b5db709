# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a node holds for each face id, of which others may send as many as they like."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Held = TypeVar('Held')

MAX_FACES = 64
KEPT_S = 10.0


class PerFace(Generic[Held]):
    """Topics and the like, made when a face appears and destroyed some time after it has gone."""

    def __init__(self, make: Callable[[str], Held | None], destroy: Callable[[Held], None]) -> None:
        """Hold nothing yet.

        Args:
            make: is called with a new id; None if there is nothing to hold for it.
            destroy: gives back what *make* returned.
        """
        self._make, self._destroy = make, destroy
        self._held: dict[str, tuple[Held, float]] = {}
        self.left_out = 0
        """Ids of the latest call of see beyond MAX_FACES."""

    def __len__(self) -> int:
        """Return for how many ids something is held."""
        return len(self._held)

    def get(self, face_id: str) -> Held | None:
        """Return what is held for an id, None if nothing is."""
        return self._held[face_id][0] if face_id in self._held else None

    def see(self, ids: Iterable[str], now_s: float | None = None) -> dict[str, Held]:
        """Return what is held for the faces in view; of the first MAX_FACES, if there are more.

        Args:
            ids: of everybody in view.
            now_s: time.monotonic() if None.
        """
        now_s = time.monotonic() if now_s is None else now_s
        everybody = list(dict.fromkeys(ids))
        seen = everybody[:MAX_FACES]
        self.left_out = len(everybody) - len(seen)
        for face_id in seen:
            if face_id in self._held:
                # To the end: the first is the one unseen for longest.
                self._held[face_id] = (self._held.pop(face_id)[0], now_s)
        for face_id in seen:
            if face_id not in self._held:
                self._add(face_id, now_s)
        return {face_id: self._held[face_id][0] for face_id in seen if face_id in self._held}

    def _add(self, face_id: str, now_s: float) -> None:
        held = self._make(face_id)
        if held is None:
            return
        if len(self._held) == MAX_FACES:
            self._drop(next(iter(self._held)))
        self._held[face_id] = (held, now_s)

    def forget_unseen(self, now_s: float | None = None) -> None:
        """Give back what belongs to faces that were not seen for KEPT_S."""
        now_s = time.monotonic() if now_s is None else now_s
        for face_id in [i for i, (_, seen_s) in self._held.items() if now_s - seen_s > KEPT_S]:
            self._drop(face_id)

    def _drop(self, face_id: str) -> None:
        self._destroy(self._held.pop(face_id)[0])
