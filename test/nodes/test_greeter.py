# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The examples of a behaviour, in Python and C++: they speak when they should, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from builtin_interfaces.msg import Time
from std_msgs.msg import Header, String

from fer_msgs.msg import Emotion, EmotionArray

HAPPY, SAD, NEUTRAL = ((1, 'happy'), (2, 'sad'), (3, 'neutral'))


def build(root: Path, folder: Path) -> Path:
    """Compile the example in C++."""
    try:
        get_package_prefix('rclcpp')
    except (PackageNotFoundError, OSError):
        pytest.skip('rclcpp is not installed')
    source = root / 'examples' / 'greeter_cpp'
    python = f'-DPython3_EXECUTABLE={sys.executable}'
    for step in (['-S', source, '-B', folder, python], ['--build', folder]):
        command = ['cmake', *map(str, step)]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    return folder / 'greeter'


@pytest.fixture(params=['python', 'c++'])
def greeter(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> list[str]:
    if request.param == 'python':
        return [sys.executable, str(root / 'examples' / 'greeter.py')]
    return [str(build(root, tmp_path))]


def test_the_page_shows_the_example(root: Path) -> None:
    page = (root / 'docs' / 'use_in_your_robot.md').read_text()
    code = (root / 'examples' / 'greeter_cpp' / 'greeter.cpp').read_text()
    assert f'```cpp\n{code}```\n' in page


def test_it_greets_the_happy_once_and_asks_the_sad(listener, greeter: list[str]) -> None:
    process = subprocess.Popen(greeter, env=os.environ.copy(), cwd='/')
    try:
        said = listener.collect(String, 'say')
        emotions = listener.create_publisher(EmotionArray, 'emotions', 10)
        listener.until(
            lambda: emotions.get_subscription_count() and listener.count_publishers('say'),
            'the greeter',
        )
        number = 0

        def look() -> bool:
            nonlocal number
            number += 1
            stamp = Time(sec=100 + number // 10, nanosec=number % 10 * 10**8)
            faces = [Emotion(track_id=i, label=label) for i, label in (HAPPY, SAD, NEUTRAL)]
            blurred = Emotion(track_id=4, label='sad', quality=Emotion.QUALITY_BLURRED)
            emotions.publish(EmotionArray(header=Header(stamp=stamp), emotions=[*faces, blurred]))
            return len(said) >= 2 and number > 60

        listener.until(look, 'two sentences')
        assert sorted(message.data for message in said) == [
            'Hello! Good to see you.',
            'Is everything all right?',
        ]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
