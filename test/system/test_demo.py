# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo: two nodes as processes over DDS, and what it leaves behind."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.commands.demo import main
from fer_ros.images.video_writer import VideoWriter


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-m', 'fer_ros.commands.demo', *map(str, arguments)],
        capture_output=True, text=True, timeout=180, cwd='/',
    )  # fmt: skip


def test_ten_seconds_of_the_demo(tmp_path: Path) -> None:
    run = demo('--seconds', 10, '--output', tmp_path)
    assert run.returncode == 0, run.stderr
    lines = [
        json.loads(line) for line in (tmp_path / 'emotions.jsonl').read_text().splitlines()
    ]
    assert [line['frame'] for line in lines] == list(range(len(lines)))
    stamps = [line['stamp_s'] for line in lines]
    assert stamps == sorted(stamps)
    people: dict[int, list[str]] = {}
    for before, line in itertools.pairwise([{'faces': []}, *lines]):
        for face in line['faces']:
            if face['track_id'] not in people:
                # A new id is somebody who came, perhaps once more, not somebody who was there; but
                # of who fades in, frames that are skipped show two different people.
                gone = {f['track_id'] for f in before['faces']} - {
                    f['track_id'] for f in line['faces']
                }
                came = len(line['faces']) > len(before['faces'])
                assert came or any(len(people[i]) < 4 for i in gone), line['frame']
            people.setdefault(face['track_id'], []).append(face['label'])
    lasting = [labels for labels in people.values() if len(labels) > 0.05 * len(lines)]
    assert len(lasting) >= 2, {key: len(labels) for key, labels in people.items()}
    assert max(labels.count('happy') / len(labels) for labels in lasting) > 0.5
    assert 'person 1: ' in run.stdout
    picture = cv2.imread(str(tmp_path / 'annotated.png'))
    assert picture.shape == (480, 640, 3)
    capture = cv2.VideoCapture(str(tmp_path / 'annotated.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 60


def test_a_video_that_ends_ends_the_demo(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / 'grey.mp4', 10.0) as writer:
        for n in range(20):
            writer.write(np.full((120, 160, 3), 5 * n, np.uint8))
    run = demo('--video', tmp_path / 'grey.mp4', '--seconds', 60, '--output', tmp_path / 'out')
    assert run.returncode == 0, run.stderr
    lines = [
        json.loads(line) for line in (tmp_path / 'out' / 'emotions.jsonl').read_text().splitlines()
    ]
    assert 0 < len(lines) <= 20
    assert not any(line['faces'] for line in lines)


@pytest.mark.parametrize(
    'arguments, message',
    [
        pytest.param(['--camera', '93'], 'camera 93', id='camera'),
        pytest.param(['--video', '/gone.mp4'], '/gone.mp4 does not exist', id='video'),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(
    tmp_path: Path, arguments: list, message: str
) -> None:
    run = demo(*arguments, '--output', tmp_path)
    assert run.returncode == 1
    assert message in run.stderr
    assert 'Traceback' not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def children(process: int) -> set[int]:
    listing = Path(f'/proc/{process}/task/{process}/children').read_text()
    return {int(child) for child in listing.split()}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], set[int]]]:
    """A demo that has results already, and its two nodes."""
    command = [sys.executable, '-m', 'fer_ros.commands.demo', '--output', str(tmp_path)]
    with (tmp_path / 'said').open('w') as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd='/')
    lines = tmp_path / 'emotions.jsonl'

    def results() -> bool:
        assert process.poll() is None
        return lines.is_file() and lines.stat().st_size > 0

    try:
        until(results, 'a result')
        nodes = children(process.pid)
        assert len(nodes) == 2
        yield process, nodes
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end_s, f'{what}: not within two minutes'
        time.sleep(0.1)


@pytest.mark.parametrize(
    'number',
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=['SIGINT', 'SIGTERM'],
)
def test_a_signal_ends_the_demo_and_its_nodes(
    tmp_path: Path, running: tuple[subprocess.Popen[bytes], set[int]], number: int
) -> None:
    process, nodes = running
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    assert 'images processed' in (tmp_path / 'said').read_text()
    assert 'Traceback' not in (tmp_path / 'said').read_text()
    assert not [node for node in nodes if Path(f'/proc/{node}').exists()]


def test_the_nodes_of_a_demo_that_is_killed_end(
    running: tuple[subprocess.Popen[bytes], set[int]],
) -> None:
    process, nodes = running
    process.kill()
    process.wait()
    # Where nobody takes orphans in, an ended process stays as a zombie, without a command.
    until(lambda: not any(is_running(node) for node in nodes), 'both nodes have ended')


def is_running(process: int) -> bool:
    try:
        return bool(Path(f'/proc/{process}/cmdline').read_bytes())
    except OSError:
        return False


@pytest.mark.parametrize('seconds', ['0', '-1', 'nan', 'long'])
def test_impossible_seconds(
    seconds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, 'argv', ['demo', '--seconds', seconds])
    with pytest.raises(SystemExit, match='2'):
        main()
    assert '--seconds' in capsys.readouterr().err.splitlines()[-1]
