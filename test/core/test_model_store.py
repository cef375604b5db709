# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Listing, verifying and fetching models, against a real server on the loopback address."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import io
import json
import threading

import pytest

from fer_ros.errors import ModelError
from fer_ros.models import store as model_store
from fer_ros.models.store import ProgressBar, fetch, installed_path, list_models, remote_model

CONTENT = bytes(range(256)) * 1000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves /model, and goes wrong on purpose elsewhere."""

    def do_GET(self):
        self.server.requests_seen.append(self.path)
        kind = self.path.rsplit('/', 1)[-1]
        if kind == 'missing':
            self.send_error(404, 'Not Found')
            return
        if kind == 'moved':
            self.send_response(302)
            self.send_header('Location', '/model')
            self.end_headers()
            return
        self.send_response(200)
        if kind != 'unsized':
            self.send_header('Content-Length', str(len(CONTENT)))
        self.end_headers()
        sent = {'cut': CONTENT[:5000], 'other': CONTENT[::-1]}.get(kind, CONTENT)
        self.wfile.write(sent)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    one = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    one.requests_seen = []
    thread = threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


@pytest.fixture
def store(monkeypatch, tmp_path):
    """An empty store, and a model in the catalogue whose content the server knows."""
    monkeypatch.setenv('FER_ROS_MODELS', str(tmp_path / 'store'))
    model = dataclasses.replace(
        remote_model('yunet'), file='m.onnx', sha256=hashlib.sha256(CONTENT).hexdigest()
    )
    monkeypatch.setitem(model_store.REMOTE_MODELS, 'yunet', model)
    return tmp_path / 'store'


def address(server, path):
    return f'http://127.0.0.1:{server.server_address[1]}/{path}'


@pytest.mark.parametrize('path', ['model', 'unsized', 'moved'])
def test_fetch_puts_a_checked_file_in_place(server, store, path):
    seen = []
    target = fetch('yunet', lambda done, total: seen.append((done, total)), address(server, path))
    assert target == store / 'm.onnx'
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), 0 if path == 'unsized' else len(CONTENT))
    assert [p.name for p in store.iterdir()] == ['m.onnx']


@pytest.mark.parametrize(
    'path, said',
    [
        pytest.param('missing', 'the server returned 404 Not Found', id='404'),
        pytest.param('other', 'is not the file expected: sha256 [0-9a-f]{64}', id='wrong checksum'),
        pytest.param('cut', 'the connection was cut after 5000 of 256000 bytes', id='cut'),
    ],
)
def test_fetch_leaves_nothing_behind_when_it_fails(server, store, path, said):
    with pytest.raises(ModelError, match=said):
        fetch('yunet', url=address(server, path))
    assert list(store.iterdir()) == []


def test_a_failed_fetch_keeps_what_was_there(server, store):
    store.mkdir()
    (store / 'm.onnx').write_bytes(b'older')
    with pytest.raises(ModelError, match='404'):
        fetch('yunet', url=address(server, 'missing'))
    assert (store / 'm.onnx').read_bytes() == b'older'


def test_fetch_offline_says_what_to_do(server, store):
    url = address(server, 'model')
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match=r'cannot be reached: .*check the network and https_proxy'):
        fetch('yunet', url=url)


def test_fetch_goes_through_the_proxy_of_the_environment(server, store, monkeypatch):
    monkeypatch.setenv('http_proxy', f'http://127.0.0.1:{server.server_address[1]}')
    monkeypatch.setenv('no_proxy', '')
    fetch('yunet', url='http://models.invalid/model')
    assert server.requests_seen == ['http://models.invalid/model']


def test_a_sound_copy_is_not_fetched_again(server, store):
    fetch('yunet', url=address(server, 'model'))
    fetch('yunet', url=address(server, 'model'))
    assert len(server.requests_seen) == 1


def test_a_damaged_copy_is_replaced(server, store):
    store.mkdir()
    (store / 'm.onnx').write_bytes(b'damaged')
    assert fetch('yunet', url=address(server, 'model')).read_bytes() == CONTENT


@pytest.mark.parametrize(
    'name, url, said',
    [
        ('nobody', '', "no model called 'nobody' can be fetched; there are: yunet"),
        ('yunet', 'file:///etc/hostname', 'expected an http or https address'),
    ],
    ids=['unknown model', 'not http'],
)
def test_fetch_refuses(store, name, url, said):
    with pytest.raises(ModelError, match=said):
        fetch(name, url=url)


def test_a_store_that_cannot_be_written_is_said(server, monkeypatch, store, tmp_path):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('FER_ROS_MODELS', str(tmp_path / 'file'))
    with pytest.raises(ModelError, match='cannot be written'):
        fetch('yunet', url=address(server, 'model'))


def test_store_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv('FER_ROS_MODELS', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert installed_path('yunet') == tmp_path / 'fer_ros' / 'face_detection_yunet_2023mar.onnx'


def test_the_published_address_and_digest():
    model = remote_model('yunet')
    assert model.url.startswith('https://media.githubusercontent.com/media/opencv/opencv_zoo/')
    assert model.sha256.startswith('8f2383e4')
    assert len(model.sha256) == 64


def write_model(folder, name, digest=None, **changes):
    (folder / f'{name}.tflite').write_bytes(b'weights')
    digest = digest or hashlib.sha256(b'weights').hexdigest()
    card = {'schema': 1, 'kind': 'detector', 'sha256': {f'{name}.tflite': digest}, **changes}
    (folder / f'{name}.json').write_text(json.dumps(card))


def test_list_says_what_is_wrong_with_each(tmp_path, store):
    write_model(tmp_path, 'detector')
    write_model(tmp_path, 'detector_bad', digest='0' * 64)
    write_model(tmp_path, 'detector_gone')
    (tmp_path / 'detector_gone.tflite').unlink()
    write_model(tmp_path, 'detector_odd', schema=7)
    states = {one.name: one for one in list_models(tmp_path)}
    assert states['detector'].state == 'ok'
    assert states['detector_bad'].state == 'detector_bad.tflite is damaged'
    assert states['detector_gone'].state == 'detector_gone.tflite is missing'
    assert states['detector_odd'].state.startswith('damaged card: ')
    assert states['yunet'].state == 'not fetched'
    assert [name for name, one in states.items() if one.sound] == ['detector', 'yunet']
    store.mkdir()
    (store / 'm.onnx').write_bytes(b'damaged')
    assert {one.name: one.state for one in list_models(tmp_path)}['yunet'] == 'damaged'


def test_shipped_models_are_sound():
    wrong = [one for one in list_models() if not one.sound]
    assert wrong == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_draws_on_a_terminal():
    stream = Terminal()
    bar = ProgressBar('yunet', stream)
    bar(50_000, 100_000)
    bar(100_000, 100_000)
    first, last = stream.getvalue().split('\r')[1:]
    assert first == 'yunet [' + '#' * 15 + '.' * 15 + ']  50% 50 kB'
    assert last == 'yunet [' + '#' * 30 + '] 100% 100 kB\n'


def test_progress_bar_is_one_line_in_a_log():
    stream = io.StringIO()
    bar = ProgressBar('yunet', stream)
    bar(50_000, 100_000)
    bar(100_000, 100_000)
    assert stream.getvalue() == 'yunet: 100 kB\n'
