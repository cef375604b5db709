# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole set-ups on unkind machines; minutes each, so the weekly workflow runs them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from helpers.clones import ROOT, copy_clone, variables

pytestmark = pytest.mark.slow

MAX_MB = 700
ASTRAY = {
    'PIP_TARGET': '/elsewhere', 'PIP_USER': '1', 'PIP_PREFIX': '/elsewhere',
    'CONDA_PREFIX': '/conda', 'LC_ALL': 'C',
}  # fmt: skip


def sourced_ros() -> dict[str, str]:
    """Variables as after sourcing another ROS: this test's own environment."""
    return {
        'PYTHONPATH': sysconfig.get_paths()['purelib'],
        'AMENT_PREFIX_PATH': sys.prefix,
        'LD_LIBRARY_PATH': f'{sys.prefix}/lib',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
    }


def network() -> dict[str, str]:
    """This machine's own ways to packages and their cache."""
    names = ('PIP_', 'UV_', 'SSL_CERT', 'HTTP', 'http', 'ALL_PROXY', 'no_proxy', 'NO_PROXY')
    return {k: v for k, v in os.environ.items() if k.startswith(names)} | {
        'UV_CACHE_DIR': os.environ.get('UV_CACHE_DIR', str(Path.home() / '.cache' / 'uv'))
    }


@pytest.fixture(scope='module')
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that was killed while it built the messages, and started again."""
    clone = copy_clone(tmp_path_factory.mktemp('päth with späces') / 'my clone')
    environment = variables(clone, **network(), **ASTRAY, **sourced_ros())
    log = clone / '.venv' / 'bootstrap.log'
    first = subprocess.Popen([clone / 'scripts' / 'bootstrap'], env=environment, umask=0o077)
    while not (log.is_file() and '-- building the messages' in log.read_text()):
        assert first.poll() is None
        time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = subprocess.run(
        [clone / 'scripts' / 'bootstrap'], env=environment, capture_output=True, text=True
    )
    assert second.returncode == 0, second.stderr
    assert 'installing runtime packages' not in second.stdout
    return clone


def test_the_size(ready: Path) -> None:
    sizes = (path.lstat().st_blocks * 512 for path in (ready / '.venv').rglob('*'))
    assert sum(sizes) < MAX_MB * 1e6


@pytest.mark.parametrize('sourced', [{}, sourced_ros()], ids=['plain', 'another ROS sourced'])
def test_the_demo(ready: Path, tmp_path: Path, sourced: dict[str, str]) -> None:
    run = subprocess.run(
        [ready / 'scripts' / 'demo', '--seconds', '5', '--output', tmp_path],
        env=variables(ready, **sourced), capture_output=True, text=True, timeout=200, cwd='/',
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert 'person 1: ' in run.stdout


def test_what_is_started_without_a_script_keeps_another_ros_out(ready: Path) -> None:
    run = subprocess.run(
        [ready / '.venv' / 'bin' / 'python', '-c', 'import rclpy, fer_msgs; print(rclpy.__file__)'],
        env=variables(ready, **sourced_ros()), capture_output=True, text=True, cwd='/',
    )  # fmt: skip
    assert run.stdout.startswith(str(ready / '.venv')), run.stderr


def test_a_program_beside_a_clone_called_fer_ros(ready: Path, tmp_path: Path) -> None:
    """Python would take the clone, a folder without __init__.py, for the package."""
    (tmp_path / 'fer_ros').symlink_to(ready)
    run = subprocess.run(
        [ready / '.venv' / 'bin' / 'python', '-c', 'from fer_ros import EmotionPipeline'],
        env=variables(ready), capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_fer_and_what_ros_looks_for(ready: Path, tmp_path: Path) -> None:
    photo = ready / '.venv' / 'share' / 'fer_ros' / 'photos' / 'astronaut.png'
    run = subprocess.run(
        [ready / '.venv' / 'bin' / 'fer', 'image', photo, '--json'],
        env=variables(ready, **sourced_ros()), capture_output=True, text=True, cwd='/',
    )  # fmt: skip
    assert [face['label'] for face in json.loads(run.stdout)['faces']] == ['happy'], run.stderr
    share = ready / '.venv' / 'share' / 'fer_ros'
    # ros2 launch walks through the folder, which stops at links to folders.
    found = {name for _, _, names in os.walk(share) for name in names}
    assert {'live.launch.py', 'fer.rviz', 'emotion_node.yaml', 'package.xml'} <= found
    assert os.access(ready / '.venv' / 'lib' / 'fer_ros' / 'emotion_node', os.X_OK)


def test_another_user_starts_it(ready: Path) -> None:
    if os.geteuid() or not shutil.which('setpriv'):
        pytest.skip('only root can become another user (setpriv)')
    subprocess.run(['chmod', '-R', 'a+rX', ready.parent], check=True)
    for folder in ready.parent.parents[:2]:  # pytest's own, of this user alone
        folder.chmod(0o755)
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    if subprocess.run([*nobody, sys.executable, '-c', ''], check=False).returncode:
        pytest.skip("this Python lies in root's own folder")
    run = subprocess.run(
        [*nobody, ready / 'scripts' / 'bootstrap'],
        env=variables(ready), capture_output=True, text=True, cwd='/',
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, '', '')


@pytest.mark.parametrize(
    'before', [[], ['opencv-python<5', 'numpy<2']], ids=['empty', 'opencv-python and numpy 1']
)
def test_pip_install(tmp_path: Path, before: list[str]) -> None:
    """Beside packages that are there already, which stay as they are."""
    subprocess.run([sys.executable, '-I', '-m', 'venv', tmp_path / 'venv'], check=True)
    pip = [tmp_path / 'venv' / 'bin' / 'python', '-m', 'pip', 'install', '-q']
    environment = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', '_ROS'))}
    environment.pop('LD_LIBRARY_PATH', None)
    if before:
        subprocess.run([*pip, *before], check=True, env=environment)
    clone = copy_clone(tmp_path / 'clone')
    subprocess.run([*pip, clone], check=True, env=environment)
    shutil.rmtree(clone)
    listed = subprocess.run(
        [*pip[:3], 'list', '--format=freeze'], capture_output=True, text=True, env=environment
    ).stdout
    assert ('opencv-python-headless' in listed) == (not before)
    assert ('numpy==1.' in listed) == bool(before)
    photo = ROOT / 'docs' / 'figures' / 'annotated_demo.png'
    run = subprocess.run(
        [tmp_path / 'venv' / 'bin' / 'fer', 'image', photo, '--json'],
        capture_output=True, text=True, env=environment, cwd='/',
    )  # fmt: skip
    assert len(json.loads(run.stdout)['faces']) == 2, run.stderr
