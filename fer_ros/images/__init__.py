# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Untrusted images decoded within limits, image sources, video files."""
