#!/usr/bin/env python3
# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of the documentation anew from the free sample photos.

usage: .venv/bin/python docs/figures/make_figures.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from fer_ros.drawing.annotation import annotate
from fer_ros.images.demo import DemoSource
from fer_ros.pipeline import EmotionPipeline

SETTLED_S = 5.6
"""Both people are in view, and long enough for the smoothing."""


def main() -> None:
    """Write annotated_demo.png and annotated_demo_pixelated.png."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    source, pipeline = DemoSource((640, 480), rate_hz=30.0), EmotionPipeline()
    for stamp_s, image in source:
        frame = pipeline.process(image, stamp_s)
        if stamp_s >= SETTLED_S:
            break
    for name, pixelate in (('annotated_demo', False), ('annotated_demo_pixelated', True)):
        picture = cv2.imencode('.png', annotate(image, frame, pixelate))[1]
        (folder / f'{name}.png').write_bytes(picture.tobytes())
        print(folder / f'{name}.png')


if __name__ == '__main__':
    main()
