# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short soak: nothing grows while people come and go; benchmarks/soak.py is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import growth, plot, size_complaints, soak
from fer_ros.nodes.bench_stream import Usage

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


@pytest.mark.parametrize(
    'rss_mb, complaints',
    [
        ({'before': 200.0, 'most': 700.0, 'after': 240.0}, []),
        ({'before': 200.0, 'most': 700.0, 'after': 241.0}, ['241.0 MB stay of 200.0 before']),
        ({'before': 200.0, 'most': 1001.0, 'after': 200.0},
         ['1001.0 MB while sizes change, more than 1000']),
    ],
    ids=['well', 'kept', 'too much'],
)  # fmt: skip
def test_memory_that_is_kept_is_a_complaint(
    rss_mb: dict[str, float], complaints: list[str]
) -> None:
    assert size_complaints(rss_mb) == complaints


def test_what_grows_in_a_soak_is_a_complaint() -> None:
    samples = [Usage(at, 200 + 0.01 * at, 20 + at // 100, 9, 0.1 * at) for at in range(121)]
    parts = [{'at_s': 10.0 * number, 'median': 10.0 + number} for number in range(13)]
    complaints = growth({'node': samples}, parts, 60.0)['complaints']
    assert complaints == [
        'node: memory grows by 0.60 MB per minute',
        'node: files grow [20, 21]',
        'the median latency drifts by 6.00 ms per minute',
    ]
    flat = [Usage(float(at), 200.0, 20, 9, 0.1 * at) for at in range(121)]
    steady = [{'at_s': 10.0 * number, 'median': 10.0} for number in range(13)]
    assert growth({'node': flat}, steady, 60.0)['complaints'] == []
