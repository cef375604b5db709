# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One module a command: ``add_parser(subparsers)`` and the function it runs."""
