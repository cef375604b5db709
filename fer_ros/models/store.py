# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which models there are, whether their files are sound, and fetching those not shipped.

Nothing is downloaded unless ``fetch`` is called. Proxies are taken from the environment
(``https_proxy``, ``no_proxy``), certificates from the system or ``SSL_CERT_FILE``.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fer_ros.errors import FerError, ModelError, named_path
from fer_ros.models.card import MODELS_DIR, file_sha256, read_card_json

TIMEOUT_S = 30.0
BLOCK_BYTES = 1 << 16
MAX_MODEL_BYTES = 500_000_000
BAR_CELLS = 30

Progress = Callable[[int, int], None]
"""Called with bytes so far and in all (0 if the server does not say)."""


@dataclass(frozen=True)
class RemoteModel:
    """A model that is not shipped.

    Attributes:
        name: what ``fer models fetch`` calls it.
        url: where it is published.
        file: what it is called here.
        sha256: hex digest of the one file that is accepted.
        licence: its licence.
    """

    name: str
    url: str
    file: str
    sha256: str
    licence: str


REMOTE_MODELS: dict[str, RemoteModel] = {
    'yunet': RemoteModel(
        name='yunet',
        url='https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/'
        'face_detection_yunet/face_detection_yunet_2023mar.onnx',
        file='face_detection_yunet_2023mar.onnx',
        sha256='8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4',
        licence='MIT',
    ),
}


@dataclass(frozen=True)
class ModelStatus:
    """One line of ``fer models list``.

    Attributes:
        name: what configuration calls it.
        kind: 'emotion' or 'detector'.
        path: the card of a shipped model, the weights of a fetched one.
        state: 'ok', 'not fetched', or what is wrong.
    """

    name: str
    kind: str
    path: Path
    state: str

    @property
    def sound(self) -> bool:
        """Return whether nothing is wrong; a model that was not fetched is not wrong."""
        return self.state in ('ok', 'not fetched')


def store_dir() -> Path:
    """Return where fetched models are kept.

    ``FER_ROS_MODELS`` if it is set, else ``fer_ros`` in the user's cache folder.
    """
    chosen = os.environ.get('FER_ROS_MODELS')
    if chosen:
        return named_path(chosen, ModelError)
    cache = os.environ.get('XDG_CACHE_HOME')
    return (Path(cache) if cache else Path.home() / '.cache') / 'fer_ros'


def remote_model(name: str) -> RemoteModel:
    """Return the model called *name* that can be fetched.

    Raises:
        ModelError: there is none.
    """
    if name not in REMOTE_MODELS:
        raise ModelError(
            f'no model called {name!r} can be fetched; there are: {", ".join(REMOTE_MODELS)}'
        )
    return REMOTE_MODELS[name]


def installed_path(name: str) -> Path:
    """Return where the fetched model *name* lies, or would; raises ModelError for unknown names."""
    return store_dir() / remote_model(name).file


def list_models(models_dir: Path = MODELS_DIR) -> Iterator[ModelStatus]:
    """Yield every shipped and every fetchable model, its files checked against their digests."""
    for card in sorted(models_dir.glob('*.json')):
        yield _shipped_status(card)
    for name in REMOTE_MODELS:
        path = installed_path(name)
        if not path.is_file():
            state = 'not fetched'
        else:
            state = 'ok' if file_sha256(path) == REMOTE_MODELS[name].sha256 else 'damaged'
        yield ModelStatus(name, 'detector', path, state)


def _shipped_status(card: Path) -> ModelStatus:
    """Return the state of one shipped model."""
    kind = 'emotion' if card.stem.startswith('emotion') else 'detector'
    try:
        content = read_card_json(card, kind)
        files = {str(name): str(digest) for name, digest in content['sha256'].items()}
    except (FerError, KeyError, AttributeError) as error:
        return ModelStatus(card.stem, kind, card, f'damaged card: {error}')
    for name, digest in files.items():
        path = card.parent / name
        if not path.is_file():
            return ModelStatus(card.stem, kind, card, f'{name} is missing')
        if file_sha256(path) != digest:
            return ModelStatus(card.stem, kind, card, f'{name} is damaged')
    return ModelStatus(card.stem, kind, card, 'ok')


