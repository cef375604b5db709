# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the dashboard is made of, without a browser and without ROS."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_ros.dashboard import camera_view
from fer_ros.dashboard.access import (
    GUESS_S,
    MAX_GUESSES,
    TokenMiddleware,
    WrongTokens,
    is_loopback,
)
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.clip import Clip
from fer_ros.dashboard.clip_report import lanes_html, report_html
from fer_ros.dashboard.figures import find_measurements
from fer_ros.dashboard.report_page import _find
from fer_ros.dashboard.settings import SETTINGS
from fer_ros.drawing.plot_style import COLOURS
from fer_ros.evaluation.html_report import confusion_svg, robustness_svg
from fer_ros.labels import EMOTIONS
from fer_ros.types import FaceEmotion, FrameEmotions


def make_frame(*labels: str) -> FrameEmotions:
    faces = [
        FaceEmotion(
            n + 1, np.array([0, 0, 9, 9], np.float32), np.zeros((5, 2), np.float32), 0.9,
            np.eye(8, dtype=np.float32)[0], np.full(8, 0.125, np.float32), label, 0.125, ('dark',),
        )
        for n, label in enumerate(labels)
    ]  # fmt: skip
    return FrameEmotions(0.0, (480, 640), EMOTIONS, tuple(faces))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def time(self) -> float:
        return self.now_s

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(camera_view, 'time', clock)
    return clock


def test_a_camera_without_results_says_so() -> None:
    state = CameraView('/emotions').snapshot(0.0)
    assert state['age_s'] is None
    assert state['faces'] == []
    assert state['rate_hz'] == 0.0


def test_a_snapshot_holds_smoothed_and_raw_and_the_reasons(clock: Clock) -> None:
    view = CameraView('/emotions')
    view.take_frame(make_frame('happy', 'unknown'), 'a model 1.0')
    clock.now_s += 0.5
    state = view.snapshot(0.0)
    assert state['age_s'] == 0.5
    assert state['model'] == 'a model 1.0'
    assert [face['label'] for face in state['faces']] == ['happy', 'unknown']
    assert state['faces'][0]['raw'] == [1.0, 0, 0, 0, 0, 0, 0, 0]
    assert state['faces'][0]['probabilities'] == [0.125] * 8
    assert state['faces'][0]['quality'] == ['dark']


def test_classes_of_one_s_own_have_colours_on_the_page() -> None:
    view = CameraView('/emotions')
    view.take_frame(FrameEmotions(0.0, (480, 640), ('happy', 'bored')), 'own')
    colours = view.snapshot(0.0)['colours']
    assert list(colours) == ['happy', 'bored', 'unknown']
    assert colours['bored'] == COLOURS['bored'] != COLOURS['happy']


def test_the_rate_is_that_of_the_last_seconds(clock: Clock) -> None:
    view = CameraView('/emotions')
    for _ in range(100):
        clock.now_s += 0.1
        view.take_frame(make_frame(), '')
    assert view.snapshot(0.0)['rate_hz'] == pytest.approx(10.0, abs=0.3)
    clock.now_s += 6.0
    assert view.snapshot(0.0)['rate_hz'] == 0.0


def test_the_timeline_does_not_grow_and_is_handed_out_in_parts(clock: Clock) -> None:
    view = CameraView('/emotions')
    for _ in range(20_000):
        clock.now_s += 0.033
        view.take_frame(make_frame('sad'), '')
    samples = view.snapshot(0.0)['samples']
    assert len(samples) == camera_view.HISTORY_S / camera_view.SAMPLE_S
    assert samples[0][1] == [(1, 'sad', 0.125)]
    last_s = samples[-3][0]
    assert [sample[0] for sample in view.snapshot(last_s)['samples']] == [
        sample[0] for sample in samples[-2:]
    ]


def test_an_image_is_encoded_once_and_large_ones_are_shrunk() -> None:
    view = CameraView('/emotions')
    assert view.jpeg() == (0, b'')
    view.take_image(np.full((2160, 3840, 3), 90, np.uint8))
    number, jpeg = view.jpeg()
    assert number == 1
    assert view.jpeg()[1] is jpeg
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (720, 1280, 3)


