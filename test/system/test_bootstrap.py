# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bare machine is told, and what colcon makes of the packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOOLS = (
    'bash', 'cat', 'cut', 'date', 'dirname', 'env', 'find', 'flock', 'grep', 'mkdir', 'mktemp',
    'rm', 'sed', 'sha256sum', 'sort', 'tail', 'touch', 'tr', 'uname', 'xargs', 'python3',
)  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the bootstrap looks at, without a .venv."""
    for name in ('scripts', 'requirements'):
        shutil.copytree(ROOT / name, tmp_path / 'clone' / name)
    return tmp_path / 'clone'


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder of programs with all that the bootstrap needs but a compiler."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for tool in TOOLS:
        real = sys.executable if tool == 'python3' else shutil.which(tool)
        assert real, tool
        # A script and not a link: a linked Python does not find its own library.
        (folder / tool).write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
        (folder / tool).chmod(0o755)
    return folder


def bootstrap(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which('bash') or 'bash', str(clone / 'scripts' / 'bootstrap')],
        capture_output=True, text=True, timeout=120,
        env={'PATH': os.environ['PATH'], 'HOME': str(clone), **environment},
    )  # fmt: skip


def assert_one_sentence(run: subprocess.CompletedProcess[str], *words: str) -> None:
    assert run.returncode == 1, run.stdout + run.stderr
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith('fer_ros: ')
    for word in words:
        assert word in line


def test_the_lock_names_everything() -> None:
    """It is installed without asking for more, so nothing that a package needs may lack."""
    run = subprocess.run(
        [sys.executable, '-m', 'pip', 'check'],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def test_no_compiler(clone: Path, bare_path: Path) -> None:
    run = bootstrap(clone, PATH=str(bare_path))
    assert_one_sentence(run, 'a C++ compiler is needed', 'apt install g++')
    assert not (clone / '.venv').exists()


def test_unsupported_python(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / 'python3.9'
    old.write_text('#!/bin/sh\nexit 1\n')
    old.chmod(0o755)
    assert_one_sentence(
        bootstrap(clone, PYTHON=str(old)), 'Python 3.10 to 3.13 is needed', str(old)
    )


def test_no_network(clone: Path) -> None:
    nowhere = 'http://127.0.0.1:9/simple'
    run = bootstrap(
        clone, PYTHON=sys.executable, PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL=nowhere,
        PIP_RETRIES='0', PIP_FIND_LINKS='', PIP_EXTRA_INDEX_URL='',
    )  # fmt: skip
    assert_one_sentence(run, 'package registry cannot be reached', 'check the network')


def test_an_environment_that_was_moved(clone: Path) -> None:
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', clone / 'old'], check=True)
    (clone / 'old').rename(clone / '.venv')
    (clone / '.venv' / 'bin' / 'pip').touch(mode=0o755)
    for script in (clone / '.venv' / 'bin').glob('python*'):
        script.unlink()
    (clone / '.venv' / 'bin' / 'python').symlink_to(sys.executable)
    (clone / '.venv' / 'pyvenv.cfg').unlink()
    assert_one_sentence(bootstrap(clone), 'was made for another folder', 'rm -r .venv')


def colcon(*arguments: str, cwd: Path) -> str:
    prefix = Path(sys.prefix)
    if not (prefix / 'bin' / 'colcon').is_file():
        pytest.skip('colcon is not in this environment')
    environment = {
        'PATH': f'{prefix}/bin:{os.environ["PATH"]}', 'HOME': str(cwd),
        'AMENT_PREFIX_PATH': str(prefix), 'CMAKE_PREFIX_PATH': str(prefix),
    }  # fmt: skip
    run = subprocess.run(
        [prefix / 'bin' / 'colcon', '--log-base', '/dev/null', *arguments],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=400,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace as on a robot, with the repository as src/fer_ros."""
    ignored = shutil.ignore_patterns('.venv', '.git', 'build', 'install', 'log', 'runs', '.*_cache')
    shutil.copytree(ROOT, tmp_path / 'src' / 'fer_ros', ignore=ignored)
    return tmp_path


def test_colcon_finds_both_packages_and_not_the_restated_ones(workspace: Path) -> None:
    listed = colcon('list', '--names-only', '--base-paths', 'src', 'src/fer_ros/fer_msgs',
                    cwd=workspace).split()  # fmt: skip
    assert sorted(listed) == ['fer_msgs', 'fer_ros']
    assert colcon('list', '--names-only', '--base-paths', 'src', cwd=workspace).split() == [
        'fer_ros'
    ]


def test_colcon_builds_both_packages(workspace: Path) -> None:
    colcon(
        'build', '--base-paths', 'src', 'src/fer_ros/fer_msgs', '--merge-install',
        '--cmake-args', f'-DPython3_EXECUTABLE={sys.executable}', '-DBUILD_TESTING=OFF',
        cwd=workspace,
    )  # fmt: skip
    install = workspace / 'install'
    for name in ('emotion_node', 'camera_node'):
        assert os.access(install / 'lib' / 'fer_ros' / name, os.X_OK)
    assert os.access(install / 'bin' / 'fer', os.X_OK)
    share = install / 'share' / 'fer_ros'
    assert (share / 'package.xml').is_file()
    for folder in ('launch', 'config', 'rviz'):
        wanted = {p.name for p in (ROOT / folder).rglob('*') if p.is_file()}
        assert {p.name for p in (share / folder).glob('*')} == wanted, folder
    packages = next(install.glob('lib/python*/site-packages'))
    assert (packages / 'fer_ros' / 'nodes' / 'fastdds.xml').is_file()
    shipped = {p.name for p in (ROOT / 'fer_ros' / 'models').glob('*.*')}
    assert shipped == {p.name for p in (packages / 'fer_ros' / 'models').glob('*.*')}
    assert (install / 'share' / 'fer_msgs' / 'msg' / 'EmotionArray.msg').is_file()
