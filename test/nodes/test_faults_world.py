# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Disks that are full, models that rot, networks that are not there, untrusted messages."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hri_msgs.msg import Expression, IdsList
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_msgs.msg import Emotion, EmotionArray
from fer_msgs.srv import SetModel
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bags import messages
from fer_ros.models.card import EmotionModelCard


def test_a_model_that_is_damaged_while_it_runs(
    listener, start, astronaut: np.ndarray, tmp_path: Path
) -> None:
    card = EmotionModelCard.load('default')
    weights = Path(shutil.copy(card.weights_path('litert'), tmp_path))
    mine = tmp_path / 'mine.json'
    mine.write_text((card.folder / 'emotion.json').read_text())
    model = ('-p', f'classification.model:={mine}')
    node = start('emotion_node', *model)
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    results = listener.collect(EmotionArray, 'emotions')
    listener.create_timer(0.05, lambda: publisher.publish(listener.image(astronaut)))
    listener.until(lambda: len(results) > 2, 'results')
    weights.write_bytes(b'corrupt')
    mine.write_text('{')
    results.clear()
    listener.until(lambda: len(results) > 2, 'results of the model in memory')
    assert results[-1].emotions[0].label == 'happy'
    request = SetModel.Request(model=str(mine))
    response = listener.call(SetModel, 'emotion_node/set_model', request)
    assert not response.success
    assert 'mine.json is not JSON' in response.message
    results.clear()
    listener.until(lambda: results, 'results after the refusal')
    assert node.stop() == 0
    mine.write_text((card.folder / 'emotion.json').read_text())
    again = start('emotion_node', *model)
    assert again.wait() == 1
    assert 'is damaged or not the file its card names' in again.output
    assert 'Traceback' not in again.output


def start_recording(listener, start, bag: Path, storage: str):
    """Record images of 3 MB until some are on the disk; return the recorder's process."""
    recorder = start(
        'bag_recorder_node', '-p', f'bag:={bag}', '-p', 'topics:=image', '-p', f'storage:={storage}'
    )
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    publisher = listener.create_publisher(Image, 'image', 5)
    listener.create_timer(0.05, lambda: publisher.publish(listener.image(pixels)))
    listener.until(lambda: listener.count_subscribers('image'), 'the recorder')
    return recorder


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_disk_that_is_almost_full_ends_the_bag_which_can_be_read(
    listener, start, tmp_path: Path, storage: str
) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=96m', 'none', str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('this user may not mount a small disk')
    try:
        recorder = start_recording(listener, start, disk / 'bag', storage)
        listener.until(lambda: 'ends here' in recorder.output, 'the end')
        assert recorder.wait() == 1
        assert 'its disk has less than 64 MB left' in recorder.output
        assert 'Traceback' not in recorder.output
        with open_bag(disk / 'bag') as reader:
            assert len(list(messages(reader, '/image'))) >= 3
    finally:
        subprocess.run(['umount', str(disk)], check=True)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_write_that_fails_is_one_sentence(listener, start, tmp_path: Path, storage: str) -> None:
    bag = tmp_path / 'bag'
    recorder = start_recording(listener, start, bag, storage)

    def written() -> int:
        return sum(path.stat().st_size for path in bag.glob('*')) if bag.is_dir() else 0

    listener.until(lambda: written() > 4_000_000, 'images on the disk')
    limit = written() + 1_000_000
    resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (limit, limit))
    listener.until(lambda: 'cannot be written' in recorder.output, 'the failure')
    assert recorder.wait() == 1
    assert 'Traceback' not in recorder.output


DEMO_WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    request = struct.pack('16sh', b'lo', 0)
    flags = struct.unpack('16sh', fcntl.ioctl(any_socket, 0x8913, request)[:18])[1]
    fcntl.ioctl(any_socket, 0x8914, struct.pack('16sh', b'lo', flags | 1))
os.execv(sys.executable, [sys.executable, '-m', 'fer_ros.commands.demo', *sys.argv[1:]])
"""


def test_the_main_job_needs_no_network(tmp_path: Path) -> None:
    """In a network namespace of its own, which holds nothing but a loopback interface."""
    alone = ['unshare', '--net'] if os.geteuid() == 0 else ['unshare', '--net', '--map-root-user']
    if shutil.which('unshare') is None or subprocess.run([*alone, 'true']).returncode:
        pytest.skip('this user may not leave the network (unshare)')
    demo = [sys.executable, '-c', DEMO_WITHOUT_NETWORK, '--seconds', '3', '--output', tmp_path]
    run = subprocess.run([*alone, *demo], capture_output=True, text=True, cwd='/', timeout=180)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = (tmp_path / 'emotions.jsonl').read_text().splitlines()
    assert lines
    assert {'frame', 'stamp_s', 'faces'} <= set(json.loads(lines[0]))


@pytest.fixture
def warned(listener) -> Callable[..., None]:
    """Return a function that publishes something until a process says a word about it."""

    def until_warned(publisher, message, process, word: str) -> None:
        def said() -> bool:
            publisher.publish(message)
            return word in process.output

        listener.until(said, word)

    return until_warned


def test_the_bridge_survives_other_peoples_messages(
    listener, start, warned, astronaut: np.ndarray
) -> None:
    bridge = start('hri_bridge_node')
    emotions = listener.create_publisher(EmotionArray, 'emotions', 10)
    ids = listener.collect(IdsList, '/humans/faces/tracked')
    strange = EmotionArray(labels=['happy', 'happy'], emotions=[Emotion(track_id=1)])
    warned(emotions, strange, bridge, 'labels that cannot be')
    strange.labels = ['happy', 'sad']
    warned(emotions, strange, bridge, 'without width or height')
    sound = EmotionArray(labels=['happy', 'sad'], image_width=64, image_height=48)
    listener.until(lambda: (emotions.publish(sound), ids)[1], 'a result for a sound message')

    classifier = start('hri_bridge_node', '-p', 'mode:=classify', '-r', '__node:=classifier')
    tracked = listener.create_publisher(IdsList, '/humans/faces/tracked', 10)
    warned(tracked, IdsList(ids=['not a name!', '', 'ok']), classifier, 'cannot be part of a topic')
    crops = listener.create_publisher(Image, '/humans/faces/ok/cropped', 10)
    long_one = listener.image(np.zeros((1, 30_000, 3), np.uint8))
    warned(crops, long_one, classifier, 'a face is not 30000x1 pixels')
    words = listener.collect(Expression, '/humans/faces/ok/expression')
    crop = np.ascontiguousarray(astronaut[60:200, 156:296])
    listener.until(lambda: (crops.publish(listener.image(crop)), words)[1], 'an expression')
    assert words[0].expression == 'happy'
    assert bridge.stop() == classifier.stop() == 0
