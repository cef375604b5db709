# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fails on a Python that ROS 2's wheels were not built for; understood by any Python 3."""

import sys
import sysconfig

sys.exit(
    not (3, 10) <= sys.version_info < (3, 15)
    or sys.implementation.name != 'cpython'
    or sys.maxsize < 2**32
    or bool(sysconfig.get_config_var('Py_GIL_DISABLED'))
)
