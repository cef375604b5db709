# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where images come from: a camera, a video or stream, photos, or the demo's people."""

from __future__ import annotations

import glob
import math
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2

from fer_ros.errors import ImageError, SourceError, named_path
from fer_ros.images.decoding import read_image
from fer_ros.images.demo import DemoSource
from fer_ros.types import UInt8Array

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.dib', '.webp', '.tif',
                  '.tiff', '.gif', '.pgm', '.ppm', '.pbm', '.pnm', '.heic', '.heif',
                  '.avif')  # fmt: skip
ADDRESS = re.compile(r'[a-z][a-z0-9+.-]*://', re.IGNORECASE)
OPEN_TIMEOUT_MS = 10_000
MAX_RATE_HZ = 240.0
"""Above this a container states the unit of its times, not a frame rate."""

_FRAMES_OF_TIME = getattr(cv2, 'CAP_PROP_PTS', cv2.CAP_PROP_POS_FRAMES)
"""A frame's own time at the frame rate; OpenCV before 4.12 has no word for it."""

MAX_DAMAGED_IN_A_ROW = 250
JUMP_BACK_S = 1.0


class ImageSource(Protocol):
    """A stream of images with their times.

    Attributes:
        rate_hz: frames per second.
    """

    rate_hz: float

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield (stamp in seconds, uint8 (H, W, 3) BGR) until the source ends."""

    def problem(self) -> str:
        """Return what could not be read so far, in a sentence; '' if everything could."""

    def close(self) -> None:
        """Give the device or file back."""


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key by which frame_2 comes before frame_10."""
    parts = re.split(r'(\d+)', path.name.lower())
    return [(0, int(p), '') if p.isdecimal() else (1, 0, p) for p in parts if p]


def is_hidden(path: Path) -> bool:
    """Return whether a system or an editor left a file or folder behind."""
    return path.name.startswith('.') or path.name in ('__MACOSX', 'Thumbs.db', 'desktop.ini')


