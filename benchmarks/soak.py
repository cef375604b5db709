# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera process -> DDS -> emotion node -> DDS -> this process for long: does anything grow?

usage: python benchmarks/soak.py [--minutes 20] [--output runs/soak] [--plot docs/figures/soak.png]
       python benchmarks/soak.py --sizes [--minutes 10]
People come and go every ten seconds. Memory, file handles and threads of both nodes are read every
second; latencies are those of windows of ten seconds. Prints figures and whether they stay flat
after the first minute, writes soak.json and a plot; the exit status is 1 if they do not.

With --sizes images of one size come for a third of the time, of eight sizes in turn for the next,
and of the first size again: does the memory that the large ones took come back?
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_ros.images.demo import DemoSource
from fer_ros.measuring.report import percentiles
from fer_ros.messages.images import image_message
from fer_ros.nodes.bench_stream import Observer, Result, Usage, observing
from fer_ros.nodes.ros_messages import make

SAMPLE_S = 1.0
WINDOW_S = 10.0
WARM_UP_S = 60.0
PEOPLE_PER_ROUND = 2
FLAT_MB_PER_MINUTE = 0.25
FLAT_MS_PER_MINUTE = 0.25
SIZES_WH = ((640, 480), (320, 240), (800, 600), (1280, 720), (1024, 768), (1920, 1080), (640, 360),
            (2560, 1440))  # fmt: skip
SIZE_S = 2.0
"""How long images of one size come before those of the next do."""

MOST_MB, LEFT_SHARE = 1000.0, 1.2


def slope_per_minute(times_s: list[float], values: list[float]) -> float:
    """Return the slope of the least-squares line per minute; 0 for fewer than three values."""
    return float(np.polyfit(np.array(times_s) / 60, values, 1)[0]) if len(times_s) > 2 else 0.0


def observe(observer: Observer, seconds: float, rate_hz: float) -> dict[str, list[Usage]]:
    """Run both nodes for some time; return what they held, second by second."""
    (camera,) = observer.cameras
    node = observer.start_emotion_nodes()
    where = ('-r', f'__ns:={camera.namespace}', '-p', f'rate_hz:={rate_hz}')
    nodes = {'emotion_node': node, 'camera_node': observer.start('camera_node', *where)}
    observer.until(lambda: camera.results, 'the first result')
    held: dict[str, list[Usage]] = {name: [] for name in nodes}
    for _ in range(round(seconds / SAMPLE_S)):
        for name, process in nodes.items():
            assert process.running(), name
            held[name].append(Usage.of(process.pid))
        observer.wait(SAMPLE_S)
    nodes['camera_node'].stop()
    observer.settle()
    return held


def windows(results: list[Result]) -> list[dict[str, float]]:
    """Return latency and number of results for every ten seconds."""
    parts: dict[int, list[float]] = {}
    for result in results:
        number = int((result.at_s - results[0].at_s) / WINDOW_S)
        parts.setdefault(number, []).append(result.latency_ms)
    return [
        {'at_s': number * WINDOW_S, 'results': len(values), **percentiles(values)}
        for number, values in sorted(parts.items())
    ]


def growth(
    held: dict[str, list[Usage]], parts: list[dict[str, float]], warm_up_s: float
) -> dict[str, Any]:
    """Return how much everything grows after the warm-up, and what is not flat."""
    found: dict[str, Any] = {}
    complaints = []
    for name, samples in held.items():
        late = [sample for sample in samples if sample.at_s - samples[0].at_s >= warm_up_s]
        slope = slope_per_minute([s.at_s for s in late], [s.rss_mb for s in late])
        found[name] = {
            'rss_mb': [round(late[0].rss_mb, 1), round(late[-1].rss_mb, 1)],
            'rss_mb_per_minute': round(slope, 3),
            'files': [min(s.files for s in late), max(s.files for s in late)],
            'threads': [min(s.threads for s in late), max(s.threads for s in late)],
            'cpu_cores': round(late[-1].cores_since(late[0]), 3),
        }
        if slope > FLAT_MB_PER_MINUTE:
            complaints.append(f'{name}: memory grows by {slope:.2f} MB per minute')
        for kind in ('files', 'threads'):
            if getattr(late[-1], kind) > getattr(late[0], kind):
                complaints.append(f'{name}: {kind} grow {found[name][kind]}')
    late_parts = [part for part in parts[:-1] if part['at_s'] >= warm_up_s]
    drift = slope_per_minute([p['at_s'] for p in late_parts], [p['median'] for p in late_parts])
    found['latency_median_ms_per_minute'] = round(drift, 3)
    if drift > FLAT_MS_PER_MINUTE:
        complaints.append(f'the median latency drifts by {drift:.2f} ms per minute')
    return {'growth': found, 'complaints': complaints}


