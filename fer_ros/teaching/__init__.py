# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An emotion model of one's own from a folder of photos, without a training framework."""
