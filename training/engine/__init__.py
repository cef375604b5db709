# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What training any model needs: checkpoints, averages, schedules, curves."""
