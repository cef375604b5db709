# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faces to emotions: alignment, quality, preprocessing and the models that classify."""
