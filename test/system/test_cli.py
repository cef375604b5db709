# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every console command, as a user types it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.images.demo import DemoSource
from fer_ros.images.video_writer import VideoWriter
from fer_ros.labels import EMOTIONS

FER = Path(sys.prefix) / 'bin' / 'fer'


Fer = Callable[..., 'subprocess.CompletedProcess[str]']


@pytest.fixture
def fer(capfd: pytest.CaptureFixture[str]) -> Fer:
    """Run a command in this process: imports take longer than most commands."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return subprocess.CompletedProcess(arguments, status, *capfd.readouterr())

    return run


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


def test_the_installed_command_in_a_bare_shell() -> None:
    """Nothing sourced, nothing activated."""
    environment = {'PATH': os.defpath, 'HOME': os.environ.get('HOME', '/')}
    for arguments, status, said in (
        (['--version'], 0, 'fer_ros 0.2.0\n'),
        (['video', 'gone.mp4'], 1, 'fer: gone.mp4 does not exist\n'),
    ):
        run = subprocess.run(
            [FER, *arguments], capture_output=True, text=True, cwd='/', env=environment, timeout=120
        )
        assert (run.returncode, run.stdout + run.stderr) == (status, said)


def test_image_json(fer: Fer, photo: Path, tmp_path: Path) -> None:
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


def test_image_for_people(fer: Fer, photo: Path) -> None:
    assert fer('image', photo).stdout.startswith(f'{photo}: happy ')


def test_a_photo_that_cannot_be_read_does_not_stop_the_others(
    fer: Fer, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / 'note.txt').write_text('no image')
    run = fer('image', tmp_path / 'gone.png', tmp_path / 'note.txt', photo, '--json')
    assert run.returncode == 1
    assert 'gone.png does not exist' in run.stderr
    assert 'note.txt is not an image' in run.stderr
    assert [json.loads(line)['path'] for line in run.stdout.splitlines()] == [str(photo)]


def test_video_json_and_annotated_copy(fer: Fer, clip: Path, tmp_path: Path) -> None:
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


def test_video_for_people_prints_changes_only(fer: Fer, clip: Path) -> None:
    lines = fer('video', clip).stdout.splitlines()
    assert 1 <= len(lines) < 15
    assert 'person 1: ' in lines[0]


def test_a_reader_that_leaves_is_no_error(clip: Path) -> None:
    command = f'"{FER}" video "{clip}" --json | head -n 1'
    run = subprocess.run(['bash', '-c', command], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0
    assert 'Traceback' not in run.stderr
    assert 'BrokenPipe' not in run.stderr


def test_a_reader_that_leaves_before_all_is_saved_is_one(clip: Path) -> None:
    command = f'"{FER}" run "{clip}" --json | head -n 1; exit ${{PIPESTATUS[0]}}'
    run = subprocess.run(
        ['bash', '-c', command], capture_output=True, text=True, timeout=120, cwd=clip.parent
    )
    assert run.returncode == 1
    assert run.stderr.startswith('fer: ended before all was saved: ')
    assert not (clip.parent / 'fer-run').exists()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / 'results'


def test_run_photos_and_folders_of_them(fer: Fer, photo: Path, results: Path) -> None:
    photos = results.parent / 'photos'
    photos.mkdir()
    for name in ('one.png', 'two.png'):
        (photos / name).symlink_to(photo)
    run = fer('run', photos, '--output', results)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == f'results saved in {results}'
    assert sorted(path.name for path in results.iterdir()) == [
        'emotions.csv', 'emotions.jsonl', 'one.png', 'two.png',
    ]  # fmt: skip
    lines = [json.loads(line) for line in (results / 'emotions.jsonl').read_text().splitlines()]
    assert [line['path'] for line in lines] == [str(photos / 'one.png'), str(photos / 'two.png')]
    head, first, _ = csv.reader((results / 'emotions.csv').read_text().splitlines())
    assert head[:3] == ['photo', 'face', 'x']
    assert dict(zip(head, first))['label'] == 'happy'


def test_run_a_clip_and_run_again(fer: Fer, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    for name in ('fer-run', 'fer-run-2'):
        run = fer('run', clip.name)
        assert (run.returncode, run.stderr) == (0, '')
        assert run.stdout.splitlines()[-1] == f'results saved in {name}'
    folder = clip.parent / 'fer-run'
    capture = cv2.VideoCapture(str(folder / 'annotated.mp4'))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 15
    lines = [json.loads(line) for line in (folder / 'emotions.jsonl').read_text().splitlines()]
    assert [line['frame'] for line in lines] == list(range(15))
    rows = (folder / 'emotions.csv').read_text().splitlines()
    assert len(rows) == 1 + sum(len(line['faces']) for line in lines)


def test_run_leaves_after_so_many_seconds(fer: Fer, clip: Path, results: Path) -> None:
    run = fer('run', clip, '--seconds', '0.45', '--output', results, '--json')
    assert run.stderr == f'results saved in {results}\n'
    assert [json.loads(line)['frame'] for line in run.stdout.splitlines()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize('kind', ['photo', 'clip'])
def test_run_standard_input(kind: str, request: pytest.FixtureRequest, results: Path) -> None:
    command = [FER, 'run', '-', '--output', results]
    content = request.getfixturevalue(kind).read_bytes()
    run = subprocess.run(command, input=content, capture_output=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, b'')
    assert b'happy' in run.stdout
    assert (results / ('stdin.png' if kind == 'photo' else 'annotated.mp4')).exists()


def test_run_says_that_standard_input_is_neither() -> None:
    run = subprocess.run([FER, 'run', '-'], input=b'text', capture_output=True, timeout=120)
    assert run.returncode == 1
    assert run.stderr == b'fer: standard input is neither a photo nor a video\n'


def test_run_photos_until_interrupted(photo: Path, results: Path) -> None:
    photos = results.parent / 'photos'
    photos.mkdir()
    for number in range(500):
        (photos / f'{number}.png').symlink_to(photo)
    with subprocess.Popen([FER, 'run', photos, '--output', results], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert rest.endswith(f'results saved in {results}\n')
    assert (results / '0.png').exists()
    assert not (results / '499.png').exists()
    assert 'happy' in (results / 'emotions.jsonl').read_text()


def test_run_the_demo_as_a_camera_until_interrupted(results: Path) -> None:
    command = [FER, 'run', 'demo', '--output', results]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert 'person 1: ' in first
    assert process.returncode == 0
    assert rest.endswith(f'results saved in {results}\n')
    assert (results / 'annotated.mp4').exists()
