# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's two people, read in this process for everybody who watches."""

from __future__ import annotations

import time
from threading import Lock, Thread

from fer_ros.config import replace
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.drawing.annotation import annotate
from fer_ros.images.demo import DemoSource
from fer_ros.pipeline import EmotionPipeline

RATE_HZ = 15.0
IDLE_S = 0.2


class DemoPlayer:
    """Plays while somebody watches its view, and rests otherwise."""

    def __init__(self) -> None:
        """Load models and photos; raises ModelError or SourceError."""
        self.view = SETTINGS.clips['demo'] = CameraView('demo')
        self.hides_faces = False
        self._pipeline = EmotionPipeline(SETTINGS.pipeline)
        self._source = DemoSource(rate_hz=RATE_HZ)
        self._between_frames = Lock()
        Thread(target=self._run, name='demo_player', daemon=True).start()

    def change(self, settings: dict[str, float | int]) -> None:
        """Adopt settings, named 'section.field', with the next frame."""
        with self._between_frames:
            self._pipeline.reconfigure(replace(SETTINGS.pipeline, dict(settings)))

    def _run(self) -> None:
        while True:
            if not self.view.is_watched:
                time.sleep(IDLE_S)
                continue
            stamp_s = time.monotonic()
            image = self._source.at(stamp_s)
            with self._between_frames:
                frame = self._pipeline.process(image, stamp_s)
            self.view.take_frame(frame, self._pipeline.classifier.card.id)
            self.view.take_image(annotate(image, frame, self.hides_faces))
            time.sleep(max(0.0, stamp_s + 1 / RATE_HZ - time.monotonic()))
