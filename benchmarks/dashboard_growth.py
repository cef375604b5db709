# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast the live page shows images, and whether server or page grow while it runs.

Starts camera node, emotion node and dashboard, opens the page in headless Chromium, and prints a
line per minute. ``python benchmarks/dashboard_growth.py --minutes 10``; needs Chromium with its
driver (apt install chromium-driver) and requirements/test.txt. Exit status 1 if something grew.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

MAX_GROWTH_MB = 30.0
"""More than this between the first and the last minute is growth, not noise."""

START_TIMEOUT_S = 180.0


def open_page(address: str, folder: str) -> Any:
    """Return a headless Chromium that shows *address*."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium') or shutil.which('chromium-browser') or ''
    for switch in (
        'headless', 'no-sandbox', 'disable-gpu', 'disable-dev-shm-usage',
        'disable-background-networking', 'enable-precise-memory-info',
        'js-flags=--expose-gc', 'window-size=1280,960', f'user-data-dir={folder}/profile',
    ):  # fmt: skip
        options.add_argument(f'--{switch}')
    service = webdriver.ChromeService(executable_path=shutil.which('chromedriver'))
    page = webdriver.Chrome(options=options, service=service)
    page.set_page_load_timeout(START_TIMEOUT_S)
    page.get(address)
    return page


def page_state(page: Any) -> dict[str, float]:
    """Return the page's heap after a collection, its elements, and the rate it shows."""
    result: dict[str, float] = page.execute_script(
        'gc(); const find = (name) => [...document.querySelectorAll(".fer-figures div")].filter('
        '(box) => box.querySelector("dt").textContent === name).map((box) => parseFloat('
        'box.querySelector("dd").textContent))[0];'
        'return {heap_mb: performance.memory.usedJSHeapSize / 1048576,'
        ' elements: document.querySelectorAll("*").length,'
        ' shown_hz: find("shown here"), answered_hz: find("answered"), camera_hz: find("camera")}'
    )
    return result


def start(stack: contextlib.ExitStack, log: Path, *command: str) -> subprocess.Popen[bytes]:
    """Start a Python module that is interrupted at the end."""
    with log.open('wb') as stream:
        process = subprocess.Popen(
            [sys.executable, '-m', *command], stdout=stream, stderr=subprocess.STDOUT
        )
    stack.callback(process.wait)
    stack.callback(process.send_signal, signal.SIGINT)
    return process


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def feed_rate_hz(port: int) -> float:
    """Return how many results per second reach the server."""
    address = f'http://127.0.0.1:{port}/live/state?camera=/emotions&since=1e12'
    with urllib.request.urlopen(address, timeout=60) as answer:
        return float(json.load(answer).get('rate_hz', 0.0))


def measure(minutes: int, rate_hz: float) -> int:
    """Print a line per minute; return 1 if server or page grew."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        logs = Path(folder)
        node = 'fer_ros.nodes.emotion_node'
        start(stack, logs / 'node', node, '--ros-args', '-r', 'image:=image_raw')
        camera = ('fer_ros.nodes.camera_node', '--ros-args', '-p', f'rate_hz:={rate_hz:.1f}')
        start(stack, logs / 'camera', *camera)
        server = start(stack, logs / 'page', 'fer_ros.cli', 'dashboard', '--port', str(port))
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError):
                if feed_rate_hz(port) > 0:
                    break
            time.sleep(1.0)
        page = open_page(f'http://127.0.0.1:{port}', folder)
        stack.callback(page.quit)
        rows = []
        for minute in range(minutes + 1):
            time.sleep(60.0)
            row = {
                'minute': minute,
                'server_mb': psutil.Process(server.pid).memory_info().rss / 2**20,
                'feed_hz': feed_rate_hz(port),
                **page_state(page),
            }
            rows.append(row)
            shown = {k: round(v, 1) if isinstance(v, float) else v for k, v in row.items()}
            print(json.dumps(shown), flush=True)
    # The first minute fills caches and the three minutes' timeline.
    settled = rows[min(3, len(rows) - 1)]
    growth = {key: rows[-1][key] - settled[key] for key in ('server_mb', 'heap_mb', 'elements')}
    shares = [row['shown_hz'] / row['feed_hz'] for row in rows if row.get('shown_hz')]
    print(f'growth from minute {settled["minute"]} to {rows[-1]["minute"]}: {growth}')
    if shares:
        print(f'images shown for each result of the feed: {sum(shares) / len(shares):.2f}')
    return int(max(growth['server_mb'], growth['heap_mb']) > MAX_GROWTH_MB)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=int, default=10, help='default: %(default)s')
    parser.add_argument('--rate', type=float, default=30.0, help='camera, Hz (default: 30)')
    options = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    return measure(options.minutes, options.rate)


if __name__ == '__main__':
    sys.exit(main())
