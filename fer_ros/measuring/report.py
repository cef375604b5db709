# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A run's figures as Markdown tables, for the terminal and for docs/speed.md alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fer_ros.measuring.machine import describe_in_words


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
    parts = {
        'machine': describe_in_words(result['machine']),
        'goals': _goals(result),
        'systems': _systems(result),
    }
    if 'clips' in result:
        parts['clips'] = _by_scene(result, 'clips', 'images a second on')
    if 'sizes' in result:
        parts['sizes'] = _by_scene(result, 'sizes', 'ms at')
    if 'latency_ms' in result:
        parts['stream'] = _stream(result)
    if 'cameras' in result:
        parts['cameras'] = _cameras(result)
    return parts


def summary(result: dict[str, Any]) -> str:
    """Return the few figures that belong on a first page."""
    fps, ratios, frames = result['frames_per_second']['fer_ros'], result['ratios'], result['frames']
    latency = result['latency_ms']
    others = [
        (f'how many times as fast as {name}', f'{ratios[name]:.1f}')
        for name in (
            'fer Haar, 1 face', 'fer Haar, 8 faces', 'fer MTCNN, 1 face', 'seed recipe, 1 face',
        )
        if name in ratios
    ]  # fmt: skip
    rows = [
        ('library, images of 640x480 a second: 1 face, 8 faces', f'{fps["1"]:.0f}, {fps["8"]:.0f}'),
        *others,
        (
            'camera process → DDS → node → DDS → listener, 30 Hz: sent, received, answered',
            f'{frames["sent"]}, {frames["received"]}, {frames["answered"]}',
        ),
        (
            'latency of the same, stamp to receipt: median, 99th percentile',
            f'{latency["median"]:.1f} ms, {latency["p99"]:.1f} ms',
        ),
        (
            'the node meanwhile: processor, memory; its start to the first answer',
            f'{result["cpu_cores"]:.2f} cores, {result["resident_mb"]:.0f} MB; '
            f'{result["start_s"]:.1f} s',
        ),
    ]
    return table(('figure', 'value'), rows)


def _goals(result: dict[str, Any]) -> str:
    rows = [
        (goal['goal'], goal['wanted'], goal['found'], 'yes' if goal['reached'] else '**no**')
        for goal in result['goals']
    ]
    return table(('goal', 'wanted', 'found', 'reached'), rows)


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
        f'\n\nLeft out: {system}. It said: {reason}'
        for system, reason in result['left_out'].items()
    ]
    return table(('images a second', 'what it is', *header), rows) + ''.join(left_out)


def _by_scene(result: dict[str, Any], key: str, what: str) -> str:
    scenes = list(result[key]['fer_ros'])
    rows = [
        (system, *[f'{by_scene[scene]:.1f}' for scene in scenes])
        for system, by_scene in result[key].items()
    ]
    return table(('', *[f'{what} {scene}' for scene in scenes]), rows)


def _stream(result: dict[str, Any]) -> str:
    rows = []
    for name, key in (('with the node', 'latency_ms'), ('DDS alone', 'dds_alone_ms')):
        if key in result:
            latency = result[key]
            rows.append((name, *[f'{latency[q]:.1f}' for q in ('median', 'p95', 'p99')]))
    frames = result['frames']
    counts = ', '.join(f'{name} {number}' for name, number in frames.items())
    text = table(('ms from stamp to receipt', 'median', '95 %', '99 %'), rows)
    return (
        f'{text}\n\nImages: {counts}. Processor {result["cpu_cores"]:.2f} cores, memory '
        f'{result["resident_mb"]:.0f} MB, start to first answer {result["start_s"]:.2f} s.'
    )


def _cameras(result: dict[str, Any]) -> str:
    rows = []
    for count, cameras in result['cameras'].items():
        usage = result['cameras_usage'][count]
        answered = ', '.join(str(camera['answered']) for camera in cameras)
        dropped = ', '.join(str(camera['dropped']) for camera in cameras)
        received = ', '.join(str(camera['received']) for camera in cameras)
        rows.append(
            (
                count,
                str(cameras[0]['sent']),
                received,
                answered,
                dropped,
                f'{usage["latency_ms"]["median"]:.1f}, {usage["latency_ms"]["p99"]:.1f}',
                f'{usage["cpu_cores"]:.2f}',
                f'{usage["resident_mb"]:.0f}',
            )
        )
    return table(
        (
            'cameras at 15 Hz', 'sent, each', 'received', 'answered', 'dropped',
            'latency ms: median, 99 %', 'cores', 'MB',
        ),
        rows,
    )  # fmt: skip
