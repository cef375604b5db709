# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sets the middleware up so that images arrive; must run before rclpy.init()."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROFILE = Path(__file__).parent / 'fastdds.xml'

SHARED_MEMORY = '/dev/shm'
SEGMENT_BYTES = 36_000_000
"""What a process takes there: fastdds.xml's segment and its ports."""

_PORT = '/fastrtps_port'
_OWN_SETTINGS = (
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTDDS_BUILTIN_TRANSPORTS',
)


def middleware_settings() -> dict[str, str]:
    """Return environment variables that name our profile; none if the user has settings."""
    if any(name in os.environ for name in _OWN_SETTINGS):
        return {}
    if not _shared_memory_has_room():
        return {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}
    # Jazzy's Fast DDS reads the first name, Kilted's and later the second.
    return {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE),
    }


def prepare_middleware() -> None:
    """Name the profile of shared memory to Fast DDS, unless the user has settings of their own."""
    settings = middleware_settings()
    os.environ.update(settings)
    if 'FASTDDS_BUILTIN_TRANSPORTS' in settings:
        print(
            f'fer_ros: {SHARED_MEMORY} has less than {SEGMENT_BYTES // 1_000_000} MB to write to: '
            'images go by UDP, where some get lost (docker run --shm-size=256m)',
            file=sys.stderr,
        )


def _shared_memory_has_room() -> bool:
    """Return whether our segment fits; Fast DDS ends with SIGBUS where its pages do not."""
    try:
        room = os.statvfs(SHARED_MEMORY)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize > SEGMENT_BYTES and os.access(SHARED_MEMORY, os.W_OK)


LOST_LISTENER = (
    'a program that listened here was killed, and Fast DDS still sends to its shared memory: '
    'listeners that are started now may get nothing (Fast DDS issue 5469); restart this node'
)


def has_stale_shm() -> bool:
    """Return whether this process holds the shared memory of a listener that was killed.

    Whoever listens next makes new memory of the same name; Fast DDS up to 2.14 does not notice.
    """
    maps = Path('/proc/self/maps')
    if not maps.is_file():
        return False
    with maps.open(encoding='utf-8', errors='replace') as lines:
        return any(_PORT in line and line.endswith('(deleted)\n') for line in lines)
