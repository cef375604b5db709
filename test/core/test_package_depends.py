# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""package.xml names every ROS package that the code imports."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

ROS_PACKAGES = re.compile(
    r'^\s*(?:from|import) (\w+_msgs|std_srvs|builtin_interfaces|rcl_interfaces|rclpy|launch|'
    r'launch_ros|ament_index_python|cv_bridge)\b',
    re.MULTILINE,
)


def test_imports_and_dependencies_agree(root: Path) -> None:
    sources = [*(root / 'fer_ros').rglob('*.py'), *(root / 'launch').glob('*.py')]
    imported = {name for path in sources for name in ROS_PACKAGES.findall(path.read_text())}
    package = ElementTree.parse(root / 'package.xml').getroot()
    declared = {e.text for kind in ('depend', 'exec_depend') for e in package.iter(kind)}
    assert imported <= declared
    python = {name for name in declared if name and name.startswith('python3-')}
    assert {'python3-numpy', 'python3-opencv', 'python3-yaml', 'python3-matplotlib'} <= python
    assert declared - imported - python <= {'vision_msgs', 'hri_msgs', 'lifecycle_msgs'}
