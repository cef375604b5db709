# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training on a machine that is borrowed for minutes and reaches nothing outside itself."""