def fetch(name: str, progress: Progress | None = None, url: str = '') -> Path:
    """Download a model, check it and put it in place; nothing is left behind if that fails.

    A sound copy that is there already is kept and nothing is downloaded.

    Args:
        name: see REMOTE_MODELS.
        progress: called as the download goes on.
        url: fetch from here instead, a mirror; the digest stays the same.

    Returns:
        where the model lies now.

    Raises:
        ModelError: unknown name, no connection, a response that is not the file, or no room for it.
    """
    model = remote_model(name)
    target = installed_path(name)
    if target.is_file() and file_sha256(target) == model.sha256:
        return target
    source = url or model.url
    if not source.startswith(('https://', 'http://')):
        raise ModelError(f'{source}: expected an http or https address')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial_name = tempfile.mkstemp(dir=target.parent, prefix=f'.{target.name}-')
    except OSError as error:
        raise ModelError(f'{target}: cannot be written: {error}') from error
    partial = Path(partial_name)
    try:
        with os.fdopen(handle, 'wb') as stream:
            digest = _download(source, stream, progress)
        if digest != model.sha256:
            raise ModelError(
                f'{source} is not the file expected: sha256 {digest}, expected {model.sha256}; '
                'nothing was kept'
            )
        partial.chmod(0o644)
        partial.replace(target)
    except OSError as error:
        raise ModelError(f'{target}: cannot be written: {error}') from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _download(url: str, target: BinaryIO, progress: Progress | None) -> str:
    """Write what *url* serves to *target*; return its hex sha256.

    Raises:
        ModelError: no connection, an error status, or a response that ends early or never.
    """
    request = urllib.request.Request(url, headers={'User-Agent': 'fer_ros'})
    digest, done = hashlib.sha256(), 0
    try:
        # Not urlopen, which remembers the proxies of its first call.
        with urllib.request.build_opener().open(request, timeout=TIMEOUT_S) as response:
            total = int(response.headers.get('Content-Length') or 0)
            while block := response.read(BLOCK_BYTES):
                target.write(block)
                digest.update(block)
                done += len(block)
                if done > MAX_MODEL_BYTES:
                    raise ModelError(f'{url}: more than {MAX_MODEL_BYTES} bytes; stopped')
                if progress:
                    progress(done, total)
    except urllib.error.HTTPError as error:
        raise ModelError(f'{url}: the server returned {error.code} {error.reason}') from error
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    ) as error:
        reason = getattr(error, 'reason', error)
        raise ModelError(
            f'{url} cannot be reached: {reason}; check the network and https_proxy, or copy the '
            f'file to {store_dir()} by hand'
        ) from error
    if total and done < total:
        raise ModelError(f'{url}: the connection was cut after {done} of {total} bytes')
    return digest.hexdigest()


class ProgressBar:
    """Draws a bar on a terminal; elsewhere it writes one line when all is done."""

    def __init__(self, label: str, stream: Any = None) -> None:
        """Write to *stream*, standard error if None."""
        self.label, self.stream = label, sys.stderr if stream is None else stream

    def __call__(self, done: int, total: int) -> None:
        """Show that *done* bytes of *total* have come."""
        finished = total > 0 and done >= total
        if self.stream.isatty():
            cells = BAR_CELLS * done // total if total else 0
            share = f'{done / total:4.0%}' if total else '   ?'
            bar = '#' * cells + '.' * (BAR_CELLS - cells)
            end = '\n' if finished else ''
            self.stream.write(f'\r{self.label} [{bar}] {share} {done / 1000:.0f} kB{end}')
        elif finished:
            self.stream.write(f'{self.label}: {done / 1000:.0f} kB\n')
        self.stream.flush()
