# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.terminal import drawn_in_terminal
from rich.console import Console

from fer_ros.commands.live import make_table
from fer_ros.labels import EMOTIONS, UNKNOWN
from fer_ros.types import FaceEmotion, FrameEmotions

LIVE = [sys.executable, '-m', 'fer_ros.cli', 'live']


def make_face(track_id: int, label: str, quality: tuple[str, ...] = ()) -> FaceEmotion:
    probabilities = np.full(8, 0.02, np.float32)
    probabilities[EMOTIONS.index('happy')] = 0.86
    return FaceEmotion(
        track_id, np.array([0, 0, 9, 9], np.float32), np.zeros((5, 2), np.float32), 0.9,
        probabilities, probabilities, label, 0.86, quality,
    )  # fmt: skip


def rendered(frame: FrameEmotions, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(make_table(frame, 29.6, width))
    return capture.get()


@pytest.mark.parametrize('width', [80, 60])
def test_table_shows_everybody_and_fits_the_terminal(width: int) -> None:
    faces = (make_face(3, 'happy'), make_face(12, UNKNOWN, ('blurred', 'turned_away')))
    text = rendered(FrameEmotions(0.0, (480, 640), EMOTIONS, faces, {'detection': 8.0}), width)
    assert re.search(r'3 .*happy', text)
    assert text.count('86%') >= 2
    assert re.search(r'12 .*unknown', text)
    assert 'turned away' in text
    assert '30 frames per second, 8 ms each' in text
    assert max(map(len, text.splitlines())) <= width


def test_table_says_that_nobody_is_in_view() -> None:
    assert 'nobody in view' in rendered(FrameEmotions(0.0, (480, 640), EMOTIONS))


def test_without_a_terminal_one_line_a_change() -> None:
    done = subprocess.run(
        [*LIVE, '--seconds', '6'], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert '\x1b' not in done.stdout
    for line in lines:
        assert re.fullmatch(r' *\d+\.\d\d s  person \d+: (out of view|\w+ \(\d+%\))', line), line


def test_in_a_terminal_a_table_that_is_redrawn(tmp_path: Path) -> None:
    written = drawn_in_terminal([*LIVE, '--seconds', '4'], tmp_path)
    assert 'likeliest' in written
    assert 'frames per second' in written
    assert written.count('likeliest') <= 4 * 5 + 2


@pytest.mark.parametrize(
    'arguments,message',
    [
        (['--video', 'missing.mp4'], 'missing.mp4 does not exist'),
        (['--camera', '97'], 'camera 97 .* cannot be opened'),
        (['--seconds', '-1'], '--seconds: expected more than 0, got -1'),
        (['--set', 'nonsense'], '--set nonsense: expected NAME=VALUE'),
    ],
    ids=['missing video', 'missing camera', 'negative time', 'bad setting'],
)
def test_mistakes_are_said_in_one_sentence(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*LIVE, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 1
    assert re.match(f'fer: {message}$', done.stderr.splitlines()[-1])
    assert 'Traceback' not in done.stderr
