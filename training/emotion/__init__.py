# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of emotion models: data, networks, train, tune, export."""
