# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera process -> DDS -> emotion node -> DDS -> this process for long: does anything grow?

usage: python benchmarks/soak.py [--minutes 20] [--output runs/soak] [--plot docs/figures/soak.png]
People come and go every ten seconds. Every second it looks at the memory, file handles and threads
of both nodes; latencies are those of windows of ten seconds. Prints figures and whether they stay
flat after the first minute, writes soak.json and a plot; the exit status is 1 if they do not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.observed import (
    Answer,
    Holdings,
    Watch,
    holdings,
    percentiles,
    slope_per_minute,
    watching,
)
from fer_ros.images.sources import DemoSource

NODES = ('emotion_node', 'camera_node')
SAMPLE_S = 1.0
WINDOW_S = 10.0
WARM_UP_S = 60.0
PEOPLE_A_ROUND = 2
FLAT_MB_A_MINUTE = 0.25
FLAT_MS_A_MINUTE = 0.25


def observe(watch: Watch, seconds: float, rate_hz: float) -> dict[str, list[Holdings]]:
    """Run both nodes for some time; return what they held, second by second."""
    nodes = {'emotion_node': watch.start('emotion_node', '-r', 'image:=image_raw')}
    watch.until(lambda: watch.node.count_subscribers('image_raw'), 'emotion_node')
    nodes['camera_node'] = watch.start('camera_node', '-p', f'rate_hz:={rate_hz}')
    watch.until(lambda: watch.answers, 'the first answer')
    held: dict[str, list[Holdings]] = {name: [] for name in NODES}
    start_s = time.monotonic()
    while (now_s := time.monotonic() - start_s) < seconds:
        if now_s >= SAMPLE_S * len(held['emotion_node']):
            for name, process in nodes.items():
                assert process.running(), name
                held[name].append(holdings(process.pid, now_s))
        watch.spin(0.1)
    nodes['camera_node'].stop()
    return held


def windows(answers: list[Answer]) -> list[dict[str, float]]:
    """Return latency and number of answers for every ten seconds."""
    start_s = answers[0].at_s
    parts: dict[int, list[float]] = {}
    for answer in answers:
        parts.setdefault(int((answer.at_s - start_s) / WINDOW_S), []).append(answer.latency_ms)
    return [
        {'at_s': number * WINDOW_S, 'answers': len(values), **percentiles(values)}
        for number, values in sorted(parts.items())
    ]


def judge(
    held: dict[str, list[Holdings]], parts: list[dict[str, float]], warm_up_s: float
) -> dict[str, Any]:
    """Return how much everything grows after the warm-up, and what is not flat."""
    growth: dict[str, Any] = {}
    complaints = []
    for name, samples in held.items():
        late = [sample for sample in samples if sample.at_s >= warm_up_s]
        times_s = [sample.at_s for sample in late]
        per_minute = slope_per_minute(times_s, [sample.rss_mb for sample in late])
        growth[name] = {
            'rss_mb': [round(late[0].rss_mb, 1), round(late[-1].rss_mb, 1)],
            'rss_mb_a_minute': round(per_minute, 3),
            'files': [min(s.files for s in late), max(s.files for s in late)],
            'threads': [min(s.threads for s in late), max(s.threads for s in late)],
            'cpu_cores': round((late[-1].cpu_s - late[0].cpu_s) / (times_s[-1] - times_s[0]), 3),
        }
        if per_minute > FLAT_MB_A_MINUTE:
            complaints.append(f'{name}: memory grows by {per_minute:.2f} MB a minute')
        for kind in ('files', 'threads'):
            if late[-1].__dict__[kind] > late[0].__dict__[kind]:
                complaints.append(f'{name}: {kind} grow {growth[name][kind]}')
    late_parts = [part for part in parts[:-1] if part['at_s'] >= warm_up_s]
    drift = slope_per_minute([p['at_s'] for p in late_parts], [p['median'] for p in late_parts])
    growth['latency_median_ms_a_minute'] = round(drift, 3)
    if drift > FLAT_MS_A_MINUTE:
        complaints.append(f'the median latency drifts by {drift:.2f} ms a minute')
    return {'growth': growth, 'complaints': complaints}


def soak(folder: Path, seconds: float, rate_hz: float, warm_up_s: float) -> dict[str, Any]:
    """Run both nodes and return all figures; logs go to *folder*."""
    with watching(folder) as watch:
        held = observe(watch, seconds, rate_hz)
        counts = watch.settle()
        parts = windows(watch.answers)
        ids = {track_id for answer in watch.answers for track_id in answer.track_ids}
        # The demo's time goes by images: a camera that is held up shows people for longer.
        rounds = watch.sent / rate_hz / DemoSource.PERIOD_S
        return {
            'seconds': seconds,
            'rate_hz': rate_hz,
            'frames': {'sent': watch.sent, **counts, 'answers': len(watch.answers)},
            'latency_ms': percentiles([answer.latency_ms for answer in watch.answers]),
            'ids': {
                'seen': len(ids),
                'appearances': round(PEOPLE_A_ROUND * rounds),
                'at_once': max(len(answer.track_ids) for answer in watch.answers),
            },
            **judge(held, parts, warm_up_s),
            'windows': parts,
            'held': {n: [dataclasses.asdict(s) for s in samples] for n, samples in held.items()},
        }


def plot(facts: dict[str, Any], path: Path) -> None:
    """Draw memory, handles and latency over time."""
    from matplotlib import pyplot

    from fer_ros.drawing.plot_style import plot_style

    with plot_style():
        figure, (memory, handles, latency) = pyplot.subplots(3, 1, figsize=(8, 7.5), sharex=True)
        for name, samples in facts['held'].items():
            minutes = [sample['at_s'] / 60 for sample in samples]
            memory.plot(minutes, [sample['rss_mb'] for sample in samples], label=name)
            (line,) = handles.plot(minutes, [s['files'] for s in samples], label=f'{name}, files')
            threads = [sample['threads'] for sample in samples]
            handles.plot(minutes, threads, ':', color=line.get_color(), label=f'{name}, threads')
        minutes = [part['at_s'] / 60 for part in facts['windows'][:-1]]
        for key, style in (('median', '-'), ('p99', ':')):
            values = [part[key] for part in facts['windows'][:-1]]
            latency.plot(minutes, values, style, color='#444444', label=key)
        memory.set_title('Resident memory (MB)')
        handles.set_title('Open file handles and threads')
        latency.set_title('Latency from stamp to receipt (ms), windows of ten seconds')
        latency.set_xlabel('minutes')
        for axes in (memory, handles, latency):
            axes.set_ylim(bottom=0)
            axes.legend(loc='center right', fontsize=8)
        figure.savefig(path)
        pyplot.close(figure)


def main() -> int:
    """Soak, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=30.0, metavar='HZ')
    parser.add_argument('--output', type=Path, default=Path('runs/soak'), metavar='DIR')
    parser.add_argument('--plot', type=Path, metavar='FILE')
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    seconds = 60 * options.minutes
    facts = soak(options.output, seconds, options.rate, min(WARM_UP_S, seconds / 2))
    (options.output / 'soak.json').write_text(json.dumps(facts) + '\n', encoding='utf-8')
    plot(facts, options.plot or options.output / 'soak.png')
    print(json.dumps({k: v for k, v in facts.items() if k not in ('windows', 'held')}, indent=2))
    print('flat' if not facts['complaints'] else 'NOT FLAT: ' + '; '.join(facts['complaints']))
    return 1 if facts['complaints'] else 0


if __name__ == '__main__':
    sys.exit(main())
