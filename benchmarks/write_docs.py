# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts a run's tables between the markers of README.md and docs/speed.md, and draws its pictures.

usage: python benchmarks/write_docs.py FOLDER
FOLDER is what `fer bench --full --output FOLDER` wrote into.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fer_ros.drawing.plot_style import COLOURS, plot_style
from fer_ros.measuring.report import report, summary

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / 'README.md', ROOT / 'docs' / 'speed.md')
FIGURES = ROOT / 'docs' / 'figures'
OURS, PART, OTHER = COLOURS['happy'], COLOURS['neutral'], COLOURS['unknown']
LINES = {
    'fer_ros': COLOURS['angry'],
    'detector alone': COLOURS['sad'],
    'classifier alone': COLOURS['disgust'],
}


def fill(page: str, parts: dict[str, str]) -> str:
    """Return *page* with each ``<!-- bench NAME -->…<!-- end -->`` filled anew.

    Raises:
        KeyError: the page has a marker for a part that the run has not.
    """
    return re.sub(
        r'<!-- bench (\w+) -->.*?<!-- end -->',
        lambda match: f'<!-- bench {match[1]} -->\n{parts[match[1]]}\n<!-- end -->',
        page,
        flags=re.DOTALL,
    )


def draw_systems(result: dict[str, Any]) -> Figure:
    """Draw frames per second of every system, with one face and with eight."""
    fps = result['frames_per_second']
    names = list(fps)[::-1]
    figure = Figure(figsize=(8.5, 0.5 * len(fps) + 1.2))
    for axes, faces in zip(figure.subplots(1, 2), ('1', '8')):
        values = [fps[name][faces] for name in names]
        colours = [OURS if n == 'fer_ros' else PART if 'alone' in n else OTHER for n in names]
        bars = axes.barh(names, values, color=colours)
        axes.bar_label(bars, [f'{n:.0f}' if n >= 10 else f'{n:.1f}' for n in values], padding=3)
        limits = 0.5 * min(values), 4 * max(values)
        axes.set(xscale='log', xlim=limits, xlabel='frames per second')
        axes.set_title(f'{faces} face{"s" if faces != "1" else ""}, 640x480')
        axes.grid(axis='y', visible=False)
    axes.set_yticks([])
    return figure


def draw_growth(result: dict[str, Any]) -> Figure:
    """Draw how milliseconds grow with faces and with pixels, and cores with cameras."""
    figure = Figure(figsize=(10.5, 3.4))
    by_faces, by_pixels, by_cameras = figure.subplots(1, 3)
    for name, colour in LINES.items():
        fps, sizes = result['frames_per_second'][name], result['sizes'][name]
        by_faces.plot(list(map(int, fps)), [1e3 / n for n in fps.values()], 'o-', color=colour)
        megapixels = [float(w) * float(h) / 1e6 for w, h in (size.split('x') for size in sizes)]
        by_pixels.plot(megapixels, list(sizes.values()), 'o-', color=colour, label=name)
    by_faces.set(xlabel='faces, 640x480', ylabel='ms per frame')
    by_pixels.set(xlabel='megapixels, one face', ylabel='ms per frame')
    usage = result['cameras_usage']
    cores = [use['cpu_cores'] for use in usage.values()]
    by_cameras.plot(list(map(int, usage)), cores, 'o-', color=LINES['fer_ros'])
    by_cameras.set(xlabel='cameras at 15 Hz, 640x480', ylabel='cores')
    by_pixels.legend()
    for axes, title in ((by_faces, 'faces'), (by_pixels, 'pixels'), (by_cameras, 'cameras')):
        axes.set_ylim(0, None)
        axes.set_title(title)
    return figure


def draw_latency(latencies_ms: dict[str, list[float]]) -> Figure:
    """Draw each frame's latency over the run, and that of DDS alone."""
    figure = Figure(figsize=(8.5, 3.0))
    axes = figure.subplots()
    for key, label, colour in (
        ('node', 'with the node', LINES['fer_ros']),
        ('dds_alone', 'DDS alone', LINES['detector alone']),
    ):
        axes.plot(latencies_ms[key], '.', markersize=3, color=colour, label=label)
    axes.axhline(33, color='#777777', linewidth=1, linestyle=':')
    axes.set(xlabel='frame, 30 per second', ylabel='ms, stamp to receipt', ylim=(0, None))
    axes.legend(ncols=2, loc='upper right')
    return figure


def main() -> None:
    """Write the pages and the pictures."""
    folder = Path(sys.argv[1])
    result, latencies_ms = (
        json.loads((folder / name).read_text(encoding='utf-8'))
        for name in ('bench.json', 'latencies.json')
    )
    parts = {**report(result), 'readme': summary(result)}
    for page in PAGES:
        page.write_text(fill(page.read_text(encoding='utf-8'), parts), encoding='utf-8')
        print(page)
    with plot_style():
        draw_systems(result).savefig(FIGURES / 'speed_systems.png')
        draw_growth(result).savefig(FIGURES / 'speed_growth.png')
        draw_latency(latencies_ms).savefig(FIGURES / 'speed_latency.png')


if __name__ == '__main__':
    main()
