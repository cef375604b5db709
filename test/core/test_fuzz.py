# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short, seeded run of every fuzz target; benchmarks/fuzz.py runs them for long."""

from __future__ import annotations

import psutil
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmarks.fuzz_draw import clean_up
from benchmarks.fuzz_targets import TARGETS, seeds

CASES = {'bag': 25, 'pipeline': 50}


@pytest.fixture(scope='module', autouse=True)
def scratch():
    yield
    clean_up()


@pytest.mark.parametrize('name', TARGETS)
def test_only_our_own_errors_come_out(name: str) -> None:
    outcomes: list[bool] = []

    @seed(2026)
    @settings(max_examples=CASES.get(name, 200), deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.binary(max_size=120) | st.sampled_from(seeds()))
    def check(data: bytes) -> None:
        outcomes.append(TARGETS[name].check(data))

    check()
    assert set(outcomes) == {True, False}, 'inputs that are taken, and inputs that are refused'


@pytest.mark.parametrize('name', TARGETS)
def test_files_are_given_back(name: str) -> None:
    open_files = psutil.Process().num_fds
    check = TARGETS[name].check
    for data in seeds()[:20]:
        check(data)
    before = open_files()
    for data in seeds()[:20]:
        check(data)
    assert open_files() <= before
