# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a machine that is not ready is told, and what is left alone."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.clones import NOWHERE, assert_one_sentence, bootstrap, variables

MARK_DONE = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
names = runpy.run_path(sys.argv[1] + '/__main__.py')
environment = names['Environment'](names['ROOT'], names['ROOT'] / '.venv')
environment.make()
steps = names['Setup'](environment).steps('')
environment.write_state(environment.state() | {step.name: step.digest for step in steps})
"""


@pytest.fixture
def done(clone: Path) -> Path:
    """A clone whose environment is marked as complete (and is empty)."""
    code = clone / 'scripts' / 'environment'
    subprocess.run([sys.executable, '-I', '-B', '-c', MARK_DONE, code], check=True)
    return clone


def tools(folder: Path, *missing: str) -> str:
    """Make a folder of the programs that the set-up uses but *missing*; return it as PATH."""
    folder.mkdir()
    for tool in {'sh', 'dirname', 'readlink', 'env', 'c++', 'python3'} - set(missing):
        real = sys.executable if tool == 'python3' else shutil.which(tool)
        assert real, tool
        # A script and not a link: a linked Python does not find its own library.
        (folder / tool).write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
        (folder / tool).chmod(0o755)
    return str(folder)


def test_no_compiler(clone: Path, tmp_path: Path) -> None:
    run = bootstrap(clone, PATH=tools(tmp_path / 'bin', 'c++'))
    assert_one_sentence(run, 'a C++ compiler', 'apt install g++', 'dnf install gcc-c++')
    assert not (clone / '.venv').exists()


def test_a_compiler_that_does_not_work(clone: Path, tmp_path: Path) -> None:
    path = tools(tmp_path / 'bin', 'c++')
    broken = tmp_path / 'bin' / 'c++'
    broken.write_text('#!/bin/sh\necho "x.cc:1: fatal error: string: No such file" >&2\nexit 1\n')
    broken.chmod(0o755)
    assert_one_sentence(bootstrap(clone, PATH=path), 'does not work', 'string: No such file')


def test_everything_that_is_missing_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import machine
    from errors import SetupError

    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('CXX', raising=False)
    monkeypatch.setattr(machine.sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})
    monkeypatch.setattr(machine.sys, 'executable', '/usr/bin/python3')
    monkeypatch.setattr(machine.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(SetupError) as caught:
        machine.check_tools(has_uv=False)
    assert 'apt install g++ python3-dev python3-venv' in str(caught.value)
    assert 'dnf install gcc-c++ python3-devel python3-pip' in str(caught.value)
    with pytest.raises(SetupError) as caught:
        machine.check_tools(has_uv=True)
    assert 'venv' not in str(caught.value)


def test_unsupported_python(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / 'python3.9'
    old.write_text('#!/bin/sh\nexit 1\n')
    old.chmod(0o755)
    assert_one_sentence(
        bootstrap(clone, PYTHON=str(old)), 'CPython 3.10 to 3.14 is needed', str(old)
    )


def test_no_network(clone: Path) -> None:
    run = bootstrap(clone, **NOWHERE)
    assert_one_sentence(run, 'package registry cannot be reached', 'check the network')


def test_a_path_that_no_search_path_can_hold(clone: Path) -> None:
    run = bootstrap(clone.rename(clone.with_name('a:b')))
    assert_one_sentence(run, 'a:b', 'a colon', 'FER_VENV')


def test_no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import machine
    from errors import SetupError

    monkeypatch.setitem(machine.NEEDED_MB, 'runtime', 10**9)
    with pytest.raises(SetupError, match=r'needs about 1000000000 MB, and \d+ MB are free'):
        machine.check_room(tmp_path / 'not' / 'yet', 'runtime')


def test_an_environment_of_somebody_else(clone: Path) -> None:
    (clone / '.venv').mkdir()
    (clone / '.venv' / 'thesis.txt').write_text('years of work')
    for arguments in ([], ['--repair']):
        run = bootstrap(clone, *arguments, **NOWHERE)
        assert_one_sentence(run, 'was not made by this project', 'FER_VENV')
        assert (clone / '.venv' / 'thesis.txt').read_text() == 'years of work'


def test_another_folder(clone: Path, tmp_path: Path) -> None:
    (clone / '.venv').mkdir()
    (clone / '.venv' / 'thesis.txt').touch()
    run = bootstrap(clone, FER_VENV=str(tmp_path / 'elsewhere'), **NOWHERE)
    assert_one_sentence(run, 'package registry cannot be reached')
    assert json.loads((tmp_path / 'elsewhere' / '.fer_ros.json').read_text())['root'] == str(clone)
    assert [path.name for path in (clone / '.venv').iterdir()] == ['thesis.txt']


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob('*')}


def test_nothing_is_written_where_nothing_is_to_be_done(done: Path) -> None:
    before = files(done)
    run = bootstrap(done, PATH='/usr/bin:/bin', **NOWHERE)
    assert (run.returncode, run.stdout, run.stderr) == (0, '', '')
    assert files(done) == before


@pytest.mark.parametrize('link', ['folder', 'script'])
def test_a_link_leads_to_the_same_environment(done: Path, tmp_path: Path, link: str) -> None:
    if link == 'folder':
        (tmp_path / 'link').symlink_to(done)
        script = tmp_path / 'link' / 'scripts' / 'bootstrap'
    else:
        script = tmp_path / 'start'
        script.symlink_to(done / 'scripts' / 'bootstrap')
    run = subprocess.run(
        [script, '--run', '-c', 'import sys; print(sys.prefix)'],
        capture_output=True, text=True, env=variables(done, **NOWHERE), cwd='/',
    )  # fmt: skip
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, str(done / '.venv'), '')


def test_a_moved_folder(done: Path) -> None:
    run = bootstrap(done.rename(done.with_name('moved')))
    assert_one_sentence(run, f'was made for {done}', 'scripts/bootstrap --repair')


def test_a_python_that_is_gone(done: Path) -> None:
    for python in (done / '.venv' / 'bin').glob('python*'):
        python.unlink()
    (done / '.venv' / 'bin' / 'python').symlink_to('/gone/python3')
    assert_one_sentence(bootstrap(done), 'which is gone', 'scripts/bootstrap --repair')


def test_a_python_that_was_upgraded(done: Path) -> None:
    mark = done / '.venv' / '.fer_ros.json'
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {'python': '3.8'}))
    assert_one_sentence(bootstrap(done), 'was made with Python 3.8', 'which is now 3.')


def test_repair_makes_it_anew(done: Path) -> None:
    (done / '.venv' / 'broken').touch()
    run = bootstrap(done.rename(done.with_name('moved')), '--repair', **NOWHERE)
    assert_one_sentence(run, 'package registry cannot be reached')
    assert not (done.with_name('moved') / '.venv' / 'broken').exists()


def test_variables_that_lead_a_python_astray(done: Path, tmp_path: Path) -> None:
    (tmp_path / 'rclpy').mkdir()
    run = bootstrap(
        done, '--run', '-c', 'import sys; print(sys.path)',
        PYTHONPATH=str(tmp_path), PYTHONHOME='/nowhere',
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert str(tmp_path) + "'" not in run.stdout


def test_a_second_start_waits_for_the_first(clone: Path) -> None:
    with (clone / '.venv.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [clone / 'scripts' / 'bootstrap'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=variables(clone, **NOWHERE),
        )  # fmt: skip
        assert second.stdout
        assert second.stdout.readline() == 'another set-up is running here; waiting\n'
        assert not (clone / '.venv').exists()
    _, errors = second.communicate(timeout=120)
    assert 'package registry cannot be reached' in errors


@pytest.fixture
def hanging(clone: Path) -> Iterator[subprocess.Popen[str]]:
    """A set-up whose registry takes connections and never responds."""
    with socket.socket() as registry:
        registry.bind(('127.0.0.1', 0))
        registry.listen()
        url = f'http://127.0.0.1:{registry.getsockname()[1]}/simple'
        process = subprocess.Popen(
            [clone / 'scripts' / 'bootstrap'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, env=variables(clone, **(NOWHERE | {'PIP_INDEX_URL': url})),
        )  # fmt: skip
        try:
            registry.settimeout(100)
            connection, _ = registry.accept()
            with connection:
                yield process
        finally:
            process.kill()
            process.communicate()


def children(process: int) -> set[int]:
    listing = Path(f'/proc/{process}/task/{process}/children').read_text()
    return {int(child) for child in listing.split()}


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return bool(Path(f'/proc/{process}/cmdline').read_bytes())
    except OSError:
        return False


@pytest.mark.parametrize(
    'number',
    [
        signal.SIGINT,
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_children_end_with_their_parent(
    hanging: subprocess.Popen[str], number: signal.Signals
) -> None:
    installers = children(hanging.pid)
    assert installers
    hanging.send_signal(number)
    _, errors = hanging.communicate(timeout=60)
    assert hanging.returncode == (-9 if number == signal.SIGKILL else 130)
    assert 'Traceback' not in errors
    until(lambda: not any(map(is_running, installers)))
