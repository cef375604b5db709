# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every console command, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.images.demo import DemoSource
from fer_ros.images.video_writer import VideoWriter
from fer_ros.labels import EMOTIONS

ROOT = Path(__file__).parent.parent.parent
FER = Path(sys.prefix) / 'bin' / 'fer'


def fer(*arguments: object, cwd: Path | str = '/') -> subprocess.CompletedProcess[str]:
    """Run the installed command as a bare shell would: nothing sourced, nothing activated."""
    environment = {'PATH': os.defpath, 'HOME': os.environ.get('HOME', '/')}
    return subprocess.run(
        [FER, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=120,
    )  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / 'astronaut.png'
    path.write_bytes(cv2.imencode('.png', astronaut)[1].tobytes())
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path, source = tmp_path / 'demo.mp4', DemoSource((320, 240), 10.0)
    with VideoWriter(path, 10.0) as writer:
        for n in range(15, 30):
            writer.write(source.at(n / 10))
    return path


def test_version_and_help() -> None:
    assert fer('--version').stdout == 'fer_ros 0.2.0\n'
    assert 'COMMAND' in fer('--help').stdout


def test_image_json(photo: Path, tmp_path: Path) -> None:
    run = fer('image', photo, '--json', '--output', tmp_path / 'out')
    assert run.returncode == 0, run.stderr
    (line,) = run.stdout.splitlines()
    result = json.loads(line)
    assert set(result) == {'schema_version', 'path', 'width', 'height', 'faces'}
    assert (result['path'], result['width'], result['height']) == (str(photo), 512, 512)
    (face,) = result['faces']
    assert set(face) == {
        'number', 'box_xywh', 'landmarks', 'detection_score', 'label', 'confidence',
        'probabilities', 'quality',
    }  # fmt: skip
    assert face['number'] == 1
    assert face['label'] == 'happy'
    assert tuple(face['probabilities']) == EMOTIONS
    assert sum(face['probabilities'].values()) == pytest.approx(1, abs=1e-4)
    drawn = cv2.imread(str(tmp_path / 'out' / 'astronaut.png'))
    assert drawn.shape == (512, 512, 3)


def test_image_for_people(photo: Path) -> None:
    assert fer('image', photo).stdout.startswith(f'{photo}: happy ')


def test_a_photo_that_cannot_be_read_does_not_stop_the_others(photo: Path, tmp_path: Path) -> None:
    (tmp_path / 'note.txt').write_text('no image')
    run = fer('image', tmp_path / 'gone.png', tmp_path / 'note.txt', photo, '--json')
    assert run.returncode == 1
    assert 'gone.png does not exist' in run.stderr
    assert 'note.txt is not an image' in run.stderr
    assert [json.loads(line)['path'] for line in run.stdout.splitlines()] == [str(photo)]


def test_video_json_and_annotated_copy(clip: Path, tmp_path: Path) -> None:
    run = fer('video', clip, '--json', '--output', tmp_path / 'out.mp4')
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line['frame'] for line in lines] == list(range(15))
    assert {line['schema_version'] for line in lines} == {1}
    assert lines[10]['stamp_s'] == pytest.approx(1.0)
    faces = [face for line in lines for face in line['faces']]
    assert {face['track_id'] for face in faces} == {1}
    assert set(faces[0]['raw_probabilities']) == set(EMOTIONS)
    capture = cv2.VideoCapture(str(tmp_path / 'out.mp4'))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 15


def test_video_for_people_prints_changes_only(clip: Path) -> None:
    lines = fer('video', clip).stdout.splitlines()
    assert 1 <= len(lines) < 15
    assert 'person 1: ' in lines[0]


def test_an_error_is_one_sentence() -> None:
    """All of them are tried in test/core/test_commands.py."""
    run = fer('video', 'gone.mp4')
    assert (run.returncode, run.stderr) == (1, 'fer: video gone.mp4 does not exist\n')


def test_a_reader_that_leaves_is_no_error(clip: Path) -> None:
    command = f'"{FER}" video "{clip}" --json | head -n 1'
    run = subprocess.run(['bash', '-c', command], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0
    assert 'Traceback' not in run.stderr
    assert 'BrokenPipe' not in run.stderr
