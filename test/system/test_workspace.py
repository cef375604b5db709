# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The packages as colcon, rosdep and bloom find them, and what a build farm checks of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from catkin_pkg.package import parse_package
from catkin_pkg.packages import find_packages
from colcon_core.task.python.test import has_test_dependency
from colcon_python_setup_py.package_identification.python_setup_py import get_setup_information


def lay(root: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [root / 'scripts' / 'workspace', *arguments[:-1], folder, *arguments[-1:]]
    return subprocess.run([part for part in command if part], capture_output=True, text=True)


@pytest.mark.parametrize('options', [('',), ('--copy', '')], ids=['links', 'copies'])
def test_both_packages_are_found_side_by_side(
    root: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    run = lay(root, tmp_path, *options)
    assert run.returncode == 0, run.stderr
    warnings: list[str] = []
    found = find_packages(str(tmp_path), warnings=warnings)
    assert {place: package.name for place, package in found.items()} == {
        'src/fer_ros': 'fer_ros', 'src/fer_msgs': 'fer_msgs'
    }  # fmt: skip
    assert warnings == []


def test_colcon_lists_both_without_further_arguments(root: Path, tmp_path: Path) -> None:
    assert lay(root, tmp_path, '').returncode == 0
    run = subprocess.run(
        [Path(sys.executable).parent / 'colcon', '--log-base', os.devnull, 'list', '--names-only'],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.stdout.split() == ['fer_msgs', 'fer_ros'], run.stderr


def test_what_a_distribution_lacks_is_laid_beside_them(root: Path, tmp_path: Path) -> None:
    assert lay(root, tmp_path, 'hri_msgs').returncode == 0
    assert 'src/hri_msgs' in find_packages(str(tmp_path))
    again = lay(root, tmp_path, 'hri_msgs')
    assert again.returncode == 0, again.stderr


def test_nothing_of_somebody_elses_is_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / 'src' / 'fer_msgs').mkdir(parents=True)
    run = lay(root, tmp_path, '')
    assert run.returncode == 1
    assert 'exists already' in run.stderr


@pytest.mark.parametrize('name', ['.', 'fer_msgs', 'examples/greeter_cpp'])
def test_a_package_can_be_released(root: Path, name: str) -> None:
    warnings: list[str] = []
    package = parse_package(str(root / name), warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []
    assert package.package_format == 3
    assert all('@' in str(person.email) for person in package.maintainers)


@pytest.mark.parametrize('name', ['.', 'fer_msgs'])
def test_each_changelog_names_the_version(root: Path, name: str) -> None:
    version = parse_package(str(root / name)).version
    assert f'\n{version} (' in (root / name / 'CHANGELOG.rst').read_text(encoding='utf-8')


def test_colcon_test_takes_pytest(root: Path) -> None:
    """It asks setup.py for this, and takes unittest otherwise, which finds no test here."""
    information = get_setup_information(root / 'setup.py', env=dict(os.environ))
    assert has_test_dependency(information, 'pytest')
