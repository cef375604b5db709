# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common: help with an example, errors in one sentence, completion."""

from __future__ import annotations

import argparse
import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.terminal import drawn_in_terminal

from fer_ros.cli import main, make_parser
from fer_ros.commands import options
from fer_ros.commands.completion import SHELLS, script
from fer_ros.commands.options import progress
from fer_ros.commands.reading import find_photos, in_time
from fer_ros.errors import SourceError
from fer_ros.images.demo import DemoSource
from fer_ros.images.video_writer import VideoWriter


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


PARSERS = list(parsers(make_parser()))


def test_an_argument_too_many_shows_the_command_s_own_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(['models', 'verify', 'emotion'])
    said = capsys.readouterr().err
    assert said.startswith('usage: fer models verify')
    assert said.endswith('error: unrecognized arguments: emotion\n')


def test_help_says_what_a_backend_lacks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, 'find_spec', lambda name: name == 'ai_edge_litert' or None)
    assert options._backends.__wrapped__() == (
        'litert, onnx (pip install onnxruntime), keras (pip install keras tensorflow); '
        'the shipped model has weights for litert only'
    )


@pytest.mark.parametrize('parser', PARSERS, ids=lambda parser: parser.prog)
def test_help_ends_with_an_example_that_is_understood(parser: argparse.ArgumentParser) -> None:
    _, _, example = parser.format_help().rstrip().partition('example:\n')
    assert example.strip().startswith(parser.prog)
    for command in example.split('&&'):
        words = shlex.split(command.split('>')[0])
        assert callable(make_parser().parse_args(words[1:]).run)


