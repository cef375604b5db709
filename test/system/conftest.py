# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the dashboard share."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.dashboard import open_page


@pytest.fixture(scope='module')
def environment() -> dict[str, str]:
    """A DDS domain for one file alone."""
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open an address in a new browser."""
    with contextlib.ExitStack() as stack:

        def browse(
            address: str,
            width_px: int = 1280,
            scheme: str = 'light',
            switches: tuple[str, ...] = (),
        ) -> Any:
            profile = tmp_path / f'profile{time.monotonic_ns()}'
            page = open_page(profile, address, width_px, scheme, switches)
            stack.callback(page.quit)
            return page

        yield browse
