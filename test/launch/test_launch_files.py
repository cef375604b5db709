# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch files given to the real launch and ros2 launch, where those are installed.

What they start is tested in test_plans.py, everywhere.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip('launch_ros', reason='launch_ros is not installed')

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, ExecuteProcess
from launch.events.process import ProcessExited
from launch_ros.actions import LifecycleNode, Node
from launch_ros.utilities import evaluate_parameters

from fer_ros.cli import main as fer
from fer_ros.data.bag_reader import open_bag
from fer_ros.launching import plans
from fer_ros.launching.actions import end_all, to_actions
from fer_ros.launching.arguments import Given

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


def actions(name: str, **values: str) -> list[Any]:
    """Return the actions of a plan, out of their scope."""
    arguments = getattr(plans, f'{name}_arguments')()
    defaults = {a.name: a.default for a in arguments if a.default is not None}
    (group,) = to_actions(getattr(plans, name)(Given({**defaults, **values})))
    return list(group.get_sub_entities())


@pytest.mark.parametrize('name', ['live', 'replay', 'multi_camera'])
def test_the_arguments_are_declared(root: Path, name: str) -> None:
    declared = load(root, name).get_launch_arguments()
    planned = getattr(plans, f'{name}_arguments')()
    assert [a.name for a in declared] == [a.name for a in planned]
    assert {a.name: tuple(a.choices) for a in declared if a.choices} == {
        a.name: a.choices for a in planned if a.choices
    }
    assert all(isinstance(a, DeclareLaunchArgument) for a in declared)


def test_a_plan_becomes_nodes() -> None:
    camera, emotion = (a for a in actions('live', camera='demo') if isinstance(a, Node))
    assert (camera.node_executable, emotion.node_executable) == ('camera_node', 'emotion_node')
    assert isinstance(emotion, LifecycleNode)
    # Set for the process alone, so that nothing leaks into what an including file starts later.
    assert emotion.additional_env


def test_text_stays_text_and_is_given_to_the_node_by_its_full_name() -> None:
    (camera, _) = (a for a in actions('live', device='0', namespace='head') if isinstance(a, Node))
    *_, path = evaluate_parameters(LaunchContext(), camera._Node__parameters)
    content = yaml.safe_load(path.read_text())
    assert content['/head/camera_node']['ros__parameters']['source'] == '0'


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
    action = end_all(exited(returncode), context)
    assert isinstance(action, EmitEvent) == ends


def test_an_essential_node_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match='node-1 has ended with exit code -11'):
        end_all(exited(-11), LaunchContext())


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

    def launch(name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        file = [name] if '/' in name else ['fer_ros', name]
        environment = {**os.environ, 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}'}
        with log.open('wb') as stream:
            running.append(
                subprocess.Popen(
                    [sys.executable, '-c', LAUNCH, 'launch', *file, *arguments],
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
    text = wait_for(log, 'subscribed to /image_raw')
    wait_for(log, '30 frames per second')
    os.kill(pid(text, 'emotion_node'), signal.SIGKILL)
    wait_for(log, 'subscribed to /image_raw', 2)
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
    text = wait_for(log, 'subscribed to /image_raw')
    os.kill(pid(text, 'emotion_node'), signal.SIGKILL)
    assert process.wait(timeout=DEADLINE_S) == 1
    assert 'emotion_node-1 has ended with exit code -9' in log.read_text(errors='replace')


def test_a_replay_ends_with_its_bag_and_without_an_error(launched, tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    assert fer(['record-demo', str(bag), '--seconds', '0.5', '--rate', '10']) == 0
    process, log = launched('replay.launch.py', f'bag:={bag}', 'lossless:=true')
    assert process.wait(timeout=DEADLINE_S) == 0, log.read_text()
    assert 'the bag has ended after' in log.read_text(errors='replace')


BRINGUP = """
    from launch import LaunchDescription
    from launch.actions import ExecuteProcess, GroupAction, IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource
    from launch_ros.actions import PushRosNamespace

    def generate_launch_description():
        ours = IncludeLaunchDescription(
            PythonLaunchDescriptionSource({file!r}), launch_arguments={arguments!r}.items()
        )
        names = 'import os; print("leaked:", *(n for n in os.environ if "DEFAULT_PROF" in n))'
        return LaunchDescription([
            GroupAction([PushRosNamespace('robot'), ours]),
            ExecuteProcess(cmd=[{python!r}, '-c', names], output='screen'),
        ])
"""


def bringup(root: Path, folder: Path, name: str, **arguments: str) -> str:
    """Return a launch file as bringups are: ours, included in a pushed namespace."""
    path = folder / 'bringup.launch.py'
    file = str(root / 'launch' / f'{name}.launch.py')
    text = BRINGUP.format(file=file, arguments=arguments, python=sys.executable)
    path.write_text(textwrap.dedent(text))
    return str(path)


def test_a_replay_in_a_pushed_namespace(launched, root: Path, tmp_path: Path) -> None:
    bag, out = tmp_path / 'bag', tmp_path / 'out'
    assert fer(['record-demo', str(bag), '--seconds', '1', '--rate', '10']) == 0
    process, log = launched(
        bringup(
            root, tmp_path, 'replay', bag=str(bag), record=str(out), lossless='true',
            log_level='warn',
        )
    )  # fmt: skip
    assert process.wait(timeout=DEADLINE_S) == 0, log.read_text()
    text = log.read_text(errors='replace')
    assert 'no result within' not in text
    assert 'subscribed to' not in text
    assert re.search(r'leaked: *$', text, re.MULTILINE), text
    with open_bag(out) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert counts['/robot/emotions'] == 10


def test_a_shared_process_in_a_pushed_namespace(launched, root: Path, tmp_path: Path) -> None:
    _, log = launched(
        bringup(root, tmp_path, 'multi_camera', cameras='a,b', camera='demo', shared='true')
    )
    wait_for(log, '/robot/a/image_raw')
    assert 'track_id: ' in echo('/robot/a/emotions')
    assert 'track_id: ' in echo('/robot/b/emotions')


@pytest.mark.parametrize(
    'given, topic',
    [
        pytest.param([], '/image_raw/compressed', id='not given'),
        pytest.param(['image_transport:=raw'], '/image_raw', id='given'),
        pytest.param(
            ['image_transport:=raw', 'use_sim_time:=false'], '/image_raw', id='all nodes set'
        ),
    ],
)
def test_only_what_is_given_overrules_a_parameter_file(
    launched, tmp_path: Path, given: list[str], topic: str
) -> None:
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/emotion_node: {ros__parameters: {image_transport: compressed}}')
    _, log = launched('live.launch.py', 'camera:=none', f'params_file:={file}', *given)
    text = wait_for(log, 'subscribed to ')
    assert re.search(rf'subscribed to {topic}\b(?!/)', text), text
