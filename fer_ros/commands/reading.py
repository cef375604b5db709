# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Photos and streams to results: what ``fer run``, ``image``, ``video`` and ``live`` share."""

from __future__ import annotations

import glob
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np

from fer_ros.commands.options import note, progress
from fer_ros.data.bag_source import BagSource
from fer_ros.data.safe_output import unique_names
from fer_ros.drawing.annotation import annotate
from fer_ros.errors import ImageError, SourceError, printable
from fer_ros.images.decoding import decode_image, read_image
from fer_ros.images.sources import (
    ADDRESS,
    ImageSource,
    PhotoSource,
    VideoSource,
    find_images,
    is_hidden,
    match_photos,
)
from fer_ros.images.video_writer import VideoWriter
from fer_ros.messages.json_lines import frame_to_dict, photo_to_dict, to_json
from fer_ros.pipeline import EmotionPipeline
from fer_ros.reader import FaceReader
from fer_ros.types import FrameEmotions, UInt8Array

STDIN = Path('-')
Take = Callable[[int, UInt8Array, FrameEmotions], None]
"""Gets the number of a photo or frame, the image, and what it says."""


def find_photos(texts: Iterable[str]) -> list[Path]:
    """Return the photos that a user's words mean; those of a folder in natural order.

    Raises:
        SourceError: none holds a photo, a pattern matches nothing, or it is an address.
    """
    texts, paths = list(texts), []
    for text in texts:
        if ADDRESS.match(text):
            raise SourceError(f'{text} is an address and no photo file: fer run {text} reads it')
        path = Path(text)
        if path.is_dir():
            paths += _photos_of(path, is_alone=len(texts) == 1)
        elif not path.exists() and glob.has_magic(text):
            paths += match_photos(text)
        else:
            paths.append(path)
    if not paths:
        raise SourceError(f'no photos in {", ".join(texts)}')
    return paths


def _photos_of(folder: Path, is_alone: bool) -> list[Path]:
    """Return the photos of a folder, and say what else is in it; of several one may be empty."""
    try:
        photos = find_images(folder)
    except SourceError as error:
        if is_alone:
            raise
        note(str(error))
        return []
    others = Counter(
        'folders' if path.is_dir() else path.suffix.lower() or 'without a suffix'
        for path in folder.iterdir()
        if path not in photos and not is_hidden(path)
    )
    if others:
        kinds = ', '.join(f'{count} {kind}' for kind, count in others.most_common(5))
        note(f'{folder}: left out as no photos: {kinds}')
    return photos


def annotated_names(paths: Sequence[Path], folder: Path) -> list[str]:
    """Return the file names of the photos' annotated copies in *folder*."""
    named = [Path('stdin') if path == STDIN else path for path in paths]
    return unique_names(named, '.png', folder)


def read_photos(
    paths: Sequence[Path], reader: FaceReader, max_pixels: int, takes: Sequence[Take]
) -> int:
    """Give every photo to *takes*; return 1 if one could not be read, which is said, else 0."""
    failed = 0
    for number, path in enumerate(progress(paths, len(paths), 'photos')):
        try:
            if path == STDIN:
                content = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
                image = decode_image(content, max_pixels=max_pixels)
            else:
                image = read_image(path, max_pixels)
        except ImageError as error:
            note(str(error))
            failed += 1
            continue
        frame = reader.read_photo(image)
        for take in takes:
            take(number, image, frame)
    if failed and len(paths) > 1:
        note(f'{failed} of {len(paths)} photos could not be read')
    return int(failed > 0)


def read_stream(
    images: Iterable[tuple[float, UInt8Array]], pipeline: EmotionPipeline, takes: Sequence[Take]
) -> None:
    """Give every image of a stream to *takes*."""
    for number, (stamp_s, image) in enumerate(images):
        frame = pipeline.process(image, stamp_s)
        for take in takes:
            take(number, image, frame)


def read_recording(
    source: VideoSource | PhotoSource | BagSource,
    name: str,
    pipeline: EmotionPipeline,
    takes: Sequence[Take],
    seconds: float = math.inf,
) -> None:
    """Give every frame before *seconds* to *takes*, and say what could not be read.

    Raises:
        SourceError: no frame can be read.
    """
    images = takewhile(lambda one: one[0] < seconds, source)
    read_stream(progress(images, source.frame_count or None, name), pipeline, takes)
    problem = source.problem()
    if not source.frames_read:
        raise SourceError(problem)
    if problem and seconds == math.inf:
        note(problem)


def in_time(
    source: ImageSource, seconds: float, is_paced: bool = False
) -> Iterator[tuple[float, UInt8Array]]:
    """Yield images until the source or the time ends, with their time since the first one.

    Args:
        source: of the images.
        seconds: how long.
        is_paced: whether the source gives images as fast as they are taken, so that they must
            wait until their time has come; those whose time has passed are left out.
    """
    start_s, first_s, left_out = time.monotonic(), None, 0
    for stamp_s, image in source:
        first_s = stamp_s if first_s is None else first_s
        elapsed_s, due_s = time.monotonic() - start_s, stamp_s - first_s
        if elapsed_s > seconds:
            return
        is_late = is_paced and due_s < elapsed_s - 1.0 / source.rate_hz
        # A source that is slower than its own rate would be left out for ever.
        if is_late and left_out < source.rate_hz:
            left_out += 1
            continue
        left_out = 0
        if is_paced and due_s > elapsed_s:
            time.sleep(due_s - elapsed_s)
        yield due_s, image


class Changes:
    """Prints whose emotion is another than in the frame before."""

    def __init__(self) -> None:
        """Know of nobody."""
        self._labels: dict[int, str] = {}

    def take(self, _number: int, _image: UInt8Array, frame: FrameEmotions) -> None:
        """Print the changes of a frame."""
        self.print_changes(frame, frame.stamp_s)

    def print_changes(self, frame: FrameEmotions, time_s: float) -> None:
        """Print the changes of a frame, whose time is to be shown as *time_s*."""
        before, self._labels = self._labels, {face.track_id: face.label for face in frame.faces}
        for face in frame.faces:
            if before.get(face.track_id) != face.label:
                said = f'person {face.track_id}: {face.label} ({face.confidence:.0%})'
                print(f'{time_s:8.2f} s  {said}', flush=True)
        for track_id in before.keys() - self._labels.keys():
            print(f'{time_s:8.2f} s  person {track_id}: out of view', flush=True)


def print_line(number: int, _image: UInt8Array, frame: FrameEmotions) -> None:
    """Print a frame as a line of JSON."""
    print(to_json(frame_to_dict(frame, number)), flush=True)


def annotated_video(writer: VideoWriter) -> Take:
    """Return what appends the annotated frame to a video."""
    return lambda _number, image, frame: writer.write(annotate(image, frame), frame.stamp_s)


def photo_line(path: Path, frame: FrameEmotions, as_json: bool) -> str:
    """Return what is printed of a photo."""
    if as_json:
        return to_json(photo_to_dict(str(path), frame))
    words = [f'{face.label} {face.confidence:.0%}' for face in frame.faces]
    if len(words) > 1:
        words = [f'{number}: {word}' for number, word in enumerate(words, 1)]
    return f'{printable(str(path))}: {", ".join(words) or "no face"}'


def write_annotated(path: Path, image: UInt8Array, frame: FrameEmotions) -> None:
    """Write an annotated copy of a photo as a PNG file."""
    path.write_bytes(cv2.imencode('.png', annotate(image, frame))[1].tobytes())
