# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's figures as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fer_ros.drawing.plot_style import COLOURS, plot_style

OURS, PART, OTHER = COLOURS['happy'], COLOURS['neutral'], COLOURS['unknown']
LINES = {
    'fer_ros': COLOURS['angry'],
    'detector alone': COLOURS['sad'],
    'classifier alone': COLOURS['disgust'],
}


def draw_systems(result: dict[str, Any], path: Path) -> None:
    """Draw images a second of every system, for the least and for eight faces."""
    from matplotlib.figure import Figure

    fps = result['frames_per_second']
    shown = [faces for faces in ('1', '8') if faces in fps['fer_ros']]
    with plot_style():
        figure = Figure(figsize=(8.5, 0.5 * len(fps) + 1.2))
        for axes, faces in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown):
            names = list(fps)[::-1]
            values = [fps[name][faces] for name in names]
            colours = [
                OURS if name == 'fer_ros' else PART if 'alone' in name else OTHER for name in names
            ]
            bars = axes.barh(names if axes is figure.axes[0] else range(len(names)), values)
            for bar, colour in zip(bars, colours):
                bar.set_color(colour)
            axes.bar_label(bars, [f'{n:.0f}' if n >= 10 else f'{n:.1f}' for n in values], padding=3)
            limits = 0.5 * min(values), 4 * max(values)
            axes.set(xscale='log', xlim=limits, xlabel='images a second')
            axes.grid(axis='y', visible=False)
            if axes is not figure.axes[0]:
                axes.set_yticks([])
            axes.set_title(f'{faces} face{"s" if faces != "1" else ""}, 640x480')
        figure.savefig(path)


def draw_growth(result: dict[str, Any], path: Path) -> None:
    """Draw how milliseconds grow with faces and with pixels, and answers with cameras."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(10.5, 3.4))
        by_faces, by_pixels, by_cameras = figure.subplots(1, 3)
        for name, colour in LINES.items():
            fps = result['frames_per_second'][name]
            counts = [int(faces) for faces in fps]
            by_faces.plot(counts, [1e3 / n for n in fps.values()], 'o-', color=colour, label=name)
            sizes = result['sizes'][name]
            pixels = [_megapixels(size) for size in sizes]
            if name != 'classifier alone':
                by_pixels.plot(pixels, list(sizes.values()), 'o-', color=colour, label=name)
        by_faces.set(xlabel='faces, 640x480', ylabel='ms an image', ylim=(0, None), xticks=counts)
        by_faces.set_title('faces')
        by_faces.legend()
        by_pixels.set(xlabel='megapixels, one face', ylabel='ms an image', ylim=(0, None))
        by_pixels.set_title('pixels')
        cameras = result['cameras']
        counts = [int(count) for count in cameras]
        shares = [
            100 * sum(c['answered'] for c in group) / sum(c['sent'] for c in group)
            for group in cameras.values()
        ]
        by_cameras.plot(counts, shares, 'o-', color=LINES['fer_ros'], label='answered, %')
        cores = [100 * result['cameras_usage'][count]['cpu_cores'] for count in cameras]
        by_cameras.plot(
            counts, cores, 's--', color=LINES['detector alone'], label='processor, % of a core'
        )
        by_cameras.set(xlabel='cameras at 15 Hz, 640x480', ylim=(0, None), xticks=counts)
        by_cameras.set_title('cameras')
        by_cameras.legend()
        figure.savefig(path)


def _megapixels(size: str) -> float:
    width, height = size.split('x')
    return int(width) * int(height) / 1e6


def draw_latency(latencies_ms: list[float], dds_alone_ms: list[float], path: Path) -> None:
    """Draw each image's latency over the run, and that of DDS alone."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(8.5, 3.0))
        axes = figure.subplots()
        axes.plot(latencies_ms, '.', markersize=3, color=LINES['fer_ros'], label='with the node')
        axes.plot(dds_alone_ms, '.', markersize=3, color=LINES['detector alone'], label='DDS alone')
        axes.axhline(33, color='#777777', linewidth=1, linestyle=':')
        axes.set(xlabel='image, 30 a second', ylabel='ms, stamp to receipt', ylim=(0, None))
        axes.legend(ncols=2, loc='upper right')
        figure.savefig(path)
