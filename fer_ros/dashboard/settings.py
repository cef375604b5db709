# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the command line tells the pages, and what all viewers share; set once, before serving."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

from fer_ros.config import PipelineConfig
from fer_ros.dashboard.camera_view import CameraView


class Feed(Protocol):
    """Where the live page gets its cameras from."""

    def cameras(self) -> dict[str, CameraView]:
        """Return what is known of each camera, by the topic of its emotions."""

    def set_enabled(self, topic: str, enabled: bool) -> tuple[bool, str]:
        """Enable or disable a camera's emotion node; returns success and what to say."""

    def set_model(self, topic: str, model: str, backend: str) -> tuple[bool, str]:
        """Make a camera's emotion node use another model; returns success and what to say."""

    def set_parameters(self, topic: str, values: dict[str, Any]) -> tuple[bool, str]:
        """Set parameters of a camera's emotion node; returns success and what to say."""

    def close(self) -> None:
        """End the feed."""


@dataclass(eq=False)
class Video:
    """An MP4 file that a page refers to by a secret name, for as long as the page holds it."""

    content: bytes
    name: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class DashboardSettings:
    """Shared by every page.

    Attributes:
        pipeline: for photos and clips.
        feed: None where ROS is not installed.
        no_feed_reason: why there is none.
        reports: folders whose reports are offered.
        models: card files offered beside the shipped ones.
        clips: views of the clips that are played at this moment.
        videos: of the clips that viewers look at.
    """

    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    feed: Feed | None = None
    no_feed_reason: str = ''
    reports: Path | None = None
    models: Sequence[Path] = ()
    clips: dict[str, CameraView] = field(default_factory=dict)
    videos: WeakValueDictionary[str, Video] = field(default_factory=WeakValueDictionary)

    def view(self, name: str) -> CameraView | None:
        """Return the view of a camera (by the topic of its emotions) or of a clip."""
        cameras = self.feed.cameras() if self.feed else {}
        return self.clips.get(name) or cameras.get(name)


SETTINGS = DashboardSettings()
