# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every command that writes files says that the disk is full, and leaves nothing half written."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.data.bag_writer import BagWriter
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.images import image_message
from fer_ros.models.card import MODELS_DIR


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Let no file grow beyond *limit* bytes: what writes more fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope='module')
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo, a clip, a bag, labelled faces and somebody's weights."""
    folder = tmp_path_factory.mktemp('inputs')
    noise = np.random.default_rng(0).integers(0, 256, (3, 120, 160, 3), np.uint8)
    cv2.imwrite(str(folder / 'photo.png'), noise[0])
    with VideoWriter(folder / 'clip.avi', 10.0) as video:
        for image in noise:
            video.write(image)
    with BagWriter(folder / 'bags' / 'bag') as bag:
        for number, image in enumerate(noise):
            header = bag.header(number * 10**8, 'camera')
            bag.write('/cam', number * 10**8, image_message(bag.make, image, header))
    faces = noise[:, :48, :48, 0]
    np.savez(folder / 'faces.npz', images=faces, labels=[0, 3, 6], usage=[2, 2, 2])
    (folder / 'own').mkdir()
    (folder / 'own' / 'own.tflite').write_bytes((MODELS_DIR / 'emotion.tflite').read_bytes())
    return folder


COMMANDS = [
    pytest.param('image photo.png --output {}', 500, id='image'),
    pytest.param('video clip.avi --output {}/a.mp4', 500, id='video'),
    pytest.param('run photo.png --output {}', 20, id='run, table'),
    pytest.param('run photo.png --output {}', 500, id='run, picture'),
    pytest.param('run clip.avi --output {}', 500, id='run, video'),
    pytest.param('evaluate bag bags/bag --output {}', 100, id='evaluate bag, bag'),
    pytest.param('evaluate bag bags/bag --output {}', 4000, id='evaluate bag, report'),
    pytest.param('evaluate bags bags --output {} --jobs 1', 500, id='evaluate bags'),
    pytest.param('evaluate bags bags --output {} --jobs 1', 5000, id='evaluate bags, report'),
    pytest.param('evaluate dataset faces.npz --html {}', 3000, id='evaluate dataset'),
    pytest.param('record-demo {}/bag --seconds 0.2', 5000, id='record-demo'),
    pytest.param('record-demo {}/bag --seconds 0.2 --storage sqlite3', 9000, id='record-demo, db3'),
    pytest.param('models add own/own.tflite --labels angry,disgust,fear,happy,sad,surprise,neutral,'
                 'contempt --size 48 --colour grey --range 0..1', 100, id='models add'),
]  # fmt: skip


@pytest.mark.parametrize('command, limit', COMMANDS)
def test_a_full_disk_is_said_and_nothing_half_stays(
    command: str, limit: int, inputs: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(inputs)
    before = sorted(inputs.rglob('*'))
    output = tmp_path / 'output'
    with full_disk(limit):
        assert main(command.format(output).split()) == 1
    said = capsys.readouterr().err
    assert any(reason in said for reason in ('too large', 'disk full', 'disk I/O error')), said
    left = {path.name for path in output.iterdir()} if output.exists() else set()
    assert left <= {'summary.json'}, 'of many recordings it says which one failed'
    assert sorted(inputs.rglob('*')) == before


@pytest.mark.parametrize('command', ['image photo.png --json', 'completion bash'])
def test_standard_output_to_a_full_disk_is_an_error(command: str, inputs: Path) -> None:
    with Path('/dev/full').open('wb') as full:
        arguments = [sys.executable, '-m', 'fer_ros.cli', *command.split()]
        done = subprocess.run(arguments, cwd=inputs, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == 'fer: No space left on device'
