# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Clones of the project to set up, and what setting them up prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NOWHERE = {
    'PIP_CONFIG_FILE': os.devnull, 'PIP_INDEX_URL': 'http://127.0.0.1:9/simple',
    'PIP_RETRIES': '0', 'UV_HTTP_RETRIES': '0', 'UV_NO_CACHE': '1',
}  # fmt: skip
"""Variables that name a package registry where every connection is refused."""


def copy_clone(target: Path) -> Path:
    """Copy what belongs to the project, and no environment, to *target*; return it."""
    ignored = shutil.ignore_patterns('.*', '__pycache__', 'build', 'install', 'log', 'runs')
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


def variables(clone: Path, **more: str) -> dict[str, str]:
    return {'PATH': os.environ['PATH'], 'HOME': str(clone), 'PYTHON': sys.executable, **more}


def bootstrap(clone: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / 'scripts' / 'bootstrap', *arguments],
        capture_output=True, text=True, timeout=120, env=variables(clone, **more), cwd='/',
    )  # fmt: skip


def assert_one_sentence(run: subprocess.CompletedProcess[str], *words: str) -> None:
    assert run.returncode == 1, run.stdout + run.stderr
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith('fer_ros: ')
    for word in words:
        assert word in line
