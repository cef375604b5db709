# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one codec between core types and what leaves the process."""
