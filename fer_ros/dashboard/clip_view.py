# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Shows a clip that was read: its annotated video, linked with a lane for each person."""

from __future__ import annotations

from fer_ros.dashboard.clip import Clip
from fer_ros.dashboard.clip_report import lanes_html
from fer_ros.dashboard.player import component


def show_clip(clip: Clip) -> None:
    """Show the video at the moment with most people, and the lanes below it."""
    fullest = max(clip.frames, key=lambda frame: len(frame.faces))
    data = {
        'clip': clip.video.name,
        'lanes': lanes_html(clip),
        'start': fullest.stamp_s - clip.frames[0].stamp_s,
        'end': max(clip.length_s, 1e-3),
    }
    component('clip')(key='clip view', data=data)
