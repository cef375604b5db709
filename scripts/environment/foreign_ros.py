# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Leaves out another ROS that the shell has sourced; a .pth file imports this at Python's start.

Its rclpy and its libraries, named by PYTHONPATH and LD_LIBRARY_PATH, would come before this
environment's own. Other folders in those variables stay.
"""

import os
import sys
from pathlib import Path

PREFIX = Path(sys.prefix)


def _is_ours(folder: str) -> bool:
    """Return whether a folder lies in this environment, or its libraries do, by a link."""
    return any(p.is_relative_to(PREFIX) for p in (Path(folder), Path(folder, 'lib').resolve()))


def _without(variable: str, *marks: str) -> list[str]:
    """Take folders that hold one of *marks* out of a path variable; return them."""
    folders = list(filter(None, os.environ.get(variable, '').split(os.pathsep)))
    foreign = [
        folder
        for folder in folders
        if not _is_ours(folder)
        and any(Path(folder, mark).exists() for mark in marks)
    ]
    if foreign:
        os.environ[variable] = os.pathsep.join(f for f in folders if f not in foreign)
    return foreign


# A checkout of this project holds fer_msgs too, but as the source of its messages.
_modules = _without('PYTHONPATH', 'rclpy', 'fer_msgs/__init__.py')
sys.path[:] = [folder for folder in sys.path if folder not in _modules]
_without('AMENT_PREFIX_PATH', 'share/rclpy', 'share/fer_msgs')
_libraries = os.environ.get('LD_LIBRARY_PATH', '').split(os.pathsep)
if _without('LD_LIBRARY_PATH', 'librcl.so') or str(PREFIX / 'lib') not in _libraries:
    # The loader has read the variable already: have ROS's wheels start this Python anew.
    os.environ.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None)
