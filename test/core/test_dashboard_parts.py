# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the dashboard is made of, without a browser and without ROS."""

from __future__ import annotations

import asyncio

import cv2
import numpy as np
import pytest

from fer_ros.dashboard import camera_view
from fer_ros.dashboard.access import TokenMiddleware, is_loopback
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.dashboard.figures import confusion_png, find_measurements, robustness_png
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


def ask(kind: str, query: bytes = b'', cookie: bytes = b'') -> list[dict]:
    """Return what a server behind the middleware answers; 'inside' if it was let through."""
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send({'type': 'inside'})

    async def send(message) -> None:
        sent.append(message)

    headers = [(b'cookie', cookie)] if cookie else []
    scope = {'type': kind, 'path': '/', 'query_string': query, 'headers': headers}
    asyncio.run(TokenMiddleware(app, 'secret')(scope, None, send))
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
    ids=['nothing', 'wrong token', 'empty token', 'wrong cookie', 'empty cookie', 'rubbish'],
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


def test_measurements_are_found_wherever_they_lie_in_a_card() -> None:
    measured = {'accuracy': 1.0, 'confusion_matrix': [[1, 0], [0, 1]], 'labels': ['happy', 'sad']}
    about = {'status': 'x', 'metrics': {'ferplus': measured, 'notes': ['a']}, 'n': 3}
    assert list(find_measurements(about)) == [('Metrics, ferplus', measured)]
    assert list(find_measurements({})) == []


@pytest.mark.parametrize(
    'png',
    [
        lambda: confusion_png([[8, 2], [0, 0]], ['happy', 'sad']),
        lambda: robustness_png({'dark': {'accuracy': 0.5}, 'blur': {'accuracy': None}}, 0.8),
    ],
    ids=['confusion with an empty row', 'robustness'],
)
def test_pictures_of_measurements(png) -> None:
    image = cv2.imdecode(np.frombuffer(png(), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[0] > 300
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10


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
