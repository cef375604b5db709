# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Training of the built-in face detector: label, train, export."""
