# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag played into the real node, and what came out recorded again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from fer_msgs.msg import EmotionArray
from fer_ros.cli import main as fer
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bags import messages

START_S = 1_700_000_000


@pytest.fixture(scope='module')
def make_bag(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def make(*options: str, seconds: float = 1.5) -> Path:
        bag = tmp_path_factory.mktemp('bags') / 'demo'
        arguments = ['record-demo', str(bag), '--seconds', str(seconds), '--rate', '10', *options]
        assert fer(arguments) == 0
        return bag

    return make


def stamps_ns(results: list[EmotionArray]) -> list[int]:
    return [a.header.stamp.sec * 10**9 + a.header.stamp.nanosec for a in results]


@pytest.mark.parametrize(
    'options, transport, rate',
    [
        pytest.param((), 'raw', 1.0, id='raw mcap'),
        pytest.param(
            ('--compressed', '--storage', 'sqlite3'), 'compressed', 0.0, id='jpeg sqlite3'
        ),
        pytest.param((), 'raw', 50.0, id='faster than can be processed'),
    ],
)
def test_every_image_is_processed_in_sim_time(
    listener,
    start,
    make_bag: Callable[..., Path],
    options: tuple[str, ...],
    transport: str,
    rate: float,
) -> None:
    results = listener.collect(EmotionArray, 'emotions')
    times = listener.collect(Clock, '/clock')
    remap = ('image:=/image_raw', 'image/compressed:=/image_raw/compressed')
    node = start('emotion_node', '-r', remap[0], '-r', remap[1],
                 '-p', f'image_transport:={transport}', '-p', 'use_sim_time:=true')  # fmt: skip
    player = start(
        'bag_player_node', '-p', f'bag:={make_bag(*options)}',
        '-p', 'results_topic:=emotions', '-p', 'paused:=true', '-p', f'rate:={rate}',
    )  # fmt: skip
    listener.until(lambda: times and listener.count_publishers('emotions'), 'the nodes')
    assert listener.call(SetBool, 'bag_player_node/pause', SetBool.Request(data=False)).success
    listener.until(lambda: len(results) >= 15, 'all results')
    arrived_s = time.monotonic()
    assert player.wait() == 0, player.output
    # Whoever records the last result has time to: everything ends with the player.
    assert time.monotonic() - arrived_s > 0.5
    assert stamps_ns(results) == [START_S * 10**9 + n * 10**8 for n in range(15)]
    assert times[-1].clock.sec in (START_S, START_S + 1)
    assert results[-1].emotions[0].track_id == 1
    assert node.stop() == 0


def test_pause_step_and_loop(listener, start, make_bag: Callable[..., Path]) -> None:
    images = listener.collect(Image, 'image_raw')
    player = start(
        'bag_player_node', '-p', f'bag:={make_bag(seconds=0.5)}', '-p', 'loop:=true',
        '-p', 'paused:=true', '-p', 'rate:=4.0',
    )  # fmt: skip
    listener.until(lambda: listener.count_publishers('image_raw'), 'the player')
    for number in (1, 2):
        result = listener.call(Trigger, 'bag_player_node/step', Trigger.Request())
        assert result.success
        listener.until(lambda n=number: len(images) == n, 'one more image')
    assert listener.call(SetBool, 'bag_player_node/pause', SetBool.Request(data=False)).success
    listener.until(lambda: len(images) > 12, 'the third round')
    stamps = [image.header.stamp.sec * 10**9 + image.header.stamp.nanosec for image in images]
    assert stamps[:6] == [START_S * 10**9 + n % 5 * 10**8 for n in range(6)]
    player.signal(signal.SIGINT)
    assert player.wait() == 0
    assert 'Traceback' not in player.output


def test_what_came_out_is_recorded(
    listener, start, make_bag: Callable[..., Path], tmp_path: Path
) -> None:
    start('emotion_node', '-r', 'image:=/image_raw')
    out = tmp_path / 'out'
    recorder = start('bag_recorder_node', '-p', f'bag:={out}', '-p', 'topics:=emotions,image_raw')
    player = start(
        'bag_player_node', '-p', f'bag:={make_bag()}',
        '-p', 'results_topic:=emotions', '-p', 'paused:=true',
    )  # fmt: skip
    for topic in ('emotions', 'image_raw'):
        listener.until(lambda name=topic: listener.count_subscribers(name), f'{topic} recorded')
    assert listener.call(SetBool, 'bag_player_node/pause', SetBool.Request(data=False)).success
    assert player.wait() == 0
    assert recorder.stop() == 0
    with open_bag(out) as reader:
        counts = [len(list(messages(reader, name))) for name in ('/emotions', '/image_raw')]
    assert counts == [15, 15]


@pytest.mark.parametrize(
    'arguments, message',
    [
        pytest.param((), 'which bag', id='no bag'),
        pytest.param(('-p', 'bag:=/nowhere'), 'bag /nowhere does not exist', id='missing'),
    ],
)
def test_a_wrong_bag_is_one_sentence(start, arguments: tuple[str, ...], message: str) -> None:
    player = start('bag_player_node', *arguments)
    assert player.wait() == 1
    assert message in player.output
    assert 'Traceback' not in player.output