def find_images(folder: Path) -> list[Path]:
    """Return the images in a folder, in natural order; hidden files are no images.

    Raises:
        SourceError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise SourceError(f'folder {folder} does not exist')
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(path) and not path.is_dir()
    ]
    if not paths:
        raise SourceError(f'folder {folder} holds no images ({", ".join(IMAGE_SUFFIXES)})')
    return sorted(paths, key=natural_order)


def open_source(
    text: str, size_wh: tuple[int, int] = (640, 480), rate_hz: float = 0.0
) -> ImageSource:
    """Return what a user's word for a source means.

    Args:
        text: 'demo', a camera's number or /dev/video*, an address (http, rtsp …), a folder of
            photos, a pattern such as 'frames/*.png', a photo, or a video file.
        size_wh: width and height to ask a camera for.
        rate_hz: frames per second of a camera, of photos or of the demo; 0 for their usual ones.

    Raises:
        SourceError: it cannot be opened.
    """
    if text == 'demo':
        return DemoSource(size_wh, rate_hz or 30.0)
    if text.isdecimal() or text.startswith('/dev/'):
        return CameraSource(int(text) if text.isdecimal() else text, size_wh, rate_hz or 30.0)
    if ADDRESS.match(text):
        return VideoSource(text)
    path = named_path(text, SourceError)
    if path.is_dir():
        return PhotoSource(find_images(path), rate_hz or 1.0)
    if not path.exists() and glob.has_magic(text):
        return PhotoSource(match_photos(text), rate_hz or 1.0)
    if path.suffix.lower() in IMAGE_SUFFIXES and path.suffix.lower() != '.gif':
        return PhotoSource([path], rate_hz or 1.0)
    return VideoSource(path)


def match_photos(pattern: str) -> list[Path]:
    """Return the files that match a shell's pattern, in natural order.

    Raises:
        SourceError: there is none.
    """
    path = named_path(pattern, SourceError)
    found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    files = [path for path in found if path.is_file() and not is_hidden(path)]
    if not files:
        raise SourceError(f'nothing matches {pattern}')
    return sorted(files, key=natural_order)


class CameraSource:
    """A camera that this computer has; images carry the wall clock's time."""

    def __init__(
        self, device: int | str, size_wh: tuple[int, int] = (640, 480), rate_hz: float = 30.0
    ) -> None:
        """Open a camera.

        Args:
            device: its number, or a path such as /dev/video0.
            size_wh: width and height to ask for; the camera may give others.
            rate_hz: frames per second to ask for.

        Raises:
            SourceError: there is no such camera, or another program has it.
        """
        # V4L2 by name: other back ends of OpenCV take a number for a file name.
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                f'camera {device} (is it plugged in, may this user read it, is it in use?) '
                'cannot be opened'
            )
        self.rate_hz = _usual_rate(self._capture)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
        self._capture.set(cv2.CAP_PROP_FPS, rate_hz)
        self.device = device

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield images as they come; SourceError when the camera stops giving any."""
        while True:
            read, image = self._capture.read()
            if not read:
                raise SourceError(f'camera {self.device} gives no more images (unplugged?)')
            yield time.time(), image

    def problem(self) -> str:
        """Return ''."""
        return ''

    def close(self) -> None:
        """Give the device back."""
        self._capture.release()


def _usual_rate(capture: cv2.VideoCapture) -> float:
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    return rate_hz if math.isfinite(rate_hz) and 0 < rate_hz <= MAX_RATE_HZ else 30.0


class VideoSource:
    """A video file or stream; stamps are the container's own and begin near 0.

    Attributes:
        rate_hz: frames per second on average; 30 where the container states none.
        frame_count: that the container states, or by its length and rate; 0 where it has neither.
        frames_read: so far.
        frames_damaged: so far; reading goes on behind them.
        is_live: whether it comes from an address and has no end that is known.
    """

    def __init__(self, source: Path | str) -> None:
        """Open a video.

        Args:
            source: a file, or an address such as rtsp://host/stream.

        Raises:
            SourceError: it is missing, or no video that can be read.
        """
        self._file = None
        self.name = str(source)
        self.frames_read = self.frames_damaged = 0
        self._end_s, self._is_counted = 0.0, False
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS,
                   cv2.CAP_PROP_READ_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]  # fmt: skip
        if isinstance(source, Path):
            if not source.is_file():
                raise SourceError(f'{source} does not exist')
            problem, target, options = 'damaged, or of an unknown format', str(source), []
            self._is_counted = _states_frames(source)
            if not is_unicode(target):  # as OpenCV needs it
                self._file = source.open('rb')
                target = f'/proc/self/fd/{self._file.fileno()}'
        else:
            problem, target = 'nothing responds there, or it is not a video', source
        self._capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, options)
        if not self._capture.isOpened():
            self.close()
            raise SourceError(f'video {source} cannot be opened ({problem})')
        self.rate_hz = _usual_rate(self._capture)
        stated = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = 0 < stated < 1e9 and self.rate_hz == self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_count = int(stated) if known else 0
        self.is_live = isinstance(source, str) and not known

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield every frame that can be read; stamps never run backwards."""
        period_s, stamp_s, offset_s, failed = 1 / self.rate_hz, 0.0, 0.0, 0
        while failed < MAX_DAMAGED_IN_A_ROW:
            read, image = self._capture.read()
            if not read:
                failed += 1
                continue
            self.frames_damaged += failed
            failed = 0
            told_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3 + offset_s
            if self.frames_read == 0:
                stamp_s = max(0.0, told_s) if told_s < JUMP_BACK_S else 0.0
                offset_s += stamp_s - told_s
            elif told_s > stamp_s:
                stamp_s = told_s
            else:
                # Where times stand still or start anew, frames follow one another at their rate.
                offset_s += stamp_s + period_s - told_s
                stamp_s += period_s
            self.frames_read += 1
            # The length of a clip that was cut out of another may include the time before it.
            self._end_s = max(stamp_s, self._capture.get(_FRAMES_OF_TIME) / self.rate_hz)
            yield stamp_s, image

    def problem(self) -> str:
        """Return what was lost, in a sentence, once the video has ended; '' if nothing was."""
        read = f'{self.frames_read} frames were read'
        if not self.frames_read:
            return f'video {self.name} holds no frame that can be read'
        missing = self.frames_damaged
        if self._is_counted:
            missing = max(missing, self.frame_count - self.frames_read)
        if self.frames_damaged or missing > max(1, self.frame_count // 50):
            return f'video {self.name}: {missing} frames are damaged or missing, {read}'
        length_s = self.frame_count / self.rate_hz
        if not self._is_counted and self._end_s < length_s - max(0.5, length_s / 50):
            return (
                f'video {self.name} ends after {self._end_s:.1f} of {length_s:.1f} s: it is cut '
                f'off, or its sound goes on without pictures; {read}'
            )
        return ''

    def close(self) -> None:
        """Give the file or connection back."""
        if hasattr(self, '_capture'):
            self._capture.release()
        if self._file:
            self._file.close()


def _states_frames(path: Path) -> bool:
    """Return whether a video's container states its number of frames.

    Of others (Matroska, WebM) OpenCV makes one up of length and rate, which is far too large where
    the rate varies.
    """
    with path.open('rb') as file:
        head = file.read(12)
    return head[4:8] == b'ftyp' or head[:4] == b'RIFF'


def is_unicode(text: str) -> bool:
    """Return whether a file name is valid UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class PhotoSource:
    """Photos, one after the other.

    Attributes:
        paths: in their order.
        rate_hz: frames per second.
        frame_count: how many there are.
        frames_read: so far; those that cannot be read are left out.
    """

    def __init__(self, paths: Sequence[Path], rate_hz: float = 1.0) -> None:
        """Remember them; they are read when their turn comes."""
        self.paths = list(paths)
        self.rate_hz = rate_hz
        self.frame_count = len(self.paths)
        self.frames_read = 0
        self._bad: list[str] = []

    def __iter__(self) -> Iterator[tuple[float, UInt8Array]]:
        """Yield every photo that can be read; ImageError if none can."""
        self._bad, self.frames_read = [], 0
        for number, path in enumerate(self.paths):
            try:
                image = read_image(path)
            except ImageError as error:
                self._bad.append(str(error))
                continue
            self.frames_read += 1
            yield number / self.rate_hz, image
        if not self.frames_read:
            raise ImageError(self.problem())

    def problem(self) -> str:
        """Return how many photos cannot be read, and why the first of them."""
        if not self._bad:
            return ''
        return f'{len(self._bad)} of {self.frame_count} photos were left out: {self._bad[0]}'

    def close(self) -> None:
        """Nothing is held open."""