def test_a_viewer_who_has_gone_is_forgotten(clock: Clock) -> None:
    view = CameraView('/emotions')
    assert not view.is_watched
    view.watch()
    assert view.is_watched
    clock.now_s += camera_view.WATCH_S + 0.1
    assert not view.is_watched


@pytest.mark.parametrize(
    'host,expected',
    [
        ('127.0.0.1', True),
        ('127.1.2.3', True),
        ('::1', True),
        ('localhost', True),
        ('0.0.0.0', False),
        ('::', False),
        ('192.168.1.7', False),
        ('robot.local', False),
        ('localhost.example.org', False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


GUARD: dict[str, Any] = {'path': '/', 'client': ('192.0.2.1', 7)}


def ask(
    kind: str, query: bytes = b'', cookie: bytes = b'', guard: Any = None, **scope: Any
) -> list[dict]:
    """Return what a server behind the middleware responds; 'inside' if it was let through."""
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send({'type': 'inside'})

    async def send(message) -> None:
        sent.append(message)

    headers = [(b'cookie', cookie)] if cookie else []
    scope = {'type': kind, 'query_string': query, 'headers': headers, **GUARD, **scope}
    guard = guard or TokenMiddleware(None, 'secret')
    guard._app = app
    asyncio.run(guard(scope, None, send))
    return sent


@pytest.mark.parametrize('kind', ['http', 'websocket'])
def test_the_cookie_with_the_token_lets_in(kind: str) -> None:
    assert ask(kind, cookie=b'other=1; fer_dashboard_token=secret') == [{'type': 'inside'}]


@pytest.mark.parametrize(
    'query,cookie',
    [
        (b'', b''),
        (b'token=wrong', b''),
        (b'token=', b''),
        (b'', b'fer_dashboard_token=wrong'),
        (b'', b'fer_dashboard_token='),
        (b'token=%ff', b'\xff\xfe=;;'),
    ],
    ids=['nothing', 'wrong token', 'empty token', 'wrong cookie', 'empty cookie', 'corrupt'],
)
def test_without_the_token_nobody_comes_in(query: bytes, cookie: bytes) -> None:
    assert ask('http', query, cookie)[0]['status'] == 401
    assert ask('websocket', query, cookie) == [{'type': 'websocket.close', 'code': 1008}]


def test_the_token_moves_from_the_address_to_a_cookie() -> None:
    start = ask('http', b'token=secret')[0]
    headers = dict(start['headers'])
    assert start['status'] == 303
    assert headers[b'location'] == b'/'
    assert b'fer_dashboard_token=secret; HttpOnly; SameSite=Strict' in headers[b'set-cookie']


@pytest.mark.parametrize(
    'path, location',
    [
        ('/live', b'/live'),
        ('//evil.example', b'/evil.example'),
        ('/\\evil.example', b'/%5Cevil.example'),
        ('/a\r\nset-cookie: x=1', b'/a%0D%0Aset-cookie%3A%20x%3D1'),
    ],
)
def test_nobody_is_sent_elsewhere(path: str, location: bytes) -> None:
    headers = dict(ask('http', b'token=secret', path=path)[0]['headers'])
    assert headers[b'location'] == location


def test_who_guesses_has_to_wait_and_nobody_else() -> None:
    guard = TokenMiddleware(None, 'secret')

    def status(query: bytes = b'', cookie: bytes = b'', address: str = '192.0.2.1') -> Any:
        result = ask('http', query, cookie, guard, client=(address, 7))[0]
        return result.get('status', result['type'])

    # An old cookie, sent with every request of an open page, is one guess.
    assert {status(cookie=b'fer_dashboard_token=old') for _ in range(50)} == {401}
    assert {status(b'token=%d' % n) for n in range(9)} == {401}
    right = b'fer_dashboard_token=secret'
    assert status(b'token=secret') == status(b'token=10') == status(cookie=right) == 429
    assert status(cookie=right, address='192.0.2.2') == 'inside'


def test_what_is_known_of_wrong_tokens_is_bounded_and_forgotten() -> None:
    wrong = WrongTokens()
    for n in range(MAX_GUESSES):
        wrong.add('a', str(n), 0.0)
    assert wrong.too_many('a', GUESS_S)
    assert not wrong.too_many('a', GUESS_S + 1)
    for n in range(5000):
        wrong.add(str(n), 'x', 0.0)
    assert len(wrong._tried) == 1000


def test_reports_are_files_of_their_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / 'reports', tmp_path / 'secret.html'
    (folder / 'folder.html').mkdir(parents=True)
    outside.write_text('secret')
    (folder / 'link.html').symlink_to(outside)
    (folder / 'round.html').symlink_to(folder / 'round.html')
    (folder / 'gone.html').symlink_to(folder / 'nothing')
    (folder / 'inside.html').symlink_to(folder / 'report.html')
    odd = folder / os.fsdecode(b'odd\xff.html')
    for page in (folder / 'report.html', odd):
        page.write_text('report')
    assert set(_find(folder)) == {'report.html', 'inside.html', 'odd?.html'}
    assert _find(None) == {}


def test_numbers_that_json_cannot_hold_become_zero() -> None:
    nan = float('nan')
    face = FaceEmotion(
        track_id=1,
        box_xyxy=np.full(4, nan, np.float32),
        landmarks=np.zeros((5, 2), np.float32),
        detection_score=nan,
        raw_probabilities=np.array([nan, 0.5], np.float32),
        probabilities=np.array([float('inf'), 0.5], np.float32),
        label='sad',
        confidence=nan,
    )
    view = CameraView('/emotions')
    view.take_frame(FrameEmotions(1.0, (48, 64), ('sad', 'happy'), (face,) * 1000), 'm')
    view.take_diagnostics({'k' * 9999: 'v' * 9999}, 'w' * 9999)
    view.take_notice('n' * 9999)
    state = view.snapshot(0.0)
    assert json.dumps(state, allow_nan=False)
    assert len(state['faces']) == 200
    assert state['faces'][0]['probabilities'] == [0.0, 0.5]
    assert len(json.dumps(state['diagnostics'])) < 500
    assert len(state['warning']) == len(state['notice']) == 1000


def test_measurements_are_found_wherever_they_lie_in_a_card() -> None:
    measured = {'accuracy': 1.0, 'confusion_matrix': [[1, 0], [0, 1]], 'labels': ['happy', 'sad']}
    about = {'status': 'x', 'metrics': {'ferplus': measured, 'notes': ['a']}, 'n': 3}
    assert list(find_measurements(about)) == [('Metrics, ferplus', measured)]
    assert list(find_measurements({})) == []


@pytest.mark.parametrize(
    'svg',
    [
        lambda: confusion_svg(np.array([[8, 2], [0, 0]]), ('happy', 'sad')),
        lambda: robustness_svg({'dark': {'accuracy': 0.5}, 'blur': {'accuracy': None}}, 0.8),
        lambda: robustness_svg({'dark': {'accuracy': 0.5}}, None),
    ],
    ids=['confusion with an empty row', 'robustness', 'robustness without a clean figure'],
)
def test_plots_take_the_colour_of_the_page_and_are_the_same_each_time(svg) -> None:
    plot = svg()
    assert ElementTree.fromstring(plot).tag == '{http://www.w3.org/2000/svg}svg'
    assert 'currentColor' in plot
    assert '#010203' not in plot
    assert svg() == plot


def test_the_csv_of_photos_has_a_line_per_face() -> None:
    from fer_ros.dashboard.photo_view import _to_csv

    shares = np.array([0.25, 0.75], np.float32)
    face = FaceEmotion(
        1, np.array([10, 20, 40, 60], np.float32), np.zeros((5, 2), np.float32), 0.9,
        shares, shares, 'sad', 0.75,
    )  # fmt: skip
    frame = FrameEmotions(0.0, (100, 100), ('happy', 'sad'), (face,))
    nobody = FrameEmotions(0.0, (100, 100), ('happy', 'sad'))
    assert _to_csv({'a,b.png': frame, 'c.png': nobody}).splitlines() == [
        'photo,face,x,y,width,height,label,confidence,happy,sad',
        '"a,b.png",1,10.0,20.0,30.0,40.0,sad,0.75,0.25,0.75',
    ]


def test_photos_are_counted_by_label_the_most_frequent_first() -> None:
    from fer_ros.dashboard.photo_view import _overview

    labels = {'a.png': ('sad',), 'b.png': (), 'c.png': ('happy', 'sad')}
    frames = {name: make_frame(*shown) for name, shown in labels.items()}
    assert _overview(frames) == [
        {'photo': 'a.png', 'faces': 1, 'sad': 1, 'happy': 0},
        {'photo': 'b.png', 'faces': 0, 'sad': 0, 'happy': 0},
        {'photo': 'c.png', 'faces': 2, 'sad': 1, 'happy': 1},
    ]


def test_a_model_to_be_taught_has_a_name_that_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fer_ros.dashboard.teach_page import _free_name

    monkeypatch.setenv('FER_ROS_MODELS', str(tmp_path))
    assert _free_name('mine') == 'mine'
    (tmp_path / 'taught').mkdir()
    for name in ('mine', 'mine_1'):
        (tmp_path / 'taught' / f'{name}.json').touch()
    assert _free_name('mine') == 'mine_2'


def test_a_clip_is_h264_at_its_own_times(tmp_path: Path) -> None:
    """Three pictures of odd size, the second shown for a second, as a slow camera has it."""
    av = pytest.importorskip('av', reason='PyAV is not installed (requirements/dashboard.txt)')
    from fer_ros.dashboard.clip_video import ClipVideo

    video = ClipVideo()
    for number, stamp_s in enumerate((5.0, 5.1, 6.1)):
        video.write(np.full((121, 161, 3), 80 * number, np.uint8), stamp_s)
    path = tmp_path / 'clip.mp4'
    path.write_bytes(video.finish())
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ('h264', 160, 120)
        frames = list(container.decode(stream))
    assert [round(float(frame.time), 3) for frame in frames] == [0.0, 0.1, 1.1]
    assert [round(frame.to_ndarray(format='gray').mean() / 80) for frame in frames] == [0, 1, 2]


def make_clip(seconds: float = 4.0, people: int = 1) -> Clip:
    """A clip of two frames a second; everybody is away in its middle."""
    clip = Clip('a <b>.mp4', 'model-1')
    for number in range(round(2 * seconds) + 1):
        stamp_s = 10.0 + number / 2
        is_away = 1.0 < stamp_s - 10.0 < 3.0
        frame = make_frame(*([] if is_away else ['happy'] * people))
        image = np.full((48, 64, 3), 20 * number, np.uint8)
        clip.add(dataclasses.replace(frame, stamp_s=stamp_s), image, image)
    clip.finish()
    return clip


def test_a_report_of_a_clip_is_one_file_with_thumbnails_and_curves() -> None:
    clip = make_clip()
    clip.remarks.append('3 frames are damaged')
    page = report_html(clip)
    assert '<h1>a &lt;b&gt;.mp4</h1>' in page
    assert '3 frames are damaged' in page
    assert page.count('src="data:image/jpeg;base64,') == 1
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    # In view for the first second and the last one: a curve in two pieces.
    assert re.findall(f'points="([^"]+)" stroke="{COLOURS["angry"]}"', page) == [
        '0.0,87.5 125.0,87.5 250.0,87.5',
        '750.0,87.5 875.0,87.5 1000.0,87.5',
    ]


def test_a_clip_shows_those_seen_longest_and_counts_the_others() -> None:
    lanes = lanes_html(make_clip(people=22))
    assert lanes.count('class="fer-lane"') == 20
    assert '2 more people were in view for a shorter time.' in lanes


def test_the_browser_gets_the_video_while_its_viewer_has_the_clip() -> None:
    clip = make_clip()
    name = clip.video.name
    assert SETTINGS.videos[name].content[4:8] == b'ftyp'
    del clip
    assert name not in SETTINGS.videos
