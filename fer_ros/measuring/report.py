# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's figures as Markdown tables, for the terminal and for docs/speed.md alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fer_ros.errors import FerError
from fer_ros.measuring.machine import describe_in_words

QUANTILES = {'median': 50, 'p95': 95, 'p99': 99}


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return QUANTILES of latencies.

    Raises:
        FerError: there is none.
    """
    if not milliseconds:
        raise FerError('no frame was processed')
    return {name: round(float(np.percentile(milliseconds, q)), 2) for name, q in QUANTILES.items()}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with columns of even width."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    written = [
        '| ' + ' | '.join(cell.ljust(width) for cell, width in zip(line, widths)) + ' |'
        for line in lines
    ]
    rule = '| ' + ' | '.join('-' * width for width in widths) + ' |'
    return '\n'.join([written[0], rule, *written[1:]])


def report(result: dict[str, Any]) -> dict[str, str]:
    """Return the parts of a report by name, each a table or a paragraph."""
    parts = {'machine': describe_in_words(result['machine']), 'systems': _systems(result)}
    for key, what in (('clips', 'fps on'), ('sizes', 'ms at')):
        if key in result:
            parts[key] = _by_scene(result[key], what)
    parts['paced'] = _latencies('library call, one every 33 ms (ms)', result['paced_ms'])
    parts['stream'] = _stream(result)
    if 'cameras' in result:
        parts['cameras'] = _cameras(result)
    return parts


def summary(result: dict[str, Any]) -> str:
    """Return the few figures that belong on a first page."""
    fps, frames, latency = (
        result['frames_per_second']['fer_ros'], result['frames'], result['latency_ms'],
    )  # fmt: skip
    peers = [
        (f'times as fast as {name}', f'{ratio:.1f}')
        for name, ratio in result['ratios'].items()
        if not name.startswith('library') and name.endswith((', 1 face', ', 8 faces'))
    ]
    rows = [
        ('throughput at 640x480 (fps), 1 / 8 faces', f'{fps["1"]:.0f} / {fps["8"]:.0f}'),
        *peers,
        (
            'frames over DDS at 30 Hz: sent / received / processed',
            f'{frames["sent"]} / {frames["received"]} / {frames["processed"]}',
        ),
        (
            'their latency, stamp to receipt, median / p99',
            f'{latency["median"]:.1f} / {latency["p99"]:.1f} ms',
        ),
        (
            'the node meanwhile: processor, memory, start to first result',
            f'{result["cpu_cores"]:.2f} cores, {result["resident_mb"]:.0f} MB, '
            f'{result["start_s"]:.1f} s',
        ),
    ]
    return table(('figure', 'value'), rows)


def _systems(result: dict[str, Any]) -> str:
    fps, found = result['frames_per_second'], result['faces_found']
    counts = list(fps['fer_ros'])
    rows = []
    for system, by_faces in fps.items():
        cells = []
        for faces in counts:
            seen = found[system][faces]
            cells.append(f'{by_faces[faces]:.1f}' + ('' if seen == int(faces) else f' ({seen:g})'))
        rows.append((system, result['about'][system], *cells))
    header = [f'{faces} face{"s" if faces != "1" else ""}' for faces in counts]
    left_out = [
        f'\n\nLeft out: {system}. Its reason: {reason}'
        for system, reason in result['left_out'].items()
    ]
    return table(('frames per second', 'what it is', *header), rows) + ''.join(left_out)


def _by_scene(by_system: dict[str, dict[str, float]], what: str) -> str:
    scenes = list(by_system['fer_ros'])
    rows = [(system, *[f'{found[s]:.1f}' for s in scenes]) for system, found in by_system.items()]
    return table(('', *[f'{what} {scene}' for scene in scenes]), rows)


def _latencies(title: str, by_name: dict[str, dict[str, float]]) -> str:
    rows = [(name, *[f'{ms[q]:.1f}' for q in QUANTILES]) for name, ms in by_name.items()]
    return table((title, *QUANTILES), rows)


def _stream(result: dict[str, Any]) -> str:
    counts = ', '.join(f'{name} {number}' for name, number in result['frames'].items())
    latencies = {'with the node': result['latency_ms'], 'DDS alone': result['dds_alone_ms']}
    return (
        f'{_latencies("stamp to receipt at 30 Hz (ms)", latencies)}\n\n'
        f'Frames: {counts}. Processor {result["cpu_cores"]:.2f} cores, memory '
        f'{result["resident_mb"]:.0f} MB, start to first result {result["start_s"]:.2f} s.'
    )


def _cameras(result: dict[str, Any]) -> str:
    rows = []
    for count, cameras in result['cameras'].items():
        usage = result['cameras_usage'][count]
        each = [
            ', '.join(str(camera[name]) for camera in cameras)
            for name in ('received', 'processed', 'dropped')
        ]
        latency = f'{usage["latency_ms"]["median"]:.1f} / {usage["latency_ms"]["p99"]:.1f}'
        cost = (f'{usage["cpu_cores"]:.2f}', f'{usage["resident_mb"]:.0f}')
        rows.append((count, str(cameras[0]['sent']), *each, latency, *cost))
    header = ('cameras at 15 Hz', 'sent, each', 'received', 'processed', 'dropped')
    return table((*header, 'latency median / p99 (ms)', 'cores', 'MB'), rows)