@pytest.mark.parametrize('parser', PARSERS, ids=lambda parser: parser.prog)
def test_every_option_says_what_it_is_for(parser: argparse.ArgumentParser) -> None:
    assert [action.dest for action in parser._actions if not action.help] in ([], ['command'],
        ['subject'], ['action'])  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of the wrong kind, which the command is run in."""
    (tmp_path / 'note.txt').write_text('no picture')
    (tmp_path / 'card.json').write_text('{')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'photo.png').write_bytes(
        cv2.imencode('.png', np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    )
    with VideoWriter(tmp_path / 'clip.mp4', 10.0) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


ERRORS = [
    ('run gone.mp4', 'gone.mp4 does not exist'),
    ('run note.txt', 'video note.txt cannot be opened (damaged, or of an unknown format)'),
    ('run 97', 'camera 97 (is it plugged in'),
    ('run empty', 'folder empty holds no images'),
    ('run http://127.0.0.1:9/a.jpg', 'http://127.0.0.1:9/a.jpg cannot be opened'),
    ('run photo.png http://127.0.0.1:9/a.jpg', 'is an address and no photo file'),
    ('run clip.mp4 --seconds 0', '--seconds: expected more than 0, got 0'),
    ('run clip.mp4 --output note.txt', 'note.txt is a file, not a folder'),
    ('image gone.jpg', 'gone.jpg does not exist'),
    ('image note.txt', 'note.txt'),
    ('image http://127.0.0.1/a.jpg', 'is an address and no photo file: fer run'),
    ('image photo.png --model card.json', 'model card card.json is not JSON'),
    ('image photo.png --model magic', "no shipped model is called 'magic'"),
    ('image photo.png --set mood=3', "no setting is called 'mood'"),
    ('image photo.png --set mood', '--set mood: expected NAME=VALUE'),
    ('image photo.png --set detection.min_face_px=1', '10 to 2000'),
    ('image photo.png --output note.txt', 'note.txt'),
    ('video gone.mp4', 'gone.mp4 does not exist'),
    ('video note.txt', 'video note.txt cannot be opened (damaged, or of an unknown format)'),
    ('video clip.mp4 --output empty', 'empty is a folder: choose another name for the video'),
    ('video clip.mp4 --output clip.mp4', 'clip.mp4 is what is read'),
    ('video clip.mp4 --output clip.mp4 --overwrite', 'clip.mp4 is what is read'),
    ('video empty', 'folder empty holds no images'),
    ('video *.gif', 'nothing matches *.gif'),
    ('video rtsp://127.0.0.1:9/cam', 'rtsp://127.0.0.1:9/cam cannot be opened (nothing responds'),
    ('video demo', 'for cameras there is fer run'),
    ('live --camera 97', 'camera 97 (is it plugged in'),
    ('live --video gone.mp4', 'gone.mp4 does not exist'),
    ('live --seconds 0', '--seconds: expected more than 0, got 0'),
    ('dashboard --port 0', '--port: expected 1 to 65535, got 0'),
    ('dashboard --reports gone', '--reports: gone is not a folder'),
    ('dashboard --model gone.json', 'model card gone.json does not exist'),
    ('dashboard --host 192.0.2.1', 'cannot listen on 192.0.2.1, port 8501: '),
    ('evaluate dataset gone.npz', 'gone.npz does not exist'),
    ('evaluate dataset note.txt', 'expected a .npz, a .csv or a folder of classes'),
    ('evaluate dataset empty', 'empty holds no class folder with a face'),
    ('evaluate detector empty', 'empty/ground_truth.json does not exist'),
    ('evaluate detector empty --iou 7', '--iou: expected more than 0 and less than 1, got 7'),
    ('evaluate bag gone', 'bag gone does not exist'),
    ('evaluate bag note.txt', 'note.txt is not a rosbag2'),
    ('evaluate bag empty', 'empty is not a rosbag2: it holds no .mcap'),
    ('evaluate bags empty --output out', 'empty holds no recordings'),
    ('train gone', 'gone is not a folder'),
    ('teach --neutral gone.mp4', 'gone.mp4 does not exist'),
    ('teach --neutral clip.mp4', '0 frames with a clear face'),
    ('models add note.txt', 'note.txt: expected an existing .tflite'),
    ('models fetch yunet --url http://127.0.0.1:9/x', 'cannot be reached'),
    ('record-demo empty', 'empty exists already: choose another name, or add --overwrite'),
    ('record-demo new --rate 0', '--rate 0 to 1000'),
    ('record-demo new --topic images', '--topic images: expected a name such as /camera/image'),
]  # fmt: skip
HAS_NO_MISTAKES = {'bench', 'models list', 'models verify', 'completion'}
"""Nothing that can be typed is wrong; `fer bench` has a test of its own."""


@pytest.mark.parametrize('command, message', ERRORS, ids=[command for command, _ in ERRORS])
def test_errors_are_one_sentence(
    files: Path, command: str, message: str, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv('FER_ROS_MODELS', str(files / 'models'))
    assert main(shlex.split(command)) == 1
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith('fer: ')
    assert message in said


def test_every_command_is_among_those_whose_errors_are_tried() -> None:
    leaves = {parser.prog.removeprefix('fer ') for parser in PARSERS if parser.get_default('run')}
    tried = {leaf for leaf in leaves for command, _ in ERRORS if command.startswith(f'{leaf} ')}
    assert leaves - tried == HAS_NO_MISTAKES


LINES = [
    ('fer ', 'run image video live dashboard evaluate models record-demo'),
    ('fer eva', 'evaluate'),
    ('fer evaluate ', 'dataset detector bag bags'),
    ('fer evaluate bag --st', '--storage'),
    ('fer evaluate bag demo --storage ', 'mcap sqlite3'),
    ('fer image photo.jpg --detector y', 'yunet'),
    ('fer models fetch ', 'yunet'),
    ('fer image pho', 'photo.jpg'),
]


@pytest.fixture(scope='module')
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script of each shell, and a photo to complete."""
    folder = tmp_path_factory.mktemp('completion')
    (folder / 'photo.jpg').touch()
    for shell in SHELLS:
        (folder / shell).write_text(script(make_parser(), shell))
    return folder


