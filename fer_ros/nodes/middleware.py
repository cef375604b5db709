# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sets the middleware up so that images arrive; must run before rclpy.init()."""

from __future__ import annotations

import os
from pathlib import Path

PROFILE = Path(__file__).parent / 'fastdds.xml'

_OWN_SETTINGS = (
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTDDS_BUILTIN_TRANSPORTS',
)


def middleware_settings() -> dict[str, str]:
    """Return environment variables that name our profile; none if the user has settings."""
    if any(name in os.environ for name in _OWN_SETTINGS):
        return {}
    # Jazzy's Fast DDS reads the first name, Kilted's and later the second.
    return {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE),
    }


def prepare_middleware() -> None:
    """Name the profile of shared memory to Fast DDS, unless the user has settings of their own."""
    os.environ.update(middleware_settings())
