# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls every service of every node, and sends to every topic, with odd values over DDS.

``python benchmarks/fuzz_requests.py --calls 10000`` prints a line per node: how many calls got a
response, with success or not, the exit codes of its processes (each ends with Ctrl-C: 0), the
lifecycle states it was in then, and its memory. Nodes run with FER_ROS_STRICT, so that an error
which would be caught in use ends them as well.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from importlib import import_module
from typing import Any

import psutil
import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.serialization import serialize_message

from fer_ros.config import flatten
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.parameter_files import NODES

RCLError = rclpy_implementation.RCLError
LIFE = 500
"""Calls until a node is interrupted and started afresh: some parameters, and the state finalized,
leave it little to do."""

TOGETHER = 4
"""Requests under way at once."""

RESPONSE_S = 20.0
NOT_SENT = 'failed to send response'
"""What rclpy warns of where DDS has not yet discovered the one who asked."""

SETTLE_S = 2.0
START_S = 60.0
TEXTS = (
    '', ' ', 'default', 'a' * 300, '/x' * 2500, '~nosuchuser/x.json', '/etc/passwd', '{x}', 'haar',
    '/proc/self/mem', '../../emotion.json', '{node}', 'litert', 'line\nbreak', '\x01', 'é', '😀',
    '%s%n', 'bgr8', 'mono8', 'configure', 'activate', 'deactivate', 'cleanup', 'f00001',
    'x' * 100_000,
)  # fmt: skip
NUMBERS = (0.0, -1.0, 1.0, 0.5, 1e308, -1e308, math.nan, math.inf, -math.inf, 5e-324)
BITS = re.compile(r'(u?)int(\d+)')
LISTS = re.compile(r'sequence<(.+?)(?:, \d+)?>|(.+?)\[(\d+)\]')


def interface(kind: str) -> Any:
    """Return the class of a type such as std_srvs/srv/SetBool."""
    package, group, name = kind.split('/')
    return getattr(import_module(f'{package}.{group}'), name)


class Odd:
    """Makes messages of any type with odd values."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.names: list[str] = []

    def fill(self, message: Any) -> Any:
        """Give every field of *message* a value that its type can hold."""
        for name, kind in message.get_fields_and_field_types().items():
            setattr(message, name, self.value(kind, name))
        return message

    def value(self, kind: str, name: str) -> Any:
        """Return a value of a field's type, as rosidl spells it."""
        choose = self.choose
        if found := LISTS.fullmatch(kind):
            length = int(found[3]) if found[3] else choose.choice((0, 1, 1, 2, 7))
            return [self.value(found[1] or found[2], name) for _ in range(length)]
        if found := BITS.fullmatch(kind):
            bits = int(found[2]) - (not found[1])
            low, high = (0 if found[1] else -(1 << bits)), (1 << bits) - 1
            return min(high, max(low, choose.choice((low, high, *range(12), 60, 255))))
        if kind == 'boolean':
            return choose.random() < 0.5
        if kind in ('float', 'double'):
            value = choose.choice(NUMBERS)
            is_too_large = kind == 'float' and math.isfinite(value) and abs(value) > 3e38
            return math.copysign(3e38, value) if is_too_large else value
        if kind.startswith(('string', 'wstring')):
            return choose.choice(self.names if self.names and choose.random() < 0.4 else TEXTS)
        if kind == 'octet':
            return bytes([choose.randrange(256)])
        return self.fill(interface(kind.replace('/', '/msg/'))())


    def broken(self, message: Any) -> bytes:
        """Return a serialized message that is cut off, or has a length beyond its end."""
        content = serialize_message(message)
        at = self.choose.randrange(4, len(content) + 1)
        return content[:at] + self.choose.choice((b'', b'\xff\xff\xff\x7f' + content[at + 4 :]))


class Subject:
    """A node in a process of its own, which may be started again."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name, self.arguments, self.ended = name, arguments, Counter[int]()
        self.log = tempfile.TemporaryFile('w+')  # noqa: SIM115 - lives as long as this
        self.start()

    def start(self) -> None:
        """Start the process."""
        command = [sys.executable, '-m', f'fer_ros.nodes.{self.name}', *self.arguments]
        environment = {**os.environ, 'FER_ROS_STRICT': '1'}
        self.process = psutil.Popen(command, stdout=self.log, stderr=self.log, env=environment)

    def rss_mb(self) -> float:
        """Return its resident memory."""
        return float(self.process.memory_info().rss) / 1e6

    def stop(self) -> int:
        """Interrupt it; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return int(self.process.wait(30))


