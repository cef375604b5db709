# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of the environment, what is done in it already, and running what is not."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from errors import SetupError

PR_SET_PDEATHSIG = 1
OLD_MARK = '.stamp-runtime'


class Environment:
    """A virtual environment of ours; its mark says for what it was made and what is done."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Name *folder*, which need not be there, for the project in *root*."""
        self.root, self.folder = root, folder
        self.python = folder / 'bin' / 'python'
        self.log = folder / 'bootstrap.log'
        self._mark = folder / '.fer_ros.json'

    def state(self) -> dict[str, str]:
        """Return what the mark says: root, python, and the digest of each step that is done."""
        try:
            return dict(json.loads(self._mark.read_text()))
        except (OSError, ValueError):
            return {}

    def write_state(self, state: dict[str, str]) -> None:
        """Replace the mark, which is never half written."""
        partial = self._mark.with_suffix('.tmp')
        partial.write_text(json.dumps(state, indent=1))
        partial.replace(self._mark)

    def check(self) -> None:
        """Raise SetupError if *folder* is not ours, or was made for another place or Python."""
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return
        state, repair = self.state(), 'scripts/bootstrap --repair makes it anew.'
        if not state and (self.folder / OLD_MARK).exists():
            raise SetupError(f'{self.folder} was made by an earlier version; {repair}')
        if not state:
            raise SetupError(
                f'{self.folder} was not made by this project and is left alone; move it away, or '
                'name another folder for the environment: FER_VENV=/path.'
            )
        if state['root'] != str(self.root) or state['folder'] != str(self.folder):
            raise SetupError(f'{self.folder} was made for {state["root"]}; {repair}')
        if self.python.exists() or self.python.is_symlink():
            found = self.python_version()
            if found != state['python']:
                raise SetupError(
                    f'{self.folder} was made with Python {state["python"]}, which is '
                    f'{f"now {found}" if found else "gone"}; {repair}'
                )

    def python_version(self) -> str:
        """Return the version (two numbers) of the environment's Python, '' if it does not run."""
        code = 'import sys; print("%d.%d" % sys.version_info[:2])'
        try:
            run = subprocess.run(
                [self.python, '-I', '-S', '-c', code], capture_output=True, text=True, check=False
            )
        except OSError:
            return ''
        return run.stdout.strip()

    def make(self) -> None:
        """Make the environment, or go on with one that was begun."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.state():
            version = '.'.join(map(str, sys.version_info[:2]))
            self.write_state(
                {'root': str(self.root), 'folder': str(self.folder), 'python': version}
            )
        if not self.python_version():
            subprocess.run(
                [sys.executable, '-I', '-m', 'venv', '--without-pip', self.folder], check=True
            )

    def clear(self) -> None:
        """Empty the folder; SetupError if it does not carry our mark."""
        if not self.folder.exists():
            return
        if not self.state() and not (self.folder / OLD_MARK).exists():
            self.check()
        # The mark goes last, so that what is left of it is still known as ours.
        for path in sorted(self.folder.iterdir(), key=lambda path: path == self._mark):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock beside the folder; says so when another set-up has it."""
        lock = self.folder.with_name(f'{self.folder.name}.lock')
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open('w') as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                print('another set-up is running here; waiting', flush=True)
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def digest(*parts: Path | str) -> str:
    """Return a digest of texts and the content of files."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part.read_bytes())
    return whole.hexdigest()


def run(title: str, command: Iterable[object], log: Path, variables: dict[str, str]) -> str:
    """Run a program and show that it lives; return '' or, if it failed, what it printed.

    It ends with this process, however that ends.
    """
    start_s = time.monotonic()
    with log.open('a+') as stream:
        stream.write(f'-- {title}\n')
        stream.flush()
        begin = stream.tell()
        child = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stream,
            stderr=subprocess.STDOUT, env=variables, cwd='/', start_new_session=True,
            preexec_fn=_end_with_parent,
        )  # fmt: skip
        try:
            _wait(child, title, start_s, log)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        stream.seek(begin)
        output = stream.read()
    if child.returncode == 0:
        print(f'{title}: {time.monotonic() - start_s:.0f} s', flush=True)
        return ''
    return output.strip() or f'exit status {child.returncode}'


_LIBC = ctypes.CDLL(None)


def _end_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(child: subprocess.Popen[bytes], title: str, start_s: float, log: Path) -> None:
    """Wait for *child*; a terminal sees its seconds and newest line, a file a line now and then."""
    is_terminal = sys.stdout.isatty()
    while True:
        try:
            child.wait(0.5 if is_terminal else 15.0)
        except subprocess.TimeoutExpired:
            seconds = f'{title} … {time.monotonic() - start_s:.0f} s'
            if is_terminal:
                print(f'\r\033[K{seconds}  {_last_line(log)[:60]}', end='', flush=True)
            else:
                print(seconds, flush=True)
        else:
            break
        finally:
            if is_terminal and child.returncode is not None:
                print('\r\033[K', end='')


def _last_line(log: Path) -> str:
    with log.open('rb') as stream:
        return _tail(stream)


def _tail(stream: IO[bytes]) -> str:
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 500))
    lines = stream.read().decode(errors='replace').split('\n')
    return next((line.strip() for line in reversed(lines) if line.strip()), '')