def soak(folder: Path, seconds: float, rate_hz: float, warm_up_s: float) -> dict[str, Any]:
    """Run both nodes and return all figures; logs go to *folder*."""
    with observing(folder) as observer:
        held = observe(observer, seconds, rate_hz)
        (camera,) = observer.cameras
    parts = windows(camera.results)
    # The demo's time goes by frames: a camera that is held up shows people for longer.
    rounds = camera.sent / rate_hz / DemoSource.PERIOD_S
    return {
        'seconds': seconds,
        'rate_hz': rate_hz,
        'frames': {'sent': camera.sent, **camera.counts, 'results': len(camera.results)},
        'latency_ms': percentiles(camera.latencies_ms),
        'ids': {
            'seen': len({track_id for result in camera.results for track_id in result.track_ids}),
            'appearances': round(PEOPLE_PER_ROUND * rounds),
            'at_once': max(len(result.track_ids) for result in camera.results),
        },
        **growth(held, parts, warm_up_s),
        'windows': parts,
        'held': {name: [dataclasses.asdict(s) for s in samples] for name, samples in held.items()},
    }


def plot(facts: dict[str, Any], path: Path) -> None:
    """Draw memory, handles and latency over time."""
    from matplotlib import pyplot

    from fer_ros.drawing.plot_style import plot_style

    with plot_style():
        figure, (memory, handles, latency) = pyplot.subplots(3, 1, figsize=(8, 7.5), sharex=True)
        for name, samples in facts['held'].items():
            minutes = [(sample['at_s'] - samples[0]['at_s']) / 60 for sample in samples]
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


def soak_sizes(folder: Path, seconds: float, rate_hz: float) -> dict[str, Any]:
    """Send images of one size, of many, of the one again; return the memory (MB) in each third."""
    held: dict[str, list[float]] = {}
    with observing(folder) as observer:
        (camera,) = observer.cameras
        node = observer.start_emotion_nodes()
        topic = f'{camera.namespace}/image_raw'
        publisher = observer.node.create_publisher(Image, topic, qos_profile_sensor_data)
        images = [image_message(make, DemoSource(size).at(4.0), Header()) for size in SIZES_WH]
        one = images[:1]
        for phase, messages in (('before', one), ('meanwhile', images), ('after', one)):
            start_s, held[phase] = time.monotonic(), []
            while (elapsed_s := time.monotonic() - start_s) < seconds / 3:
                message = messages[int(elapsed_s / SIZE_S) % len(messages)]
                message.header.stamp = observer.node.get_clock().now().to_msg()
                publisher.publish(message)
                observer.wait(1 / rate_hz)
                if elapsed_s >= SAMPLE_S * len(held[phase]):
                    held[phase].append(round(Usage.of(node.pid).rss_mb, 1))
        observer.settle()
    facts: dict[str, Any] = {
        'seconds': seconds,
        'rss_mb': {'before': held['before'][-1], 'most': max(held['meanwhile']),
                   'after': held['after'][-1]},
        'results': len(camera.results),
    }  # fmt: skip
    return {**facts, 'complaints': size_complaints(facts['rss_mb'])}


def size_complaints(rss_mb: dict[str, float]) -> list[str]:
    """Return what of the memory is too much, or was not given back."""
    found = []
    if rss_mb['most'] > MOST_MB:
        found.append(f'{rss_mb["most"]} MB while sizes change, more than {MOST_MB:g}')
    if rss_mb['after'] > LEFT_SHARE * rss_mb['before']:
        found.append(f'{rss_mb["after"]} MB stay of {rss_mb["before"]} before')
    return found


def main() -> int:
    """Soak, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=30.0, metavar='HZ')
    parser.add_argument('--output', type=Path, default=Path('runs/soak'), metavar='DIR')
    parser.add_argument('--plot', type=Path, metavar='FILE')
    parser.add_argument('--sizes', action='store_true', help='images of changing size')
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    seconds = 60 * options.minutes
    if options.sizes:
        facts = soak_sizes(options.output, seconds, options.rate)
    else:
        facts = soak(options.output, seconds, options.rate, min(WARM_UP_S, seconds / 2))
        (options.output / 'soak.json').write_text(json.dumps(facts) + '\n', encoding='utf-8')
        plot(facts, options.plot or options.output / 'soak.png')
    print(json.dumps({k: v for k, v in facts.items() if k not in ('windows', 'held')}, indent=2))
    print('flat' if not facts['complaints'] else 'NOT FLAT: ' + '; '.join(facts['complaints']))
    return 1 if facts['complaints'] else 0


if __name__ == '__main__':
    sys.exit(main())
