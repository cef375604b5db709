# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a machine lacks is said in a sentence, or done without."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from fer_ros.errors import ConfigError
from fer_ros.nodes import middleware
from fer_ros.nodes.environment import NO_LOG_FILE, check_environment, ros_arguments


@pytest.mark.parametrize('number', ['abc', '300', '233', '-1', '1.5', '9' * 5000])
def test_a_domain_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', number)
    with pytest.raises(ConfigError, match='ROS_DOMAIN_ID: expected 0 to 232, got') as caught:
        check_environment()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize('number', ['', '0', '232'])
def test_domains_that_there_are(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', number)
    check_environment()


@pytest.mark.parametrize(
    'command',
    [
        pytest.param(['fer_ros.nodes.emotion_node'], id='emotion_node'),
        pytest.param(['fer_ros.nodes.camera_node'], id='camera_node'),
        pytest.param(['fer_ros.commands.demo'], id='demo'),
        pytest.param(['fer_ros.cli', 'dashboard', '--port', '18573'], id='dashboard'),
    ],
)
def test_a_middleware_that_is_not_installed_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_gone_cpp')
    run = subprocess.run(
        [sys.executable, '-m', *command], capture_output=True, text=True, timeout=60, cwd='/'
    )
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "fer_ros: RMW_IMPLEMENTATION: 'rmw_gone_cpp' is not installed here; unset the variable, or "
        'install that middleware'
    ]


def test_too_little_address_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, 'getrlimit', lambda _: (10**9, 10**9))
    with pytest.raises(ConfigError, match='limited to 1000 MB; at least 1500 MB are needed'):
        check_environment()


def test_the_package_says_so_before_native_code_ends_the_process() -> None:
    limited = (
        'import resource; resource.setrlimit(resource.RLIMIT_AS, (4 * 10**8, 4 * 10**8));'
        'import fer_ros'
    )
    run = subprocess.run([sys.executable, '-c', limited], capture_output=True, text=True)
    assert run.returncode == 1
    assert 'limited to 400 MB; at least 500 MB are needed (ulimit -v)' in run.stderr


@pytest.mark.parametrize(
    'variables, says',
    [
        pytest.param({}, 'HOME is not set', id='no home'),
        pytest.param({'HOME': '/proc/none'}, '/proc/none/.ros/log cannot be written', id='home'),
        pytest.param({'ROS_LOG_DIR': '/proc/none'}, '/proc/none cannot be', id='log folder'),
    ],
)
def test_without_a_place_for_log_files_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    says: str,
) -> None:
    for name in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ros_arguments(['node']) == ['node', *NO_LOG_FILE]
    assert says in capsys.readouterr().err


def test_log_files_where_there_is_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'new' / 'log'))
    assert ros_arguments(['node']) == ['node']


def test_little_shared_memory_means_udp(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(middleware, 'SEGMENT_BYTES', 10**18)
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'kept')
    middleware.prepare_middleware()
    assert capsys.readouterr().err == ''
    monkeypatch.delenv('FASTDDS_BUILTIN_TRANSPORTS')
    middleware.prepare_middleware()
    assert middleware.os.environ.pop('FASTDDS_BUILTIN_TRANSPORTS') == 'UDPv4'
    assert 'images go by UDP' in capsys.readouterr().err


def test_a_node_starts_where_nothing_can_be_written(listener, start, monkeypatch) -> None:
    monkeypatch.setenv('HOME', '/proc/none')
    node = start('camera_node')
    listener.until(lambda: 'frames per second on' in node.output, 'its start')
    assert 'no log file: /proc/none/.ros/log cannot be written' in node.output
