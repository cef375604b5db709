# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from fer_ros import __version__

LIBRARIES = ('ai-edge-litert', 'opencv-python-headless', 'numpy')


def _processor() -> str:
    """Return the processor's name, which Python gives on Linux only as 'x86_64'."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text(encoding='utf-8').splitlines() if info.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return 'of the system'


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions, and how busy it is just now."""
    return {
        'processor': _processor(),
        'cores': len(psutil.Process().cpu_affinity()),
        'memory_gb': round(psutil.virtual_memory().total / 2**30, 1),
        'system': f'{platform.system()} {platform.release()}',
        'python': platform.python_version(),
        'fer_ros': __version__,
        'libraries': {name: _version(name) for name in LIBRARIES},
        'load_before': round(psutil.getloadavg()[0], 2),
    }


def describe_in_words(machine: dict[str, Any]) -> str:
    """Return one line for people."""
    libraries = ', '.join(f'{name} {number}' for name, number in machine['libraries'].items())
    return (
        f'{machine["processor"]}, {machine["cores"]} cores, {machine["memory_gb"]} GB, '
        f'{machine["system"]}, Python {machine["python"]}, {libraries}; '
        f'load at the start: {machine["load_before"]}'
    )
