# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The images of a recording as a stream, like those of a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fer_ros.data.bag_reader import BagReader, is_recording, recordings_in
from fer_ros.data.bags import BagClock, bag_images, image_topic
from fer_ros.errors import ImageError
from fer_ros.types import UInt8Array


def is_bag(path: Path) -> bool:
    """Return whether a path looks like a recording: a .mcap, .db3 or .bag file, or their folder."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or bool(recordings_in(path))
    return is_recording(path)


class BagSource:
    """A recording's images, at their times since the first one.

    Attributes:
        rate_hz: frames per second on average.
        frame_count: how many images there are.
        frames_read: so far; those that cannot be read are left out.
    """

    def __init__(self, path: Path, topic: str = '') -> None:
        """Open a recording.

        Args:
            path: its folder or file.
            topic: of the images; may be left out if there is only one such topic.

        Raises:
            SourceError: it cannot be read, or its images not be told apart.
        """
        self._reader = BagReader(path)
        try:
            self.topic = image_topic(self._reader, topic)
            self._times_s = BagClock(self._reader, self.topic).times_s
        except BaseException:
            self._reader.close()
            raise
        length_s = float(self._times_s[-1])
        self.frame_count, self.frames_read = len(self._times_s), 0
        self.rate_hz = (self.frame_count - 1) / length_s if length_s > 0 else 1.0
        self._bad: list[str] = []

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield every image that can be read."""
        self._bad, self.frames_read = [], 0
        for stamp_s, item in zip(self._times_s, bag_images(self._reader, self.topic)):
            if isinstance(item.image, ImageError):
                self._bad.append(str(item.image))
                continue
            self.frames_read += 1
            yield float(stamp_s), item.image

    def problem(self) -> str:
        """Return how many images cannot be read, and why the first of them; '' if all can."""
        remarks = [*self._reader.remarks]
        if self._bad:
            remarks.append(f'{len(self._bad)} images cannot be read: {self._bad[0]}')
        return '; '.join(remarks)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()
