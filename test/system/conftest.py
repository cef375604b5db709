# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the dashboard share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from helpers.dashboard import open_browser, show_page


@pytest.fixture(scope='module')
def environment() -> dict[str, str]:
    """A DDS domain for one file alone, above those that tests have for themselves."""
    worker = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(215 + worker % 14),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }


@pytest.fixture(scope='session')
def idle_browsers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, ...], list[Any]]]:
    """Browsers that no test uses, by their switches: starting one takes seconds."""
    browsers: dict[tuple[str, ...], list[Any]] = {}
    yield browsers
    for page in chain.from_iterable(browsers.values()):
        page.quit()


@pytest.fixture
def browse(
    idle_browsers: dict[tuple[str, ...], list[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Any]]:
    """Open an address in a browser that the test has for itself."""
    with contextlib.ExitStack() as stack:

        def give_back(page: Any, switches: tuple[str, ...]) -> None:
            page.get('about:blank')
            page.get_log('browser')
            idle_browsers.setdefault(switches, []).append(page)

        def browse(
            address: str,
            width_px: int = 1280,
            scheme: str = 'light',
            switches: tuple[str, ...] = (),
        ) -> Any:
            idle = idle_browsers.get(switches)
            page = idle.pop() if idle else open_browser(tmp_path_factory.mktemp('b'), switches)
            stack.callback(give_back, page, switches)
            show_page(page, address, width_px, scheme)
            return page

        yield browse
