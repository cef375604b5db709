# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Annotated images, text and the style of plots: always on a copy."""
