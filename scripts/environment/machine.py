# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the machine must have, checked before anything is made."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from errors import SetupError

NEEDED_MB = {'runtime': 800, 'dashboard': 1200, 'test': 3500}
"""Room for an environment with these packages."""


def check_platform() -> None:
    """Raise SetupError where ROS 2's wheels do not run."""
    if platform.system() != 'Linux' or platform.machine() != 'x86_64':
        raise SetupError(
            'ROS 2 comes as wheels for x86-64 Linux only (this is '
            f'{platform.system()} {platform.machine()}); on other machines install ROS 2 Jazzy '
            'and build with colcon (README, "On a robot").'
        )
    library, version = platform.libc_ver()
    if library != 'glibc' or tuple(map(int, version.split('.'))) < (2, 28):
        raise SetupError(
            f'ROS 2 comes as wheels for glibc 2.28 or later (this is {library or "another libc"} '
            f'{version}); use a distribution such as Debian 11, Ubuntu 20.04 or newer ones.'
        )


def check_path(folder: Path) -> None:
    """Raise SetupError if Python or ROS cannot work in *folder*."""
    for character, name in ((':', 'a colon'), ('\n', 'a line break')):
        if character in str(folder):
            raise SetupError(
                f'the path {str(folder)!r} holds {name}, which parts the folders of a search path; '
                'move the project, or name another folder for the environment: FER_VENV=/path.'
            )


def check_room(folder: Path, packages: str) -> None:
    """Raise SetupError if *packages* do not fit on the disk of *folder*."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(there, os.W_OK):
        raise SetupError(
            f'{there} cannot be written to by this user; name another folder: FER_VENV=/path.'
        )
    free_mb = shutil.disk_usage(there).free // 1_000_000
    if free_mb < NEEDED_MB[packages]:
        raise SetupError(
            f'{folder} needs about {NEEDED_MB[packages]} MB, and {free_mb} MB are free there; make '
            'room, or name a folder on another disk: FER_VENV=/path.'
        )


def compiler() -> str | None:
    """Return the C++ compiler: what CXX names, or the first of the usual names."""
    names = [os.environ['CXX']] if os.environ.get('CXX') else ['c++', 'g++', 'clang++']
    return next(filter(None, map(shutil.which, names)), None)


def check_tools(has_uv: bool) -> None:
    """Raise SetupError if a program or file that the set-up needs is missing; names all at once.

    Args:
        has_uv: whether uv is there already; without it, pip brings it.
    """
    is_default = Path(sys.executable).name == 'python3'
    version = '3' if is_default else '.'.join(map(str, sys.version_info[:2]))
    missing: dict[str, tuple[str, str]] = {}
    if compiler() is None:
        missing['a C++ compiler'] = ('g++', 'gcc-c++')
    headers = Path(sysconfig.get_paths()['include'])
    if not (headers / 'Python.h').is_file():
        needed = f'python{version}-dev', f'python{version}-devel'
        missing[f"Python's headers ({headers}/Python.h)"] = needed
    if not has_uv and not any(map(importlib.util.find_spec, ('pip', 'ensurepip'))):
        missing['the venv module'] = f'python{version}-venv', f'python{version}-pip'
    if not missing:
        _check_compiler(headers)
        return
    apt, dnf = (' '.join(names) for names in zip(*missing.values()))
    raise SetupError(
        f'{" and ".join(missing)} is needed and was not found; install what is missing: '
        f'apt install {apt} (Debian, Ubuntu) or dnf install {dnf} (Fedora, RHEL).'
    )


def _check_compiler(headers: Path) -> None:
    """Raise SetupError if the compiler cannot make a Python module."""
    program = '#include <string>\n#include <Python.h>\n'
    run = subprocess.run(
        [compiler() or '', '-fPIC', '-shared', f'-I{headers}', '-x', 'c++', '-', '-o', os.devnull],
        input=program, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        lines = [line for line in run.stderr.splitlines() if 'error' in line] or ['no message']
        raise SetupError(
            f'the C++ compiler {compiler()} does not work: {lines[0].strip()}; install it whole: '
            'apt install g++ python3-dev (Debian, Ubuntu) or dnf install gcc-c++ python3-devel '
            '(Fedora, RHEL).'
        )
