# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Too many images of too many faces, and a slow listener: all is accounted for, nothing grows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.overload import MEMORY_GROWTH_MB, SLOW_LISTENER, Load, crowd_images, overload

FACES = 50


def test_what_cannot_be_processed_is_counted(tmp_path: Path) -> None:
    load = Load(crowd_images, rate_hz=120.0, beside=SLOW_LISTENER)
    facts = overload(load, 10.0, tmp_path)
    assert facts['received'] == facts['processed'] + facts['dropped']
    assert facts['results'] == facts['processed'] > 0
    assert facts['dropped'] > 0, 'no machine reads 6000 faces per second'
    assert facts['bad'] == 0
    assert facts['faces'] == FACES
    early_mb, late_mb = facts['rss_mb']
    assert late_mb - early_mb < MEMORY_GROWTH_MB
