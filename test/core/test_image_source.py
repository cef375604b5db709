# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from helpers.matroska import matroska

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
        pytest.param(lambda p: open_source('~nosuchuser/x.mp4'), 'cannot be used', id='user'),
        pytest.param(lambda p: open_source('a' * 300), 'File name too long', id='long name'),
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


@pytest.mark.parametrize(
    'times_ms, expected_s',
    [
        pytest.param([0, 40, 80, 120], [0, 0.04, 0.08, 0.12], id='even'),
        pytest.param([0, 33, 500, 2500, 2533], [0, 0.033, 0.5, 2.5, 2.533], id='variable'),
        pytest.param([5000, 5040, 5080], [0, 0.04, 0.08], id='cut out of another'),
    ],
)
def test_times_are_the_containers(tmp_path: Path, times_ms: list, expected_s: list) -> None:
    path = tmp_path / 'clip.mkv'
    path.write_bytes(matroska(times_ms))
    source = VideoSource(path)
    found = list(source)
    np.testing.assert_allclose([stamp_s for stamp_s, _ in found], expected_s, atol=2e-3)
    assert [round(image.mean() / 10) for _, image in found] == list(range(len(times_ms)))
    assert source.problem() == ''


def test_times_that_stand_still_or_start_anew_go_on(tmp_path: Path) -> None:
    path = tmp_path / 'clip.mkv'
    path.write_bytes(matroska([0, 1000, 1000, 0, 40]))
    stamps_s = [stamp_s for stamp_s, _ in VideoSource(path)]
    assert len(stamps_s) == 5
    assert (np.diff(stamps_s) > 0).all()
    assert stamps_s[-1] < 3


def write_clip(path: Path, times_ms: Sequence[int], sound_s: int = 0) -> Path:
    av = pytest.importorskip('av')
    with av.open(str(path), 'w') as container:
        sound = container.add_stream('libopus', rate=48_000) if sound_s else None
        stream = container.add_stream('libvpx' if path.suffix == '.webm' else 'libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        rng = np.random.default_rng(0)
        for time_ms in times_ms:
            noise = rng.integers(0, 256, (48, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format='bgr24')
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for number in range(50 * sound_s):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), 'fltp', 'mono')
            silence.sample_rate, silence.pts = 48_000, 960 * number
            container.mux(sound.encode(silence))
    return path


@pytest.mark.parametrize('suffix', ['.mp4', '.mkv', '.webm'])
def test_a_frame_rate_that_varies_is_no_damage(tmp_path: Path, suffix: str) -> None:
    times_ms = [0, 100, 200, 300, 1300, 1400, 2900, 3000, 3010, 3020]
    source = VideoSource(write_clip(tmp_path / f'clip{suffix}', times_ms))
    with contextlib.closing(source):
        assert [round(1000 * stamp_s) for stamp_s, _ in source] == times_ms
        assert source.problem() == ''


@pytest.mark.parametrize('suffix', ['.mkv', '.webm'])
def test_a_clip_without_a_count_that_is_cut_off_is_told(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f'clip{suffix}', range(0, 2000, 50))
    path.write_bytes(path.read_bytes()[: round(0.6 * path.stat().st_size)])
    with contextlib.closing(VideoSource(path)) as source:
        read = sum(1 for _ in source)
        assert 15 < read < 35
        assert re.search(r'ends after [01]\.\d of 2\.0 s: it is cut off', source.problem())


@pytest.mark.parametrize('suffix', ['.mkv', '.webm', '.mp4'])
def test_sound_that_lasts_longer_is_no_damage(tmp_path: Path, suffix: str) -> None:
    clip = write_clip(tmp_path / f'clip{suffix}', range(0, 1000, 50), sound_s=3)
    with contextlib.closing(VideoSource(clip)) as source:
        assert len(list(source)) == 20
        problem = source.problem()
    assert not problem if suffix == '.mp4' else 'or its sound goes on without' in problem
    assert 'damaged' not in problem


@pytest.mark.parametrize('suffix', ['.mkv', '.webm'])
def test_a_clip_whose_times_begin_late_lacks_nothing(tmp_path: Path, suffix: str) -> None:
    clip = write_clip(tmp_path / f'clip{suffix}', range(100_000, 102_000, 50))
    with contextlib.closing(VideoSource(clip)) as source:
        assert len(list(source)) == 40
        assert source.problem() == ''


def test_reading_goes_on_behind_damage_and_says_how_much_was_lost(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    clip = tmp_path / 'clip.mp4'
    with VideoWriter(clip, 20.0) as writer:
        for n in range(30):
            writer.write(np.roll(noise, 7 * n, axis=1))
    content = bytearray(clip.read_bytes())
    start, end = (round(share * len(content)) for share in (0.4, 0.6))
    content[start:end] = bytes(end - start)
    clip.write_bytes(content)
    source = VideoSource(clip)
    stamps_s = [stamp_s for stamp_s, _ in source]
    assert 10 < len(stamps_s) < source.frame_count == 30
    assert stamps_s[-1] == pytest.approx(29 / 20, abs=1e-3)
    assert 'frames are damaged or missing' in source.problem()


def test_a_video_at_an_address(clip: Path) -> None:
    handler = functools.partial(QuietHandler, directory=str(clip.parent))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        source = open_source(f'http://127.0.0.1:{server.server_port}/{clip.name}')
        frames = list(source)
        server.shutdown()
    assert len(frames) == source.frame_count


class QuietHandler(SimpleHTTPRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.mark.parametrize('pattern', ['', '*.png', 'frame_?*.png'])
def test_photos_come_in_natural_order_and_bad_ones_are_left_out(
    tmp_path: Path, pattern: str
) -> None:
    for number in (10, 1, 2):
        data = cv2.imencode('.png', np.full((4, 4), number, np.uint8))[1].tobytes()
        (tmp_path / f'frame_{number}.png').write_bytes(data)
    (tmp_path / 'frame_3.png').write_bytes(b'cut off')
    (tmp_path / '.frame_4.png').write_bytes(b'hidden')
    source = open_source(str(tmp_path / pattern))
    assert [int(image[0, 0, 0]) for _, image in source] == [1, 2, 10]
    assert re.match(r'1 of 4 photos were left out: .*frame_3\.png is not', source.problem())


def test_photos_of_which_none_can_be_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'cut off')
    with pytest.raises(ImageError, match='1 of 1 photos were left out'):
        list(open_source(str(tmp_path)))


def test_a_copy_has_a_constant_rate_and_the_length_of_the_original(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / 'copy.mp4', 10.0) as writer:
        for stamp_s in (0.0, 0.1, 0.15, 1.5):
            writer.write(np.zeros((48, 64, 3), np.uint8), stamp_s)
    assert len(list(VideoSource(tmp_path / 'copy.mp4'))) == 16