def in_shell(folder: Path, *command: str) -> list[str]:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, 'HOME': str(folder)},
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize('line, expected', LINES, ids=[line for line, _ in LINES])
def test_bash_completes(scripts: Path, line: str, expected: str) -> None:
    """As bash does it: words are split, the function is called; no completion means files."""
    words = ' '.join(shlex.quote(word) for word in line.split(' '))
    found = in_shell(
        scripts, 'bash', '-c',
        f'. ./bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _fer; '
        'printf "%s\\n" "${COMPREPLY[@]:-$(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")}"; '
        'complete -p fer',
    )  # fmt: skip
    assert found.pop() == 'complete -o default -F _fer fer'
    assert found[: len(expected.split())] == expected.split()


@pytest.mark.skipif(not shutil.which('fish'), reason='no fish (apt install fish)')
@pytest.mark.parametrize('line, expected', LINES, ids=[line for line, _ in LINES])
def test_fish_completes(scripts: Path, line: str, expected: str) -> None:
    found = in_shell(scripts, 'fish', '-c', f'source ./fish; complete -C {shlex.quote(line)}')
    assert set(expected.split()) <= {word.split('\t')[0] for word in found}


@pytest.mark.skipif(not shutil.which('zsh'), reason='no zsh (apt install zsh)')
def test_zsh_completes(scripts: Path) -> None:
    """In a terminal, for zsh completes nowhere else; the key is pressed and the line run."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(scripts)
        os.execvpe('zsh', ['zsh', '-fi'], {**os.environ, 'TERM': 'dumb', 'PS1': '> '})
    said = b''

    def until(text: bytes) -> None:
        nonlocal said
        while text not in said:
            assert select.select([terminal], [], [], 30.0)[0], said.decode(errors='replace')
            said += os.read(terminal, 4096)

    try:
        until(b'> ')
        os.write(terminal, b'source ./zsh; fer() { echo "<$*>" }; echo rea""dy\n')
        until(b'ready')
        os.write(terminal, b'fer image --detector y\t\n')
        until(b'<image --detector yunet>')
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


def test_progress_is_not_drawn_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(progress([1, 2], 2, 'two')) == [1, 2]
    assert capfd.readouterr() == ('', '')


def test_with_a_bar_on_the_terminal_lines_still_go_into_the_file(tmp_path: Path) -> None:
    source = DemoSource((160, 120), 10.0)
    with VideoWriter(tmp_path / 'clip.mp4', 10.0) as writer:
        for number in range(12):
            writer.write(source.at(number / 10))
    command = [sys.executable, '-m', 'fer_ros.cli', 'video', 'clip.mp4', '--json']
    with (tmp_path / 'emotions.jsonl').open('wb') as stream:
        drawn = drawn_in_terminal(command, tmp_path, stream)
    assert '12/12' in drawn
    assert '"frame"' not in drawn
    assert len((tmp_path / 'emotions.jsonl').read_text().splitlines()) == 12


def test_what_lies_in_a_folder_beside_its_photos_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, empty = tmp_path / 'photos', tmp_path / 'empty.jpg'
    for name in ('a.jpg', 'b.CR2', 'c.cr2', 'notes', '.DS_Store', 'Thumbs.db'):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).touch()
    (photos / 'd.jpg').mkdir()
    empty.mkdir()
    assert find_photos([str(photos), str(empty)]) == [photos / 'a.jpg']
    said = capsys.readouterr().err.splitlines()
    first, *others = said[0].split(', ')
    assert first == f'fer: {photos}: left out as no photos: 2 .cr2'
    assert sorted(others) == ['1 folders', '1 without a suffix']
    assert 'empty.jpg holds no images' in said[1]
    with pytest.raises(SourceError, match='holds no images'):
        find_photos([str(empty)])
    with pytest.raises(SourceError, match='no photos in'):
        find_photos([str(empty), str(empty)])


class LateSource:
    """Forty images whose times have always passed."""

    rate_hz = 10.0

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for number in range(40):
            yield -float(number), np.zeros((1, 1, 3), np.uint8)

    def problem(self) -> str:
        return ''

    def close(self) -> None:
        pass


def test_a_source_slower_than_its_rate_is_not_left_out_for_ever() -> None:
    assert [due_s for due_s, _ in in_time(LateSource(), 60.0, is_paced=True)] == [0, -11, -22, -33]
