# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What colcon makes of the packages, as on a robot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope='module')
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This environment as CMake can use it.

    The wheels' targets name the include folders of the machine that they were built on.
    """
    prefix = tmp_path_factory.mktemp('prefix')
    for name in ('bin', 'lib', 'include'):
        (prefix / name).symlink_to(Path(sys.prefix, name))
    shutil.copytree(Path(sys.prefix, 'share'), prefix / 'share', symlinks=True)
    for path in prefix.glob('share/**/*.cmake'):
        text = path.read_text(errors='surrogateescape')
        if '/opt/python/cp' in text:
            text = re.sub(r'/opt/python/cp[^;"]*/include/python3\.\d+t?', INCLUDES, text)
            text = re.sub(r'/opt/python/cp[^;"]*/numpy/_core/include', np.get_include(), text)
            path.unlink()
            path.write_text(text, errors='surrogateescape')
    return prefix


INCLUDES = sysconfig.get_paths()['include']


def colcon(*arguments: str, cwd: Path, prefix: Path) -> str:
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


@pytest.mark.slow
def test_plain_colcon_builds_both_packages(tmp_path: Path, prefix: Path) -> None:
    workspace = tmp_path / 'ws'
    subprocess.run([ROOT / 'scripts' / 'workspace', '--copy', workspace], check=True)
    colcon(
        'build', '--merge-install',
        '--cmake-args', f'-DPython3_EXECUTABLE={sys.executable}', '-DBUILD_TESTING=OFF',
        cwd=workspace, prefix=prefix,
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
    # What colcon test runs is our pytest; some of it is enough to see that.
    tested = colcon(
        'test', '--merge-install', '--event-handlers', 'console_direct+',
        '--pytest-args', 'test/core/test_config.py', 'test/launch/test_plans.py',
        cwd=workspace, prefix=prefix,
    )  # fmt: skip
    assert re.search(r'[5-9]\d passed', tested), tested
    assert 'packages finished' in tested
    assert ' 0 errors, 0 failures' in colcon('test-result', '--all', cwd=workspace, prefix=prefix)
