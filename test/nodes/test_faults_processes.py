# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that are killed, interrupted or share their name, in every state of their life."""

from __future__ import annotations

import mmap
import os
import signal
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_msgs.msg import EmotionArray
from fer_ros.cli import main as fer
from fer_ros.nodes.middleware import has_stale_shm

END_S = 2.0
SIGNALS = cycle((signal.SIGINT, signal.SIGTERM))
"""rclpy takes both alike; each node is sent either."""

STEPS = {
    'unconfigured': (),
    'inactive': (Transition.TRANSITION_CONFIGURE,),
    'active': (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE),
    'finalized': (Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,),
}
"""The transitions that lead to a state."""


def bring_to(listener, state: str, namespace: str = '') -> None:
    """Lead a node that has just been started to *state*."""
    prefix = f'{namespace}/emotion_node'
    for step in STEPS[state]:
        request = ChangeState.Request(transition=Transition(id=step))
        # Whether it worked is seen below; a second request for a lost response would not.
        listener.call(ChangeState, f'{prefix}/change_state', request)
    result = listener.call(GetState, f'{prefix}/get_state', GetState.Request())
    assert result.current_state.label == state


def seconds_to_end(process) -> float:
    start_s = time.monotonic()
    assert process.wait() == 0, process.output
    return time.monotonic() - start_s


def patience() -> float:
    """Return by how much a machine with other work to do is slower."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def test_a_signal_ends_emotion_node_in_every_state(listener, start) -> None:
    nodes = {}
    for state in STEPS:
        arguments = ('-p', 'autostart:=false', '-r', f'__ns:=/{state}')
        nodes[state] = start('emotion_node', *arguments)
    for state in STEPS:
        bring_to(listener, state, f'/{state}')
    for (state, node), number in zip(nodes.items(), SIGNALS):
        node.signal(number)
        assert seconds_to_end(node) < END_S * patience(), state
        assert 'Traceback' not in node.output, state


def test_a_signal_ends_every_other_node(listener, start, tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    assert fer(['record-demo', str(bag), '--seconds', '0.5', '--rate', '10']) == 0
    nodes = {
        'camera_node': start('camera_node', '-p', 'rate_hz:=10.0'),
        'hri_bridge_node': start('hri_bridge_node'),
        'bag_player_node': start(
            'bag_player_node', '-p', f'bag:={bag}', '-p', 'loop:=true', '-r', '__ns:=/played'
        ),
        'bag_recorder_node': start(
            'bag_recorder_node', '-p', f'bag:={tmp_path}/out', '-p', 'topics:=image_raw'
        ),
    }
    listener.until(lambda: set(nodes) <= set(listener.get_node_names()), 'all nodes')
    listener.until(lambda: listener.count_subscribers('image_raw'), 'the recorder')
    for (name, node), number in zip(nodes.items(), SIGNALS):
        node.signal(number)
        assert seconds_to_end(node) < END_S * patience(), name
        assert 'Traceback' not in node.output, name


@pytest.mark.parametrize('state', ['unconfigured', 'active'])
def test_a_node_that_is_killed_can_be_started_again(
    listener, start, astronaut: np.ndarray, state: str
) -> None:
    """What a supervisor such as launch's respawn does; whoever listened need not do anything."""
    results = listener.collect(EmotionArray, 'emotions')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)

    def arrived() -> bool:
        publisher.publish(listener.image(astronaut))
        return bool(results)

    first = start('emotion_node', '-p', 'autostart:=false')
    bring_to(listener, state)
    if state == 'active':
        listener.until(arrived, 'a result')
    first.signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    results.clear()
    start('emotion_node')
    listener.until(arrived, 'a result of the second')
    assert results[0].emotions[0].track_id == 1


def test_a_manager_learns_of_a_killed_node_by_its_bond(listener, start) -> None:
    """nav2's lifecycle manager, which then brings everything down, holds the other end so."""
    bondpy = pytest.importorskip('bondpy.bondpy', reason='bondpy is not installed')
    process = start('emotion_node', '-p', 'autostart:=false')
    events: list[str] = []
    bond = bondpy.Bond(
        listener, 'bond', 'emotion_node',
        on_broken=lambda: events.append('broken'), on_formed=lambda: events.append('formed'),
    )  # fmt: skip
    bring_to(listener, 'active')
    bond.start()
    # bondpy watches the other end from its second heartbeat on.
    heartbeats = listener.collect(bondpy.Status, 'bond')
    listener.until(
        lambda: sum(beat.instance_id != bond.instance_id for beat in heartbeats) > 1, 'heartbeats'
    )
    assert events == ['formed']
    process.signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    listener.until(lambda: events == ['formed', 'broken'], 'the bond to break', 10.0)
    bond.shutdown()


def test_two_nodes_of_one_name_warn(listener, start) -> None:
    messages: list[str] = []
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')

    def told() -> bool:
        messages.extend(status.message for d in diagnostics for status in d.status)
        diagnostics.clear()
        return any('another node is called /emotion_node' in message for message in messages)

    start('emotion_node', '-p', 'diagnostics_period_s:=0.2')
    listener.until(lambda: diagnostics, 'diagnostics')
    assert not told()
    second = start('emotion_node', '-p', 'diagnostics_period_s:=0.2')
    listener.until(told, 'a warning')
    assert second.stop() == 0

    def alone() -> bool:
        messages.clear()
        return bool(diagnostics) and not told()

    listener.until(alone, 'the warning to go')


def test_memory_of_a_listener_that_was_killed_is_noticed(tmp_path: Path) -> None:
    """Whether Fast DDS notices is chance, so a file of the same kind stands for its memory."""
    memory = tmp_path / 'fastrtps_port7000'
    memory.write_bytes(bytes(4096))
    with memory.open('r+b') as stream, mmap.mmap(stream.fileno(), 0):
        assert not has_stale_shm()
        memory.unlink()
        assert has_stale_shm()
    assert not has_stale_shm()