class Fuzzer(Node):
    """Sends and calls whatever the node under test offers."""

    def __init__(self, subject: Subject, seed: int) -> None:
        super().__init__('fuzzer')
        self.subject, self.odd, self.counts = subject, Odd(seed), Counter[str]()
        self.states, self.silent, self.most_mb = Counter[str](), Counter[str](), 0.0
        self.odd.names = [n for config in NODES.get(subject.name, ()) for n in flatten(config)]
        self.executor_ = SingleThreadedExecutor()
        self.executor_.add_node(self)
        self.find()

    def find(self) -> None:
        """Wait for the node and make a client for each service, a publisher for each topic."""
        name = self.subject.name
        # Of a node that has just ended some is still known for a while.
        self.wait(lambda: self.count_publishers('/diagnostics') == 0, 'the one before to go', 5.0)
        self.wait(lambda: self.count_publishers('/diagnostics'), f'{name} to start')
        self.wait(lambda: name in self.get_node_names(), 'its name')
        for client in list(self.clients):
            self.destroy_client(client)
        services = self.get_service_names_and_types_by_node(name, '/')
        self.offered = [(interface(kinds[0]), self.create_client(interface(kinds[0]), service))
                        for service, kinds in services]  # fmt: skip
        self.wait(lambda: all(c.service_is_ready() for _, c in self.offered), 'its services')
        # Fast DDS drops responses to a client of which the service knows only one half as yet.
        settled_s = time.monotonic() + SETTLE_S
        self.wait(lambda: time.monotonic() > settled_s, 'discovery')
        self.topics = [
            (interface(kinds[0]), self.create_publisher(interface(kinds[0]), topic, 1))
            for topic, kinds in self.get_subscriber_names_and_types_by_node(name, '/')
        ]

    def wait(self, condition: Any, what: str, limit_s: float = START_S) -> bool:
        """Spin until *condition* holds; return whether it does."""
        end_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end_s:
                print(f'waited {limit_s:g} s for {what}', file=sys.stderr)
                return False
            self.executor_.spin_once(timeout_sec=0.02)
        return True

    def go(self, calls: int) -> None:
        """Call that often."""
        while self.counts['calls'] < calls:
            futures, names = [], []
            for _ in range(TOGETHER):
                kind, client = self.odd.choose.choice(self.offered)
                futures.append(client.call_async(self.odd.fill(kind.Request())))
                names.append(client.srv_name)
            for kind, publisher in self.topics:
                if self.odd.choose.random() < 0.1:
                    message = self.odd.fill(kind())
                    publisher.publish(message)
                    with suppress(RCLError):  # longer than a message of bounded size
                        publisher.publish(self.odd.broken(message))
                    self.counts['messages'] += 2
            done = self.wait(lambda fs=futures: all(f.done() for f in fs), 'responses', RESPONSE_S)
            self.counts['calls'] += TOGETHER
            if self.subject.process.is_running():
                self.most_mb = max(self.most_mb, self.subject.rss_mb())
            for future, name in zip(futures, names):
                if not future.done():
                    self.silent[name] += 1
                self.count(future)
            if self.subject.process.poll() is not None:
                self.subject.ended[self.subject.process.returncode] += 1
                self.again()
            elif not done or self.counts['calls'] % LIFE == 0:
                self.states[self.state()] += 1
                self.subject.ended[self.subject.stop()] += 1
                self.again()

    def count(self, future: Any) -> None:
        """Count a response, or that there was none."""
        if not future.done():
            self.counts['without response'] += 1
            return
        success = getattr(future.result(), 'success', None)
        self.counts[{True: 'success', False: 'refused', None: 'responded'}[success]] += 1

    def again(self) -> None:
        """Start the node anew."""
        self.counts['starts'] += 1
        self.subject.start()
        self.find()

    def state(self) -> str:
        """Return the lifecycle state, '' for a node without one."""
        for kind, client in self.offered:
            if kind is GetState:
                future = client.call_async(GetState.Request())
                self.wait(future.done, 'the state', RESPONSE_S)
                return str(future.result().current_state.label) if future.done() else 'no response'
        return ''


def main() -> None:
    """Fuzz each node; exit code 1 if one ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--calls', type=int, default=10_000, help='for each node')
    parser.add_argument('--nodes', default='emotion_node,camera_node,hri_bridge_node')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    prepare_middleware()
    failed = False
    for name in options.nodes.split(','):
        rclpy.init()
        subject = Subject(name, ['--ros-args', '-p', 'use_sim_time:=true'])
        fuzzer = Fuzzer(subject, options.seed)
        start_s = time.monotonic()
        fuzzer.go(options.calls)
        subject.ended[subject.stop()] += 1
        subject.log.seek(0)
        said = subject.log.read()
        print(f'{name}: {dict(fuzzer.counts)}, {time.monotonic() - start_s:.0f} s; exit codes '
              f'{dict(subject.ended)}; states {dict(fuzzer.states)}; memory at most '
              f'{fuzzer.most_mb:.0f} MB; no response of {dict(fuzzer.silent)}, '
              f'{said.count(NOT_SENT)} not sent by DDS', flush=True)  # fmt: skip
        failed |= set(subject.ended) != {0}
        if set(subject.ended) != {0}:
            print(said[-3000:], file=sys.stderr)
        fuzzer.executor_.shutdown()
        fuzzer.destroy_node()
        rclpy.shutdown()
    sys.exit(failed)


if __name__ == '__main__':
    main()
