# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short soak: nothing grows while people come and go; benchmarks/soak.py is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import plot, soak

SECONDS, WARM_UP_S = 40.0, 15.0
MOST_GROWTH_MB = 25.0
"""Generous: the middleware touches its shared memory for the first time when it likes."""


@pytest.mark.slow
def test_nothing_grows_while_people_come_and_go(tmp_path: Path) -> None:
    facts = soak(tmp_path, SECONDS, 15.0, WARM_UP_S)
    frames = facts['frames']
    assert frames['results'] == frames['processed'] > 10
    assert frames['received'] == frames['processed'] + frames['dropped']
    assert frames['bad'] == 0
    for name in ('emotion_node', 'camera_node'):
        held = facts['growth'][name]
        assert held['rss_mb'][1] - held['rss_mb'][0] < MOST_GROWTH_MB, name
        first, last = facts['held'][name][-10], facts['held'][name][-1]
        assert (last['files'], last['threads']) == (first['files'], first['threads']), name
    ids = facts['ids']
    # On a slow machine a gap between two frames may part a person in two, but not in many.
    assert 1 <= ids['seen'] <= 5 * ids['appearances'] + 5
    assert ids['at_once'] <= 3
    plot(facts, tmp_path / 'soak.png')
    assert (tmp_path / 'soak.png').stat().st_size > 10_000
