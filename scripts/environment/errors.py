# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error of the set-up."""


class SetupError(Exception):
    """What stops the set-up, in one sentence that names the thing and what to do."""
