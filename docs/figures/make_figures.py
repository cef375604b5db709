#!/usr/bin/env python3
# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of the documentation anew from the free sample photos.

usage: .venv/bin/python docs/figures/make_figures.py [FOLDER]

The pictures of the page need Chromium with its driver, and Selenium (requirements/test.txt).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_ros.drawing.annotation import annotate
from fer_ros.images.demo import DemoSource
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import UInt8Array

sys.path.insert(0, str(Path(__file__).parents[2] / 'test'))
from helpers.dashboard import Dashboard, bars, open_browser, show_page, wait_for

SETTLED_S = 5.6
"""Both people are in view, and long enough for the smoothing."""

HISTORY_S = 20.0
"""The page has been open for so long that its timeline is filled."""

LOOP_HZ, LOOP_WIDTH = 6.0, 760
DESKTOP, PHONE = (1200, 900), (390, 844)


def main() -> None:
    """Write annotated_demo*.png, dashboard_*.png and loop.webp."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    draw_demo(folder)
    with tempfile.TemporaryDirectory() as scratch:
        # Nobody's nodes are to be seen: a domain without any, and this computer alone.
        alone = {'ROS_DOMAIN_ID': '229', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        server = Dashboard(Path(scratch), {**os.environ, **alone})
        browser = open_browser(Path(scratch) / 'profile')
        try:
            for name, (width, height), scheme in (
                ('dashboard_light', DESKTOP, 'light'),
                ('dashboard_dark', DESKTOP, 'dark'),
                ('dashboard_phone', PHONE, 'light'),
            ):
                show_page(browser, server.address(), width, scheme, height)
                wait_for(lambda: len(bars(browser)) == 16, 'both people')
                time.sleep(HISTORY_S)
                wait_for(lambda: len(bars(browser)) == 16, 'both people again')
                write(folder / f'{name}.png', browser.get_screenshot_as_png())
            show_page(browser, server.address(), DESKTOP[0], 'light', DESKTOP[1])
            wait_for(lambda: bars(browser), 'somebody')
            write_loop(folder / 'loop.webp', record(browser))
        finally:
            browser.quit()
            server.stop()


def draw_demo(folder: Path) -> None:
    """Write the annotated demo, with faces and without."""
    source, pipeline = DemoSource((640, 480), rate_hz=30.0), EmotionPipeline()
    for stamp_s, image in source:
        frame = pipeline.process(image, stamp_s)
        if stamp_s >= SETTLED_S:
            break
    for name, pixelate in (('annotated_demo', False), ('annotated_demo_pixelated', True)):
        picture = cv2.imencode('.png', annotate(image, frame, pixelate))[1]
        write(folder / f'{name}.png', picture.tobytes())


def record(browser: Any) -> list[UInt8Array]:
    """Return the page during one round of the demo, so that the end meets the beginning."""
    pictures: list[UInt8Array] = []
    start_s = time.monotonic()
    while time.monotonic() - start_s < DemoSource.PERIOD_S:
        png = np.frombuffer(browser.get_screenshot_as_png(), np.uint8)
        picture = cv2.imdecode(png, cv2.IMREAD_COLOR)
        height = round(picture.shape[0] * LOOP_WIDTH / picture.shape[1])
        size_wh = (LOOP_WIDTH, height)
        pictures.append(np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)))
        time.sleep(max(0.0, start_s + len(pictures) / LOOP_HZ - time.monotonic()))
    return pictures


def write_loop(path: Path, pictures: list[UInt8Array]) -> None:
    """Write pictures as an animation without end, as long as the demo's round."""
    from PIL import Image

    first, *others = (Image.fromarray(picture[..., ::-1]) for picture in pictures)
    duration_ms = round(1000 * DemoSource.PERIOD_S / len(pictures))
    first.save(path, save_all=True, append_images=others, duration=duration_ms, loop=0, quality=60)
    print(path)


def write(path: Path, content: bytes) -> None:
    """Write a file, and say so."""
    path.write_bytes(content)
    print(path)


if __name__ == '__main__':
    main()
