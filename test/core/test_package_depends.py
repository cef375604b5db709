# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""package.xml names everything that the code imports, by the keys that rosdep knows."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from xml.etree import ElementTree

PYTHON_KEYS = {
    'PIL': 'python3-pil',
    'cv2': 'python3-opencv',
    'flatbuffers': 'python3-flatbuffers',
    'matplotlib': 'python3-matplotlib',
    'numpy': 'python3-numpy',
    'psutil': 'python3-psutil',
    'rich': 'python3-rich',
    'skimage': 'python3-skimage',
    'typing_extensions': 'python3-typing-extensions',
    'yaml': 'python3-yaml',
}
"""Keys of rosdistro's rosdep/python.yaml, looked up in its state of 2026-08-22."""

BY_PIP = {'ai_edge_litert', 'rosbags'}
"""In requirements/runtime.txt: rosdep has no key, or only one that calls pip as well."""

WITH_ROSBAGS = {'backports', 'compression', 'lz4'}
"""What rosbags itself reads compressed bags with."""

OPTIONAL = {'av', 'keras', 'onnxruntime', 'pillow_heif', 'ray', 'starlette', 'streamlit', 'uvicorn'}
"""Asked for by a backend, the dashboard or a cluster; the error says what to install."""

AT_RUN_TIME = {
    'foxglove_msgs', 'geometry_msgs', 'hri_msgs', 'lifecycle_msgs', 'ros2launch', 'rviz2',
    'v4l2_camera', 'vision_msgs',
}  # fmt: skip
"""Needed by what no file imports: launch files, and messages that are loaded by name."""


def imported(root: Path) -> set[str]:
    """Return the top-level modules that the package and its launch files import."""
    names: set[str] = set()
    for path in [*(root / 'fer_ros').rglob('*.py'), *(root / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition('.')[0])
    return names - sys.stdlib_module_names - {'fer_ros'}


def declared(root: Path, *kinds: str) -> set[str]:
    package = ElementTree.parse(root / 'package.xml').getroot()
    return {element.text or '' for kind in kinds for element in package.iter(kind)}


def test_imports_and_dependencies_agree(root: Path) -> None:
    others = BY_PIP | WITH_ROSBAGS | OPTIONAL
    needed = {PYTHON_KEYS.get(name, name) for name in imported(root) - others}
    found = declared(root, 'depend', 'exec_depend')
    assert needed <= found
    assert found - needed <= AT_RUN_TIME


def test_what_pip_brings_is_pinned(root: Path) -> None:
    pinned = (root / 'requirements' / 'runtime.txt').read_text()
    assert all(f'\n{name.replace("_", "-")}==' in pinned for name in BY_PIP)


def test_hri_msgs_is_not_asked_for_where_it_was_not_released(root: Path) -> None:
    package = ElementTree.parse(root / 'package.xml').getroot()
    (bridge,) = [e for e in package.iter('exec_depend') if e.text == 'hri_msgs']
    assert bridge.get('condition') == '$ROS_DISTRO != kilted'
