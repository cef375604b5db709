# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of users: never lost, never half, whatever the output is called."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.commands.run import new_folder
from fer_ros.data.safe_output import check_outputs, safe_output, safe_outputs, unique_names
from fer_ros.errors import SourceError
from fer_ros.images.video_writer import VideoWriter, check_video_name


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_output_appears_when_it_is_whole(tmp_path: Path) -> None:
    with safe_output(tmp_path / 'new' / 'a.txt') as part:
        part.write_text('whole')
        assert not (tmp_path / 'new' / 'a.txt').exists()
    assert (tmp_path / 'new' / 'a.txt').read_text() == 'whole'
    assert names(tmp_path / 'new') == {'a.txt'}


def test_nothing_stays_of_what_failed(tmp_path: Path) -> None:
    (tmp_path / 'a.txt').write_text('old')

    def fail() -> None:
        with safe_outputs(tmp_path, ['a.txt', 'bag'], overwrite=True) as folder:
            (folder / 'a.txt').write_text('half')
            raise OSError(errno.ENOSPC, 'full')

    with pytest.raises(OSError, match='full'):
        fail()
    assert names(tmp_path) == {'a.txt'}
    assert (tmp_path / 'a.txt').read_text() == 'old'


def test_what_exists_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'old').write_text('old')
    with pytest.raises(SourceError, match='exists already: choose another name, or add --over'):
        check_outputs(tmp_path, ['bag'])
    with safe_output(tmp_path / 'bag', overwrite=True) as part:
        part.mkdir()
        (part / 'new').write_text('new')
    assert names(tmp_path / 'bag') == {'new'}
    assert names(tmp_path) == {'bag'}


def test_a_folder_is_not_replaced_by_a_video(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').mkdir()
    with pytest.raises(SourceError, match='is a folder: choose another name'):
        check_video_name(tmp_path / 'a.mp4')


def test_runs_at_once_get_a_folder_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as first, ExitStack() as second:
        assert (str(new_folder(first)), str(new_folder(second))) == ('fer-run', 'fer-run-2')
        (tmp_path / 'fer-run' / 'emotions.csv').touch()
    assert names(tmp_path) == {'fer-run'}


def test_what_another_program_writes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with pytest.raises(SourceError, match=r'exists already.*; what was just made is in '):
        write_while_another_does(out)
    assert (out / 'a.txt').read_text() == 'theirs'
    assert [path.read_text() for path in tmp_path.glob('out-*/a.txt')] == ['ours']
    assert names(out) == {'a.txt'}


def write_while_another_does(out: Path) -> None:
    with safe_output(out / 'a.txt') as part:
        part.write_text('ours')
        (out / 'a.txt').write_text('theirs')


@pytest.mark.parametrize('kind', ['itself', 'symbolic link', 'hard link', 'other spelling'])
def test_an_input_is_never_replaced(tmp_path: Path, kind: str) -> None:
    source, target = tmp_path / 'a.png', tmp_path / 'b.png'
    source.write_text('input')
    if kind == 'symbolic link':
        target.symlink_to(source)
    elif kind == 'hard link':
        os.link(source, target)
    else:
        (tmp_path / 'x').mkdir()
        target = source if kind == 'itself' else tmp_path / 'x' / '..' / 'a.png'
    with pytest.raises(SourceError, match='is what is read'):
        check_outputs(target.parent, [target.name], [source], overwrite=True)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / 'out').write_text('')
    with pytest.raises(SourceError, match='out is a file, not a folder'):
        check_outputs(tmp_path / 'out' / 'deep', ['a.png'])


def test_names_are_unique_and_no_input(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_text('')
    sources = [tmp_path / 'a.png', tmp_path / 'x' / 'A.jpg', tmp_path / 'y' / 'b.jpg']
    assert unique_names(sources, '.png', tmp_path) == ['a_2.png', 'A.png', 'b.png']
    assert unique_names(sources, '.png', tmp_path / 'out') == ['a.png', 'A_2.png', 'b.png']


@pytest.fixture
def photos(tmp_path: Path, astronaut: np.ndarray) -> Path:
    small = cv2.resize(astronaut, (256, 256))
    for name in ('a.png', 'b/a.jpg', 'b/10.png', 'b/9.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(cv2.imencode(Path(name).suffix, small)[1].tobytes())
    return tmp_path


def test_annotated_copies_beside_the_photos_replace_none(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (photos / 'a.png').read_bytes()
    arguments = ['image', str(photos / 'a.png'), str(photos / 'b'), '--json']
    assert main([*arguments, '--output', str(photos)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(line['path']).name for line in lines] == ['a.png', '9.png', '10.png', 'a.jpg']
    assert [[face['number'] for face in line['faces']] for line in lines] == [[1]] * 4
    assert (photos / 'a.png').read_bytes() == before
    assert names(photos) == {'a.png', 'b', 'a_2.png', 'a_3.png', '9.png', '10.png'}
    assert main([*arguments, '--output', str(photos)]) == 1
    assert 'a_2.png exists already' in capsys.readouterr().err
    assert main([*arguments, '--output', str(photos), '--overwrite']) == 0


@pytest.mark.parametrize('command', ['image', 'video'])
def test_names_that_are_not_utf8(photos: Path, command: str) -> None:
    """In a process of its own, whose output is bytes."""
    name = os.fsencode(photos) + b'/caf\xe9.mp4'
    with VideoWriter(photos / 'clip.mp4', 10.0) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    os.rename(photos / ('clip.mp4' if command == 'video' else 'a.png'), name)  # noqa: PTH104
    done = subprocess.run(
        [sys.executable, '-m', 'fer_ros.cli', command, name, '--output',
         os.fsencode(photos) + (b'/\xff.mp4' if command == 'video' else b'/\xff')],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b'Traceback' not in done.stderr
    assert (b'caf\xe9' in done.stdout) == (command == 'image')
    made = os.listdir(os.fsencode(photos))  # noqa: PTH208
    assert (b'\xff.mp4' if command == 'video' else b'\xff') in made


def test_a_folder_that_holds_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    day = tmp_path / 'monday'
    (day / 'bag').mkdir(parents=True)
    (tmp_path / 'link').symlink_to(day)
    for target in ('monday', 'link'):
        with pytest.raises(SourceError, match='is what is read: choose another name'):
            check_outputs(tmp_path, [target], [day / 'bag'], overwrite=True)
    check_outputs(day, ['other'], [day / 'bag'], overwrite=True)
    check_outputs(tmp_path, ['monday'], [tmp_path], overwrite=True)


def test_results_of_many_recordings_replace_none_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['record-demo', str(tmp_path / 'bag'), '--seconds', '0.1']) == 0
    before = {path: path.read_bytes() for path in (tmp_path / 'bag').iterdir()}
    folder = str(tmp_path)
    assert main(['evaluate', 'bags', folder, '--output', folder, '--overwrite']) == 1
    assert 'bag is what is read: choose another name' in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / 'bag').iterdir()} == before


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_a_video_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)

    def write() -> None:
        with safe_output(tmp_path / f'a{suffix}') as part, VideoWriter(part, 10.0) as writer:
            for number in range(20):
                writer.write(np.roll(noise, 31 * number, axis=1))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(SourceError, match='is the disk full'):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == set()
