# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A stream's time as its image stamps tell it, late images and loops included."""

from __future__ import annotations

import math

from fer_ros.config import TrackingConfig


class StreamClock:
    """Makes a time that never runs backward out of stamps that may.

    Attributes:
        config: says which step back is jitter.
        late_stamps: how many stamps lay before the newest one, but within the jitter.
        jumps_back: how often time has jumped back for good, as where a bag begins anew.
    """

    def __init__(self, config: TrackingConfig) -> None:
        """Start before the first stamp."""
        self.config = config
        self.late_stamps = 0
        self.jumps_back = 0
        self._newest_s = -math.inf

    def advance(self, stamp_s: float) -> tuple[float, bool]:
        """Return the stream's time at an image, and whether it has jumped back to get there.

        Args:
            stamp_s: the image's own stamp in seconds.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        if not math.isfinite(stamp_s):
            raise ValueError(f'stamp_s: expected a finite number of seconds, got {stamp_s}')
        jumped = stamp_s < self._newest_s - self.config.max_jitter_s
        self.jumps_back += jumped
        self.late_stamps += not jumped and stamp_s < self._newest_s
        self._newest_s = stamp_s if jumped else max(self._newest_s, stamp_s)
        return self._newest_s, jumped
