# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_ros.errors import ImageError, SourceError
from fer_ros.images.decoding import read_image
from fer_ros.images.demo import DemoSource
from fer_ros.images.sources import CameraSource, VideoSource, find_images, open_source
from fer_ros.images.video_writer import VideoWriter


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten frames at 20 a second, each of its own grey."""
    path = tmp_path / 'clip.mp4'
    with VideoWriter(path, 20.0) as writer:
        for n in range(10):
            writer.write(np.full((64, 96, 3), 20 * n, np.uint8))
    return path


def test_a_video_gives_every_frame_with_its_time_and_ends(clip: Path) -> None:
    frames = list(VideoSource(clip))
    assert [round(stamp, 3) for stamp, _ in frames] == [round(n / 20, 3) for n in range(10)]
    assert all(abs(int(image.mean()) - 20 * n) < 6 for n, (_, image) in enumerate(frames))


@pytest.mark.parametrize('kept', [0, 20, 300])
def test_a_damaged_video_is_named(clip: Path, kept: int) -> None:
    clip.write_bytes(clip.read_bytes()[:kept])
    with pytest.raises(SourceError, match=r'clip\.mp4 cannot be opened \(damaged'):
        VideoSource(clip)


@pytest.mark.parametrize(
    'make, message',
    [
        pytest.param(lambda p: VideoSource(p / 'no.mp4'), r'no\.mp4 does not exist', id='video'),
        pytest.param(lambda p: find_images(p / 'no'), 'no does not exist', id='folder'),
        pytest.param(lambda p: find_images(p), 'holds no images', id='empty folder'),
        pytest.param(lambda p: CameraSource(93), 'camera 93 .* cannot be opened', id='camera'),
        pytest.param(
            lambda p: CameraSource('/dev/no'), '/dev/no .* cannot be opened', id='camera path'
        ),
    ],
)
def test_a_source_that_does_not_open_is_named(tmp_path: Path, make, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        make(tmp_path)


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    for name, grey in (('b.png', 200), ('a.jpg', 100), ('c.txt', 0)):
        encoded = cv2.imencode(
            Path(name).suffix.replace('.txt', '.png'), np.full((8, 8, 3), grey, np.uint8)
        )[1]
        (tmp_path / name).write_bytes(encoded.tobytes())
    assert [int(image.mean()) for _, image in open_source(str(tmp_path))] == [100, 200]


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(None, 'does not exist', id='missing'),
        pytest.param(b'', 'cannot be read|not an image', id='empty'),
        pytest.param(b'hello', 'not an image', id='text'),
        pytest.param(b'\x89PNG\r\n\x1a\n' + bytes(40), 'not an image', id='damaged'),
    ],
)
def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path, content, message: str) -> None:
    path = tmp_path / 'photo.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_the_demo_shows_nobody_one_two_one_and_nobody() -> None:
    source = DemoSource()
    wall = source.at(0.0)
    assert np.array_equal(wall, source.at(9.9))
    differs = [bool((source.at(t) != wall).any()) for t in (0.1, 2.0, 5.0, 8.5, 9.5)]
    assert differs == [False, True, True, True, False]
    left, right = (slice(None, 320), slice(320, None))
    assert np.array_equal(source.at(2.0)[:, 400:], wall[:, 400:])
    assert (source.at(5.0)[:, left] != wall[:, left]).any()
    assert (source.at(5.0)[:, right] != wall[:, right]).any()


@pytest.mark.parametrize('size_wh', [(320, 240), (1280, 720), (33, 17)])
def test_the_demo_has_the_size_asked_for(size_wh: tuple) -> None:
    (_, first), (stamp_s, _) = islice(DemoSource(size_wh, 10.0), 2)
    assert first.shape == (size_wh[1], size_wh[0], 3)
    assert stamp_s == pytest.approx(0.1)


def test_a_video_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises((SourceError, OSError)), VideoWriter(tmp_path / 'file' / 'v.mp4', 30) as w:
        w.write(np.zeros((8, 8, 3), np.uint8))
