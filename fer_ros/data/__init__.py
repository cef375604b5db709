# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Data sets, label files and bags: whatever is read for evaluation or training."""
