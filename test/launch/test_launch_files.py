# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch files as ros2 launch reads them; and live.launch.py run for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('launch_ros', reason='launch_ros is not installed')

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.utilities import evaluate_parameters

from fer_ros.cli import main as fer
from fer_ros.errors import ConfigError
from fer_ros.nodes.launching import _end_with_it

FILES = ('live', 'replay', 'multi_camera')
DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the packages be found also where no setup file was sourced."""
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.environ.get('AMENT_PREFIX_PATH', sys.prefix))


def load(root: Path, name: str) -> LaunchDescription:
    spec = spec_from_file_location(name, root / 'launch' / f'{name}.launch.py')
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


def actions(root: Path, name: str, **given: str) -> list[Any]:
    """Return what a launch file starts when it is given these arguments."""
    description, context = load(root, name), LaunchContext()
    started: list[Any] = []
    for entity in description.entities:
        if isinstance(entity, DeclareLaunchArgument):
            if entity.name in given:
                context.launch_configurations[entity.name] = given[entity.name]
            entity.visit(context)
        elif isinstance(entity, OpaqueFunction):
            started += entity.visit(context) or []
    return started


def names(started: list[Any]) -> list[str]:
    return [action.node_executable for action in started if isinstance(action, Node)]


@pytest.mark.parametrize('name', FILES)
def test_every_argument_says_what_it_is(root: Path, name: str) -> None:
    description = load(root, name)
    declared = description.get_launch_arguments()
    assert {'params_file', 'detector', 'model', 'backend', 'image_transport', 'namespace',
            'use_sim_time', 'respawn', 'log_level'} <= {a.name for a in declared}  # fmt: skip
    assert all(len(argument.description) > 9 for argument in declared)
    choices = {a.name: a.choices for a in declared if a.choices}
    assert choices['detector'] == ['', 'builtin', 'yunet', 'haar']
    assert choices['respawn'] == ['true', 'false']


@pytest.mark.parametrize('name', FILES)
def test_the_middleware_settings_travel_along(
    root: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def variables() -> int:
        entities = load(root, name).entities
        return sum(isinstance(entity, SetEnvironmentVariable) for entity in entities)

    for variable in ('FASTRTPS', 'FASTDDS'):
        monkeypatch.delenv(f'{variable}_DEFAULT_PROFILES_FILE', raising=False)
    monkeypatch.delenv('FASTDDS_BUILTIN_TRANSPORTS', raising=False)
    assert variables() == 2
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    assert variables() == 0


@pytest.mark.parametrize(
    'name, given, expected',
    [
        pytest.param('live', {}, ['camera_node', 'emotion_node'], id='live'),
        pytest.param('live', {'camera': 'none'}, ['emotion_node'], id='another camera'),
        pytest.param('replay', {'bag': '/'}, ['emotion_node', 'bag_player_node'], id='replay'),
        pytest.param(
            'multi_camera',
            {'cameras': 'a,b', 'camera': 'demo'},
            ['camera_node', 'camera_node', 'emotion_node', 'emotion_node'],
            id='one process each',
        ),
        pytest.param(
            'multi_camera',
            {'cameras': 'a,b', 'camera': 'none', 'shared': 'true'},
            ['multi_emotion_node'],
            id='one process for all',
        ),
    ],
)
def test_what_is_started(root: Path, name: str, given: dict[str, str], expected: list[str]) -> None:
    assert names(actions(root, name, **given)) == expected


def test_arguments_come_on_top_of_the_parameter_file(root: Path) -> None:
    (node,) = actions(root, 'live', camera='none', detector='haar', model='mine.json')
    parameters = evaluate_parameters(LaunchContext(), node._Node__parameters)
    assert parameters[0].name == 'emotion_node.yaml'
    given = dict(parameters[1])
    assert given['detection.backend'] == 'haar'
    assert given['classification.model'] == 'mine.json'
    assert 'classification.backend' not in given


@pytest.mark.parametrize(
    'name, given, message',
    [
        pytest.param('live', {'camera': 'v4l2_camera'}, 'ros-.*-v4l2-camera', id='driver'),
        pytest.param('live', {'camera': 'demo', 'rviz': 'true'}, 'ros-.*-rviz2', id='rviz2'),
        pytest.param('live', {'rate': 'fast'}, 'rate:=fast: expected a number', id='rate'),
        pytest.param('live', {'params_file': '/gone'}, '/gone does not exist', id='file'),
        pytest.param(
            'live',
            {'camera': 'demo', 'image_transport': 'compressed'},
            'raw images only',
            id='jpeg',
        ),
        pytest.param('replay', {'bag': '/gone'}, 'bag:=/gone does not exist', id='bag'),
        pytest.param('replay', {'bag': '/', 'record': '/'}, 'exists already', id='record'),
        pytest.param('multi_camera', {'cameras': 'a,a'}, 'different names', id='names'),
        pytest.param('multi_camera', {'devices': '/dev/video0'}, '3 cameras, but 1', id='devices'),
    ],
)
def test_wrong_arguments_are_one_sentence(
    root: Path, name: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        actions(root, name, **given)


@pytest.mark.parametrize(
    'returncode, stopping, ends',
    [
        pytest.param(0, False, True, id='a bag at its end'),
        pytest.param(0, True, False, id='ctrl-c'),
        pytest.param(-11, True, False, id='a crash while everything stops'),
    ],
)
def test_the_end_of_an_essential_node(returncode: int, stopping: bool, ends: bool) -> None:
    context = LaunchContext()
    context._set_is_shutdown(stopping)
    action = _end_with_it(exited(returncode), context)
    assert isinstance(action, EmitEvent) == ends


def test_an_essential_node_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match='node-1 has ended with exit code -11'):
        _end_with_it(exited(-11), LaunchContext())


def exited(returncode: int) -> ProcessExited:
    action = ExecuteProcess(cmd=['node'])
    return ProcessExited(action=action, name='node-1', cmd=['node'], cwd=None, env=None, pid=1,
                         returncode=returncode)  # fmt: skip


LAUNCH = 'import sys; from ros2cli.cli import main; sys.exit(main())'


@pytest.fixture
def launched(tmp_path: Path):
    """Run the real ros2 launch; returns the process and the file it writes to."""
    pytest.importorskip('ros2launch', reason='ros2 launch is not installed')
    log = tmp_path / 'launch.log'
    running: list[subprocess.Popen[bytes]] = []

    def launch(*arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        environment = {**os.environ, 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}'}
        with log.open('wb') as stream:
            running.append(
                subprocess.Popen(
                    [sys.executable, '-c', LAUNCH, 'launch', 'fer_ros', *arguments],
                    stdout=stream, stderr=stream, env=environment, start_new_session=True,
                )
            )  # fmt: skip
        return running[-1], log

    yield launch
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(log: Path, text: str, count: int = 1) -> str:
    end = time.monotonic() + DEADLINE_S
    while log.read_text(errors='replace').count(text) < count:
        assert time.monotonic() < end, f'{text!r} did not come:\n{log.read_text()}'
        time.sleep(0.1)
    return log.read_text(errors='replace')


def pid(text: str, node: str) -> int:
    """Return the process of a node, from what ros2 launch has printed."""
    line = next(line for line in text.splitlines() if node in line and 'pid [' in line)
    return int(line.rpartition('[')[2].rstrip(']'))


def echo(topic: str) -> str:
    """Return a message of *topic* with somebody in view, by the real ros2 topic."""
    pytest.importorskip('ros2topic', reason='ros2 topic is not installed')
    command = [sys.executable, '-c', LAUNCH, 'topic', 'echo', '--once', topic]
    command += ['--filter', 'len(m.emotions) > 0']
    run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return run.stdout


def test_live_runs_respawns_and_ends_cleanly(launched) -> None:
    process, log = launched('live.launch.py', 'camera:=demo', 'respawn:=true')
    text = wait_for(log, 'looking at /image_raw')
    wait_for(log, '30 images a second')
    os.kill(pid(text, 'emotion_node'), signal.SIGKILL)
    wait_for(log, 'looking at /image_raw', 2)
    assert 'track_id: ' in echo('/emotions')
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=DEADLINE_S) == 0
    text = log.read_text(errors='replace')
    assert 'Traceback' not in text
    assert text.count('process has finished cleanly') == 2, text


def test_live_without_a_camera_ends_with_a_sentence_and_an_error(launched) -> None:
    process, log = launched('live.launch.py', 'device:=/dev/nothing')
    assert process.wait(timeout=DEADLINE_S) == 1
    text = log.read_text(errors='replace')
    assert 'camera /dev/nothing (is it plugged in' in text
    assert 'camera_node-1 has ended with exit code 1' in text
    assert 'Traceback' not in text


def test_a_node_that_is_killed_ends_everything_with_an_error(launched) -> None:
    process, log = launched('live.launch.py', 'camera:=none')
    text = wait_for(log, 'looking at /image_raw')
    os.kill(pid(text, 'emotion_node'), signal.SIGKILL)
    assert process.wait(timeout=DEADLINE_S) == 1
    assert 'emotion_node-1 has ended with exit code -9' in log.read_text(errors='replace')


def test_a_replay_ends_with_its_bag_and_without_an_error(launched, tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    assert fer(['record-demo', str(bag), '--seconds', '0.5', '--rate', '10']) == 0
    process, log = launched('replay.launch.py', f'bag:={bag}', 'lossless:=true')
    assert process.wait(timeout=DEADLINE_S) == 0, log.read_text()
    assert 'the bag has ended after' in log.read_text(errors='replace')
