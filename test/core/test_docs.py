# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the documentation names must exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fer_ros.cli import make_parser
from fer_ros.config import PipelineConfig, flatten

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')])
SETTING = re.compile(r'\b(?:detection|classification|quality|tracking|smoothing)\.[a-z_]+(?!\.)')


def commands(page: Path) -> list[str]:
    """Return the `fer …` lines of a page's bash blocks, continued lines joined."""
    blocks = re.findall(r'```bash\n(.*?)```', page.read_text(encoding='utf-8'), re.DOTALL)
    lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
    return [
        line.split(' #')[0].split(' > ')[0].removeprefix('.venv/bin/')
        for line in lines
        if line.removeprefix('.venv/bin/').startswith('fer ')
    ]


CASES = [(page.name, command) for page in PAGES for command in commands(page)]


def test_there_are_commands() -> None:
    assert len(CASES) >= 5


@pytest.mark.parametrize('page,command', CASES, ids=[f'{name}: {line}' for name, line in CASES])
def test_commands_are_understood(page: str, command: str) -> None:
    options = make_parser().parse_args(shlex.split(command)[1:])
    assert callable(options.run)


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
