# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How ROS names what belongs to a camera."""

from __future__ import annotations


def camera_info_topic(image_topic: str) -> str:
    """Return the camera_info beside an image topic: /cam/image_raw has /cam/camera_info."""
    folder, slash, _ = image_topic.rpartition('/')
    return f'{folder}{slash}camera_info'


def optical_frame(namespace: str) -> str:
    """Return the frame of a camera's images (REP-103), a different one in each namespace."""
    return f'{namespace.strip("/") or "camera"}_optical_frame'
