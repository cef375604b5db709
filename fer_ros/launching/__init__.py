# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files describe, as plain data (plans), and the layer that gives it to launch.

Only ``actions`` imports ROS's ``launch``; arguments, processes and plans are tested without it.
"""
