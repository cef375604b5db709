# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the build farm asks of both packages before it builds them.

FER_ROSDISTRO=FOLDER names a checkout of github.com/ros/rosdistro, whose keys are asked for then.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

catkin_pkg = pytest.importorskip('catkin_pkg.package', reason='catkin_pkg is not installed')
packages = pytest.importorskip('catkin_pkg.packages', reason='catkin_pkg is not installed')

UBUNTU = {'jazzy': 'noble', 'kilted': 'noble', 'lyrical': 'resolute', 'rolling': 'resolute'}


@pytest.fixture(scope='module')
def workspace(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp('release')
    subprocess.run([root / 'scripts' / 'workspace', '--copy', folder], check=True)
    return folder


def test_catkin_pkg_finds_and_accepts_both(workspace: Path) -> None:
    found = packages.find_packages(str(workspace / 'src'))
    assert sorted(found) == ['fer_msgs', 'fer_ros']
    for package in found.values():
        warnings: list[str] = []
        package.validate(warnings=warnings)
        assert warnings == []
        assert package.urls
    assert packages.verify_equal_package_versions(found.values())


@pytest.mark.filterwarnings('ignore::DeprecationWarning')  # of catkin_pkg
@pytest.mark.parametrize('distribution', UBUNTU)
def test_rosdep_knows_every_key(workspace: Path, distribution: str) -> None:
    if 'FER_ROSDISTRO' not in os.environ:
        pytest.skip('FER_ROSDISTRO names no checkout of rosdistro')
    index = Path(os.environ['FER_ROSDISTRO'])
    known = _released(index / distribution / 'distribution.yaml')
    for name in ('base', 'python'):
        rules = yaml.safe_load((index / 'rosdep' / f'{name}.yaml').read_text())
        known |= {key for key, rule in rules.items() if _on_ubuntu(rule, UBUNTU[distribution])}
    for name, package in packages.find_packages(str(workspace / 'src')).items():
        package.evaluate_conditions({'ROS_DISTRO': distribution})
        needed = {
            dependency.name
            for kind in ('build', 'buildtool', 'exec', 'test')
            for dependency in package[f'{kind}_depends']
            if dependency.evaluated_condition
        }
        assert len(needed) > 4
        assert needed - known - {'fer_msgs'} == set(), name


def _released(path: Path) -> set[str]:
    repositories = yaml.safe_load(path.read_text())['repositories']
    return {
        package
        for name, repository in repositories.items()
        if repository.get('release', {}).get('version')
        for package in repository['release'].get('packages', [name])
    }


def _on_ubuntu(rule: dict, release: str) -> bool:
    found = rule.get('ubuntu')
    if isinstance(found, dict) and not found.keys() & {'pip', 'apt', 'packages'}:
        found = found.get(release, found.get('*'))
    return bool(found)
