# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Facial emotion recognition for robots: image in, who is there and what their face says out."""

__version__ = '0.1.0'
