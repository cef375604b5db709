# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short, seeded run of every fuzz target; benchmarks/fuzz.py runs them for long."""

from __future__ import annotations

import psutil
import pytest
from hypothesis import seed

from benchmarks.fuzz import as_test
from benchmarks.fuzz_draw import Draw, clean_up
from benchmarks.fuzz_targets import TARGETS

CASES = {'bag': 25, 'pipeline': 50}


@pytest.fixture(scope='module', autouse=True)
def scratch():
    yield
    clean_up()


@pytest.mark.parametrize('name', TARGETS)
def test_only_our_own_errors_come_out_and_files_are_given_back(name: str) -> None:
    outcomes: list[bool] = []
    open_files: list[int] = []

    def check(data) -> None:
        outcomes.append(TARGETS[name](Draw(data)))
        open_files.append(psutil.Process().num_fds())

    seed(2026)(as_test(check, CASES.get(name, 80)))()
    assert set(outcomes) == {True, False}, 'inputs that are accepted, and inputs that are refused'
    # What is kept for good, such as a model, is there before half of the cases.
    half = len(open_files) // 2
    assert open_files[-1] <= open_files[half]
