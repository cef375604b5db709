# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What was read of a clip or a recording: its frames, the annotated video, and who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import cv2
import numpy as np

from fer_ros.dashboard.camera_view import encode
from fer_ros.dashboard.clip_video import ClipVideo
from fer_ros.dashboard.settings import SETTINGS, Video
from fer_ros.types import FaceEmotion, Float32Array, FrameEmotions, UInt8Array

THUMBNAIL_PX = 96
LARGER = 1.1
"""A face so many times as high as the one before makes a better thumbnail."""


@dataclass
class Person:
    """One person of a clip.

    Attributes:
        track_id: as in the annotated video.
        stamps_s: when they were seen, since the clip's first frame.
        rows: their probabilities at each stamp.
        labels: how often each label was published.
        thumbnail: their largest face as JPEG.
        thumbnail_px: how high that face is in the clip.
    """

    track_id: int
    stamps_s: list[float] = field(default_factory=list)
    rows: list[Float32Array] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    thumbnail: bytes = b''
    thumbnail_px: float = 0.0


class Clip:
    """A clip as it is read; ``finish`` when it has been.

    Attributes:
        name: of its file.
        model: that read it.
        frames: what each image says.
        people: by track id.
        video: the annotated images as an MP4 file.
        remarks: what was not read, in a sentence each.
    """

    def __init__(self, name: str, model: str) -> None:
        """Begin without a frame."""
        self.name, self.model = name, model
        self.frames: list[FrameEmotions] = []
        self.people: dict[int, Person] = {}
        self.video = Video(b'')
        self.remarks: list[str] = []
        self._writer = ClipVideo()

    @property
    def length_s(self) -> float:
        """The time from the first frame to the last."""
        return self.frames[-1].stamp_s - self.frames[0].stamp_s if self.frames else 0.0

    @property
    def longest_seen(self) -> list[Person]:
        """The people, those who were seen longest first."""
        return sorted(self.people.values(), key=lambda one: (-len(one.stamps_s), one.track_id))

    def add(self, frame: FrameEmotions, image: UInt8Array, drawn: UInt8Array) -> None:
        """Take one more frame.

        Args:
            frame: what it says.
            image: to cut thumbnails from, uint8 (H, W, 3) BGR.
            drawn: the annotated one.
        """
        self._writer.write(drawn, frame.stamp_s)
        self.frames.append(frame)
        for face in frame.faces:
            person = self.people.setdefault(face.track_id, Person(face.track_id))
            person.stamps_s.append(self.length_s)
            person.rows.append(face.probabilities)
            person.labels[face.label] += 1
            height_px = float(face.box_xyxy[3] - face.box_xyxy[1])
            if height_px > LARGER * person.thumbnail_px:
                person.thumbnail, person.thumbnail_px = encode(thumbnail(image, face)), height_px

    def finish(self) -> None:
        """Complete the video, and let the viewer's browser have it."""
        self.video = Video(self._writer.finish())
        SETTINGS.videos[self.video.name] = self.video


def thumbnail(image: UInt8Array, face: FaceEmotion) -> UInt8Array:
    """Return a face as uint8 (THUMBNAIL_PX, THUMBNAIL_PX, 3) BGR."""
    left, top, right, bottom = (round(float(n)) for n in face.box_xyxy)
    crop = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
