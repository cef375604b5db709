# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every part of the suite may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fer_ros.images.demo import demo_photos

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / 'shared'
WORKER = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])


@pytest.fixture(scope='session')
def root() -> Path:
    return ROOT


@pytest.fixture(scope='session')
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip('the shared data sets are not beside this clone')
    return SHARED


@pytest.fixture(scope='session')
def astronaut() -> np.ndarray:
    return demo_photos()[0]


@pytest.fixture(scope='session')
def hopper() -> np.ndarray:
    return demo_photos()[1]


@pytest.fixture(autouse=True)
def ros_environment(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Give every test a DDS domain of its own, and let no node catch an error."""
    share = 100 // int(os.environ.get('PYTEST_XDIST_WORKER_COUNT', '1'))
    turn = os.getpid() + request.session.items.index(request.node)
    number = 1 + WORKER * share + turn % share
    monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
    monkeypatch.setenv('FER_ROS_STRICT', '1')
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
