# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What others call their files or send cannot steer the terminal on which it is quoted."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.data.bag_writer import BagWriter
from fer_ros.errors import SourceError, counted, printable, shorten
from fer_ros.messages.images import image_message

ODD = '\x1b[2J\x1b]0;title\x07a\nfer: all well\u202e'
SAFE = r'\x1b[2J\x1b]0;title\x07a\nfer: all well\u202e'


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('1 Größe 👍\u00a0.jpg', '1 Größe 👍\u00a0.jpg', id='ordinary'),
        pytest.param(ODD, SAFE, id='escapes'),
        pytest.param('\x9b2J\x7f', r'\x9b2J\x7f', id='escapes of eight bits'),
        pytest.param('\ud800', r'\ud800', id='half a character'),
        pytest.param('\udcff', '\udcff', id='a byte that is no UTF-8'),
    ],
)
def test_what_steers_a_terminal_is_written_out(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_errors_are_one_line_and_long_texts_are_cut() -> None:
    assert str(SourceError(f'video {ODD} is missing')) == f'video {SAFE} is missing'
    assert str(SourceError('map:\n  in "x",\n  line 1')) == 'map: in "x", line 1'
    assert shorten('\x1b' * 300) == '\\x1b' * 49 + '\\x1…'


@pytest.mark.parametrize(
    'command',
    [
        ['image'], ['video'], ['run'], ['evaluate', 'bag'], ['evaluate', 'dataset'],
        ['evaluate', 'detector'], ['evaluate', 'bags', '--output', 'results'], ['train'],
        ['models', 'add'],
    ],
    ids=' '.join,
)  # fmt: skip
@pytest.mark.parametrize('exists', [False, True], ids=['missing', 'a file of zeros'])
@pytest.mark.parametrize('name', [f'{ODD}.jpg', os.fsdecode(b'\xff\x1b.jpg')],
                         ids=['escapes', 'bytes'])  # fmt: skip
def test_every_command_quotes_names_so(
    command: list[str], name: str, exists: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    if exists:
        Path(name).write_bytes(bytes(200))
    assert main([*command, name]) == 1
    said = capfdbinary.readouterr().err
    assert said.count(b'\n') == 1
    assert b'\x1b' not in said
    assert os.fsencode(printable(name)) in said


def test_names_of_photos_folders_and_bags_are_printed_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / 'a.png').rename(folder / f'{ODD}.png')
    assert main(['image', str(folder)]) == 0
    with BagWriter(folder / 'bag') as writer:
        header = writer.header(10**9, 'camera')
        pixels = np.zeros((48, 64, 3), np.uint8)
        writer.write('/cam', 10**9, image_message(writer.make, pixels, header))
    assert main(['evaluate', 'bag', str(folder / 'bag')]) == 0
    (folder / 'bag').rename(folder / f'{ODD} bag')
    assert main(['evaluate', 'bag', str(folder / f'{ODD} bag')]) == 0
    assert main(['evaluate', 'bags', str(folder), '--output', str(tmp_path / 'results')]) == 0
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if SAFE in line]
    assert len(lines) == 3
    assert '\x1b' not in said.out + said.err


@pytest.mark.parametrize(
    'number, nouns, expected',
    [(1, ('face',), '1 face'), (0, ('face',), '0 faces'), (2, ('person', 'people'), '2 people')],
)
def test_counted(number: int, nouns: tuple[str, ...], expected: str) -> None:
    assert counted(number, *nouns) == expected
