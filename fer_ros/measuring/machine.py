# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fer_ros import __version__

LIBRARIES = ('ai-edge-litert', 'opencv-python-headless', 'numpy')


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text(encoding='utf-8').splitlines()
    except OSError:
        return ''
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith(key)), '')


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return 'of the system'


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions, and how busy it is just now."""
    memory = _first('/proc/meminfo', 'MemTotal').split(' ')[0]
    return {
        'processor': _first('/proc/cpuinfo', 'model name') or platform.processor(),
        'cores': len(os.sched_getaffinity(0)),
        'memory_gb': round(int(memory) / 2**20, 1) if memory else None,
        'system': f'{platform.system()} {platform.release()}',
        'python': platform.python_version(),
        'fer_ros': __version__,
        'libraries': {name: _version(name) for name in LIBRARIES},
        'load_before': round(os.getloadavg()[0], 2),
    }


def describe_in_words(machine: dict[str, Any]) -> str:
    """Return one line for people."""
    libraries = ', '.join(f'{name} {number}' for name, number in machine['libraries'].items())
    return (
        f'{machine["processor"]}, {machine["cores"]} cores, {machine["memory_gb"]} GB, '
        f'{machine["system"]}, Python {machine["python"]}, {libraries}; '
        f'load when it began: {machine["load_before"]}'
    )
