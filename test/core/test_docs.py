# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the documentation says to type is run, here or by another test, or marked.

A block of commands whose first line is ``# needs: …`` (a robot, hours, a data set) is only parsed.
In all others a ``fer`` command is run here for real, in a folder with a photo, a clip and what the
commands before it have made; any other command must be named in RUN_ELSEWHERE.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros import errors
from fer_ros.cli import main, make_parser
from fer_ros.config import PipelineConfig, flatten
from fer_ros.images.demo import DemoSource
from fer_ros.images.video_writer import VideoWriter

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')])
SETTING = re.compile(r'\b(?:detection|classification|quality|tracking|smoothing)\.[a-z_]+(?!\.)')
LANGUAGES = {'bash', 'cpp', 'csv', 'ini', 'json', 'python', 'text', 'yaml'}
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
MARK = re.compile(r'# needs: \w.+')

RUN_ELSEWHERE = {
    'scripts/demo': 'test/system/test_demo.py::test_ten_seconds_of_the_demo',
    'scripts/test': '.ci/run::scripts/test',
    'scripts/bootstrap --with dashboard': '.github/workflows/test.yaml::.ci/run',
    'python examples/greeter.py': 'test/nodes/test_greeter.py::test_it_greets_the_happy_once',
    'fer dashboard': 'test/system/test_dashboard_live.py::test_live_view',
    'fer dashboard --host 0.0.0.0': (
        'test/system/test_dashboard_pages.py::test_elsewhere_a_token_is_needed'
    ),
}
"""Command to the file, and what stands in it, that runs it."""


@dataclass(frozen=True)
class Command:
    """One line of a block of commands, without environment variables and comment."""

    page: str
    line: str
    is_marked: bool

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return (language, content) of a page's fenced blocks."""
    return FENCE.findall(page.read_text(encoding='utf-8'))


def commands(page: Path) -> list[Command]:
    found = []
    for language, content in blocks(page):
        if language != 'bash':
            continue
        is_marked = MARK.match(content) is not None
        for line in content.replace('\\\n', ' ').splitlines():
            line = re.sub(r'(^|\s)#.*', '', line).split(' > ')[0].strip()
            line = re.sub(r'^([A-Z_]+=\S+ )+', '', line).removeprefix('.venv/bin/')
            if line:
                found.append(Command(page.name, line, is_marked))
    return found


ALL = [command for page in PAGES for command in commands(page)]
OURS = [command for command in ALL if command.line.startswith('fer ')]
RUN_HERE = [c for c in OURS if not c.is_marked and c.line not in RUN_ELSEWHERE]


def shown(command: Command) -> str:
    return f'{command.page}: {command.line}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {language for language, _ in blocks(page)} <= LANGUAGES


def test_every_command_is_run_or_marked() -> None:
    assert len(OURS) >= 10
    loose = [shown(c) for c in ALL if not (c.is_marked or c in RUN_HERE or c.line in RUN_ELSEWHERE)]
    assert loose == []


@pytest.mark.parametrize('command, runner', RUN_ELSEWHERE.items(), ids=list(RUN_ELSEWHERE))
def test_what_is_run_elsewhere_is(command: str, runner: str) -> None:
    assert command in {known.line for known in ALL}
    file, _, text = runner.partition('::')
    assert text in (ROOT / file).read_text(encoding='utf-8')


@pytest.mark.parametrize('command', OURS, ids=shown)
def test_commands_are_understood(command: Command) -> None:
    assert callable(make_parser().parse_args(command.words[1:]).run)


@pytest.fixture(scope='module')
def desk(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A folder with what a reader of the documentation has at hand."""
    folder, source = tmp_path_factory.mktemp('desk'), DemoSource((320, 240), 10.0)
    cv2.imwrite(str(folder / 'family.jpg'), astronaut)
    with VideoWriter(folder / 'clip.mp4', 10.0) as writer:
        for number in range(10, 20):
            writer.write(source.at(number / 10))
    return folder


@pytest.mark.parametrize('command', dict.fromkeys(c.line for c in RUN_HERE))
def test_commands_run(desk: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(desk)
    if command == 'fer record-demo demo_bag':
        command += ' --seconds 4'
    assert main(shlex.split(command)[1:]) == 0


PYTHON = [(page.name, code) for page in PAGES for kind, code in blocks(page) if kind == 'python']


@pytest.mark.parametrize(
    'page, code', PYTHON, ids=[f'{page}: {code[:30]}' for page, code in PYTHON]
)
def test_python_runs(desk: Path, monkeypatch: pytest.MonkeyPatch, page: str, code: str) -> None:
    monkeypatch.chdir(desk)
    exec(compile(code, page, 'exec'), {})


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page: Path) -> None:
    prose = re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)
    for target in re.findall(r'\]\(([^)#]+)', prose):
        if '://' not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_settings_exist(page: Path) -> None:
    known = flatten(PipelineConfig())
    named = {
        name
        for quoted in re.findall(r'`([^`\n]+)`', page.read_text(encoding='utf-8'))
        for name in SETTING.findall(quoted)
        if not name.endswith(('.py', '.md'))
    }
    assert named <= known.keys(), named - known.keys()


def sentences() -> Iterator[str]:
    """Yield what the package's errors say, with … for what differs."""
    for path in sorted((ROOT / 'fer_ros').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            name = getattr(node.exc.func, 'id', '')
            if not issubclass(getattr(errors, name, Exception), errors.FerError):
                continue
            first = node.exc.args[0] if node.exc.args else None
            if isinstance(first, ast.Constant):
                yield first.value
            elif isinstance(first, ast.JoinedStr):
                yield ''.join(getattr(part, 'value', '') if isinstance(part, ast.Constant) else '…'
                              for part in first.values)  # fmt: skip


def test_each_error_has_an_entry_in_the_troubleshooting_page() -> None:
    page = (ROOT / 'docs' / 'troubleshoot.md').read_text(encoding='utf-8')
    page = re.sub(r'```.*?```', '', page, flags=re.DOTALL)
    spans = (re.escape(span).replace('…', '.*') for span in re.findall(r'`([^`]+)`', page))
    pattern = re.compile('|'.join(f'(?:{span})' for span in spans), re.DOTALL)
    said = [sentence for sentence in sentences() if re.search(r'\w', sentence)]
    assert len(said) > 200
    assert [sentence for sentence in said if not pattern.fullmatch(sentence)] == []
