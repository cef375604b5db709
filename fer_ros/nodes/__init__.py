# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The only part of fer_ros that knows ROS."""
