# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One shared process for several cameras against one process each: processor, memory, answers.

usage: python benchmarks/multi_camera.py [--cameras 3] [--rate 10] [--seconds 20] [--json]
The cameras are demo cameras in processes of their own, which are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from fer_msgs.msg import EmotionArray
from fer_ros.messages.emotions import stamp_seconds
from fer_ros.nodes.demo import NodeProcess
from fer_ros.nodes.middleware import prepare_middleware

START_TIMEOUT_S = 90.0
SETTLE_S = 3.0
REMAPPED = ('-r', 'image:=image_raw')
COLUMNS = {
    'processes': 'processes',
    'cores': 'cores',
    'resident_mb': 'RSS, MB',
    'proportional_mb': 'PSS, MB',
    'answers_per_second': 'answers/s a camera',
    'latency_ms': 'median latency, ms',
}


class Answers:
    """Hears the answers to every camera."""

    def __init__(self, node: Node, namespaces: list[str]) -> None:
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self.latencies_ms: dict[str, list[float]] = {name: [] for name in namespaces}
        for name in namespaces:
            node.create_subscription(EmotionArray, f'{name}/emotions', self._to(name), 100)

    def _to(self, name: str) -> Callable[[EmotionArray], None]:
        return lambda message: self.latencies_ms[name].append(
            1e3 * (time.time() - stamp_seconds(message.header))
        )

    def listen(self, seconds: float) -> None:
        """Hear what comes for so long."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=0.1)

    def clear(self) -> None:
        """Forget what came."""
        for latencies in self.latencies_ms.values():
            latencies.clear()


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory_mb(pid: int, kind: str) -> float:
    """Return the memory of a process: 'Rss' whole, 'Pss' with a share of what it shares."""
    text = Path(f'/proc/{pid}/smaps_rollup').read_text()
    found = re.search(rf'^{kind}:\s+(\d+) kB', text, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def start_all(
    running: ExitStack, folder: Path, namespaces: list[str], shared: bool, rate_hz: float
) -> tuple[list[NodeProcess], list[NodeProcess]]:
    """Start cameras and emotion nodes, to be stopped with *running*; return both."""

    def start(name: str, log: str, *arguments: str) -> NodeProcess:
        process = NodeProcess(name, folder / f'{log}.log', *arguments)
        running.callback(process.stop)
        return process

    cameras = [
        start('camera_node', f'camera_{n}', '-r', f'__ns:=/{n}', '-p', f'rate_hz:={rate_hz}')
        for n in namespaces
    ]
    if shared:
        return cameras, [start('multi_emotion_node', 'shared', *REMAPPED, '--', *namespaces)]
    return cameras, [
        start('emotion_node', f'each_{n}', '-r', f'__ns:=/{n}', *REMAPPED) for n in namespaces
    ]


def wait_for_all(answers: Answers, processes: list[NodeProcess]) -> None:
    """Listen until every camera was answered, and a little longer.

    Raises:
        SourceError: a node has failed.
        TimeoutError: not every camera was answered.
    """
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not all(answers.latencies_ms.values()):
        answers.listen(0.2)
        if time.monotonic() > deadline_s or not all(p.running() for p in processes):
            raise TimeoutError(f'not every camera was answered in {START_TIMEOUT_S:g} s')
    answers.listen(SETTLE_S)
    answers.clear()


def measure(
    folder: Path, namespaces: list[str], shared: bool, rate_hz: float, seconds: float
) -> dict[str, float]:
    """Run cameras and emotion nodes; return what the emotion nodes took and gave."""
    node = rclpy.create_node('multi_camera')
    answers = Answers(node, namespaces)
    with ExitStack() as running:
        cameras, nodes = start_all(running, folder, namespaces, shared, rate_hz)
        wait_for_all(answers, [*cameras, *nodes])
        before_s, start_s = sum(processor_s(p.pid) for p in nodes), time.monotonic()
        answers.listen(seconds)
        used_s, passed_s = sum(processor_s(p.pid) for p in nodes), time.monotonic() - start_s
        latencies_ms = [ms for found in answers.latencies_ms.values() for ms in found]
        result = {
            'processes': len(nodes),
            'cores': round((used_s - before_s) / passed_s, 3),
            'resident_mb': round(sum(memory_mb(p.pid, 'Rss') for p in nodes)),
            'proportional_mb': round(sum(memory_mb(p.pid, 'Pss') for p in nodes)),
            'answers_per_second': round(len(latencies_ms) / passed_s / len(namespaces), 2),
            'latency_ms': round(median(latencies_ms), 1),
        }
    node.destroy_node()
    return result


def main() -> None:
    """Measure both arrangements, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cameras', type=int, default=3)
    parser.add_argument('--rate', type=float, default=10.0, help='images a second, each')
    parser.add_argument('--seconds', type=float, default=20.0, help='of either arrangement')
    parser.add_argument('--json', action='store_true', help='one line of JSON')
    options = parser.parse_args()
    prepare_middleware()
    rclpy.init()
    namespaces = [f'camera{number}' for number in range(1, options.cameras + 1)]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, shared in (('one shared process', True), ('one process each', False)):
            results[name] = measure(Path(folder), namespaces, shared, options.rate, options.seconds)
    rclpy.try_shutdown()
    if options.json:
        print(json.dumps({'cameras': options.cameras, 'rate_hz': options.rate, **results}))
        return
    print(f'| {options.cameras} cameras, {options.rate:g} images/s each |',
          *(f'{name} |' for name in results))  # fmt: skip
    print('| --- |', '---: |' * len(results))
    for key, title in COLUMNS.items():
        print(f'| {title} |', *(f'{result[key]:g} |' for result in results.values()))


if __name__ == '__main__':
    main()
