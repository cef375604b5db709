# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Model cards, the weights that come with the package, and more to fetch."""
