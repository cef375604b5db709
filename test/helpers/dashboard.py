# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`fer dashboard` and nodes in processes of their own, and what a browser sees of the page."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.node_process import NodeProcess

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
DRIVER = shutil.which('chromedriver')
DEADLINE_S = 120.0

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason='no Chromium with its driver (apt install chromium-driver)'
)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of *condition*; fail after DEADLINE_S."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail(f'not within {DEADLINE_S:g} s: {what}')


class Dashboard:
    """A dashboard in a process of its own, with the addresses of its pages."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.log = folder / 'dashboard.log'
        with self.log.open('wb') as stream:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'fer_ros.cli', 'dashboard', '--port', str(self.port),
                 *arguments],
                stdout=stream, stderr=subprocess.STDOUT, env=environment, cwd=folder,
            )  # fmt: skip
        wait_for(self._responds, 'the dashboard responds')

    def _responds(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 1):
            return True
        return False

    def address(self, path: str = '/') -> str:
        return f'http://127.0.0.1:{self.port}{path}'

    def status(self, path: str = '/', **headers: str) -> int:
        request = urllib.request.Request(self.address(path), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as result:
                return int(result.status)
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextlib.contextmanager
def running(folder: Path, environment: dict[str, str], *nodes: tuple[str, ...]) -> Iterator[None]:
    """Run nodes, each a name and ROS arguments, while the block runs."""
    with contextlib.ExitStack() as stack:
        for number, (name, *arguments) in enumerate(nodes):
            log = folder / f'{name}{number}.log'
            process = NodeProcess(name, tuple(arguments), log, environment)
            stack.callback(process.stop)
        yield


def open_browser(profile: Path, switches: tuple[str, ...] = ()) -> Any:
    """Return a new headless browser.

    Args:
        profile: a folder for what the browser keeps.
        switches: more of Chromium's.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in (
        'headless', 'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run',
        'disable-background-networking', 'disable-component-update', 'disable-sync',
        'disable-dev-shm-usage', f'user-data-dir={profile}', *switches,
    ):  # fmt: skip
        options.add_argument(f'--{switch}')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(options, webdriver.ChromeService(executable_path=DRIVER))


def show_page(
    page: Any, address: str, width_px: int = 1280, scheme: str = 'light', height_px: int = 960
) -> None:
    """Have a browser show *address*.

    Args:
        page: the browser.
        address: what to open.
        width_px: of the window; the page must fit.
        scheme: 'light' or 'dark', what the user is said to prefer.
        height_px: of the window.
    """
    size = {'width': width_px, 'height': height_px, 'deviceScaleFactor': 1, 'mobile': False}
    page.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    feature = {'name': 'prefers-color-scheme', 'value': scheme}
    page.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [feature]})
    page.get(address)


def text_of(page: Any) -> str:
    return str(page.execute_script('return document.body.innerText'))


def problems(page: Any) -> list[str]:
    """Return what the console calls an error, but for Streamlit's own search for its address."""
    return [
        line['message']
        for line in page.get_log('browser')
        if line['level'] == 'SEVERE' and '/_stcore/' not in line['message']
    ]


def width_of(page: Any) -> int:
    return int(page.execute_script('return document.documentElement.scrollWidth'))


def bars(page: Any) -> list[str]:
    return list(
        page.execute_script(
            "return [...document.querySelectorAll('.fer-fill')].map(bar => bar.style.width)"
        )
    )


def shades(page: Any) -> int:
    """Return how many values the pixels of the player's picture have."""
    return int(
        page.execute_script(
            "const c = document.querySelector('.fer-stage canvas'); if (!c) return 0;"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            'return new Set(d).size'
        )
    )
