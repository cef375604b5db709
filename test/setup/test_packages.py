# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From where packages come, what failed installations are explained by, and the lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_lock_names_everything() -> None:
    """It is installed without asking for more, so nothing that a package needs may lack."""
    run = subprocess.run(
        [sys.executable, '-m', 'pip', 'check'],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


ASTRAY = ('PIP_TARGET', 'PIP_USER', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_CONSTRAINT', 'PIP_NO_BINARY',
          'PYTHONPATH', 'PYTHONHOME', 'UV_SYSTEM_PYTHON', 'UV_PYTHON', 'UV_TARGET', 'VIRTUAL_ENV',
          'CONDA_PREFIX', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')  # fmt: skip


def test_settings_that_put_packages_elsewhere_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import packages

    for name in ASTRAY:
        monkeypatch.setenv(name, '/elsewhere')
    variables = packages.uv_variables(packages.pip_settings())
    assert not set(ASTRAY) & set(variables)
    assert '/elsewhere' not in variables.values()


@pytest.mark.parametrize(
    'name, value, uv_name, uv_value',
    [
        pytest.param('PIP_INDEX_URL', 'http://a/simple', 'UV_DEFAULT_INDEX', 'http://a/simple',
                     id='index'),
        pytest.param('PIP_EXTRA_INDEX_URL', 'http://a http://b', 'UV_INDEX', 'http://a http://b',
                     id='two more'),
        pytest.param('PIP_FIND_LINKS', '/a /b', 'UV_FIND_LINKS', '/a,/b', id='folders'),
        pytest.param('PIP_CERT', '/ca.crt', 'SSL_CERT_FILE', '/ca.crt', id='certificate'),
        pytest.param('PIP_PROXY', 'http://p:1', 'HTTPS_PROXY', 'http://p:1', id='proxy'),
        pytest.param('PIP_TRUSTED_HOST', 'a', 'UV_INSECURE_HOST', 'a', id='trusted'),
    ],
)  # fmt: skip
def test_uv_takes_pips_settings(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, uv_name: str, uv_value: str
) -> None:
    import packages

    monkeypatch.setenv(name, value)
    monkeypatch.delenv(uv_name, raising=False)
    assert packages.uv_variables(packages.pip_settings())[uv_name] == uv_value
    monkeypatch.setenv(uv_name, 'own')
    assert packages.uv_variables(packages.pip_settings())[uv_name] == 'own'


def test_without_a_home_nothing_is_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import packages

    monkeypatch.setenv('UV_CACHE_DIR', '/dev/null/cache')
    assert packages.uv_variables({})['UV_NO_CACHE'] == '1'
    monkeypatch.setenv('UV_CACHE_DIR', str(tmp_path / 'new' / 'cache'))
    monkeypatch.delenv('UV_NO_CACHE', raising=False)
    assert 'UV_NO_CACHE' not in packages.uv_variables({})


@pytest.mark.parametrize(
    'output, words',
    [
        pytest.param(
            'error: Failed to fetch: `http://a/simple/cv/`\n  Caused by: Request failed\n'
            '  Caused by: dns error: failed to lookup address information',
            ['registry cannot be reached', 'http://a/simple/cv/', 'check the network'],
            id='no network',
        ),
        pytest.param(
            'Using Python 3.11\n  \u00d7 No solution found when resolving dependencies:\n'
            '  \u2570\u2500\u25b6 Because rclpy was not found in the package registry, it fails.',
            ['failed', 'rclpy was not found in the package registry'],
            id='a mirror that lacks a package',
        ),
        pytest.param(
            'ERROR: Could not find a version that satisfies the requirement uv==9 (from versions: '
            'none)\nERROR: No matching distribution found for uv==9',
            ['failed', 'uv==9'],
            id='a mirror that lacks uv',
        ),
        pytest.param(
            'Downloading a\nDownloading b\nerror: Failed to install: b\n  Caused by: No space left '
            'on device (os error 28)',
            ['the disk is full', 'No space left on device'],
            id='a full disk',
        ),
        pytest.param(
            'error: Hash mismatch for `b==1`\n\nExpected:\n  sha256:a\n\nComputed:\n  sha256:c',
            ['failed', 'Hash mismatch for `b==1`'],
            id='another file',
        ),
        pytest.param('', ['failed', 'exit status 9'], id='killed'),
    ],
)
def test_why_an_installation_failed(tmp_path: Path, output: str, words: list[str]) -> None:
    import packages
    from steps import Environment

    environment = Environment(tmp_path, tmp_path / '.venv')
    sentence = packages.explain('runtime packages', output or 'exit status 9', environment)
    assert '\n' not in sentence
    for word in [*words, str(environment.log)]:
        assert word in sentence
    if 'registry cannot be reached' not in words:
        assert 'cannot be reached' not in sentence


FOREIGN = """
import os, runpy, sys
sys.prefix = sys.argv[2]
runpy.run_path(sys.argv[1])
print(sys.path[1:3], *(os.environ.get(name) for name in sys.argv[3:]), sep='|')
"""


def test_another_ros_is_left_out_and_all_else_stays(tmp_path: Path) -> None:
    # mine is like a checkout: its fer_msgs is no package of Python.
    for name in ('ros/lib/python/rclpy', 'ros/share/rclpy', 'mine/fer_msgs/msg', 'venv/lib'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'ros' / 'lib' / 'librcl.so').touch()
    (tmp_path / 'ours' / 'share' / 'rclpy').mkdir(parents=True)
    (tmp_path / 'ours' / 'lib').symlink_to(tmp_path / 'venv' / 'lib')
    ros, mine, own, linked = (str(tmp_path / name) for name in ('ros', 'mine', 'venv', 'ours'))
    names = ['PYTHONPATH', 'AMENT_PREFIX_PATH', 'LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE']
    code = Path(__file__).parents[2] / 'scripts' / 'environment' / 'foreign_ros.py'
    run = subprocess.run(
        [sys.executable, '-S', '-c', FOREIGN, code, own, *names],
        capture_output=True, text=True, check=True, env={
            'PYTHONPATH': f'{ros}/lib/python{os.pathsep}{mine}',
            'AMENT_PREFIX_PATH': f'{ros}:{own}:{linked}',
            'LD_LIBRARY_PATH': f'{ros}/lib:{own}/lib:{mine}',
            '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
        },
    )  # fmt: skip
    path, *values = run.stdout.strip().split('|')
    assert mine in path
    assert f'{ros}/lib/python' not in path
    assert values == [mine, f'{own}:{linked}', f'{own}/lib:{mine}', 'None']
