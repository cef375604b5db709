# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files start, as the plain data that they hand to ROS's launch.

These run everywhere; test_launch_files.py gives the same plans to the real launch where it is
installed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from fer_ros.data.bag_writer import BagWriter
from fer_ros.errors import FerError
from fer_ros.launching import plans
from fer_ros.launching.arguments import Given
from fer_ros.launching.plans import Plan
from fer_ros.launching.processes import RVIZ_TOPICS, Node, Process

FILES = ('live', 'replay', 'multi_camera')


@pytest.fixture(autouse=True)
def prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An ament prefix to install packages into, before the one that has fer_ros."""
    index = tmp_path / 'prefix' / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    others = os.environ.get('AMENT_PREFIX_PATH', sys.prefix)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path / "prefix"}{os.pathsep}{others}')
    return index


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag of everything: images and their camera_info, and what an earlier run said of them."""
    path = tmp_path_factory.mktemp('bags') / 'everything'
    with BagWriter(path) as writer:
        for topic, kind in (
            ('/image_raw', 'sensor_msgs/msg/Image'),
            ('/image_annotated', 'sensor_msgs/msg/Image'),
            ('/cam/rgb/compressed', 'sensor_msgs/msg/CompressedImage'),
            ('/camera_info', 'sensor_msgs/msg/CameraInfo'),
            ('/emotions', 'fer_msgs/msg/EmotionArray'),
            ('/tf', 'geometry_msgs/msg/TransformStamped'),
            ('/depth/image', 'sensor_msgs/msg/Image'),
            ('/depth/camera_info', 'sensor_msgs/msg/CameraInfo'),
            ('/scan', 'sensor_msgs/msg/LaserScan'),
            ('/tf_static', 'geometry_msgs/msg/TransformStamped'),
        ):
            writer.add_topic(topic, kind)
    return path


def given(name: str, pushed_namespace: str = '', **values: str) -> Given:
    """Return the arguments of a launch file: its defaults, and what somebody gave."""
    arguments = getattr(plans, f'{name}_arguments')()
    assert values.keys() <= {argument.name for argument in arguments}
    defaults = {a.name: a.default for a in arguments if a.default is not None}
    return Given({**defaults, **values}, pushed_namespace)


def plan(name: str, pushed_namespace: str = '', **values: str) -> Plan:
    made: Plan = getattr(plans, name)(given(name, pushed_namespace, **values))
    return made


def node(made: Plan, executable: str) -> Node:
    (found,) = [p for p in made.processes if isinstance(p, Node) and p.executable == executable]
    return found


def names(made: Plan) -> list[str]:
    return [p.executable if isinstance(p, Node) else ' '.join(p.command[:3])
            for p in made.processes]  # fmt: skip


@pytest.mark.parametrize('name', FILES)
def test_every_argument_says_what_it_is(name: str) -> None:
    arguments = {argument.name: argument for argument in getattr(plans, f'{name}_arguments')()}
    assert {'params_file', 'detector', 'model', 'backend', 'image_transport', 'namespace',
            'use_sim_time', 'respawn', 'log_level'} <= arguments.keys()  # fmt: skip
    assert all(len(argument.description) > 9 for argument in arguments.values())
    assert arguments['detector'].choices == ('', 'builtin', 'yunet', 'haar')
    assert arguments['respawn'].choices == ('true', 'false')


@pytest.mark.parametrize(
    'name, values, expected',
    [
        pytest.param('live', {}, ['camera_node', 'emotion_node'], id='live'),
        pytest.param('live', {'camera': 'none'}, ['emotion_node'], id='another camera'),
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
def test_what_is_started(name: str, values: dict[str, str], expected: list[str]) -> None:
    assert names(plan(name, **values)) == expected


@pytest.mark.parametrize(
    'packages, values, expected',
    [
        pytest.param([], {}, ['emotion_node', 'bag_player_node'], id='wheels'),
        pytest.param(['ros2bag'], {}, ['emotion_node', 'ros2 bag play'], id='ros2 bag'),
        pytest.param(
            ['ros2bag'],
            {'lossless': 'true', 'record': 'out'},
            ['emotion_node', 'ros2 bag record', 'bag_player_node'],
            id='lossless needs ours',
        ),
        pytest.param(
            [],
            {'record': 'out'},
            ['emotion_node', 'bag_recorder_node', 'bag_player_node'],
            id='recorded',
        ),
    ],
)
def test_a_replay_uses_what_is_installed(
    prefix: Path, bag: Path, packages: list[str], values: dict[str, str], expected: list[str]
) -> None:
    for package in packages:
        (prefix / package).touch()
    assert names(plan('replay', bag=str(bag), **values)) == expected


@pytest.mark.parametrize(
    'pushed, values, expected',
    [
        pytest.param('', {}, '/emotions', id='top'),
        pytest.param('/robot', {}, '/robot/emotions', id='pushed'),
        pytest.param('/robot', {'namespace': 'head'}, '/robot/head/emotions', id='below'),
        pytest.param('/robot', {'namespace': '/head'}, '/head/emotions', id='absolute'),
    ],
)
@pytest.mark.parametrize('packages', [[], ['ros2bag']], ids=['wheels', 'ros2 bag'])
def test_a_replay_works_in_a_pushed_namespace(
    prefix: Path, bag: Path, packages: list[str], pushed: str, values: dict[str, str], expected: str
) -> None:
    for package in packages:
        (prefix / package).touch()
    made = plan('replay', pushed, bag=str(bag), record='out', lossless='true', **values)
    player = node(made, 'bag_player_node')
    assert isinstance(player.parameters[-1], dict)
    assert player.parameters[-1]['results_topic'] == expected
    # A delayed action has forgotten what was pushed, so that its namespace must be complete.
    assert player.delay_s > 0
    assert player.namespace == expected.removesuffix('emotions').rstrip('/') or '/'
    recorded = (
        made.processes[1].command
        if packages
        else node(made, 'bag_recorder_node').parameters[-1]['topics'].split(',')  # type: ignore[index]
    )
    assert expected in recorded
    assert expected.replace('emotions', 'labels') in recorded


def test_log_levels_and_rviz_know_the_pushed_namespace(prefix: Path) -> None:
    (prefix / 'rviz2').touch()
    made = plan('live', '/robot', namespace='head', camera='demo', rviz='true', log_level='debug')
    for name in ('emotion_node', 'camera_node'):
        process = node(made, name)
        assert (process.nodes, process.log_level) == ((f'/robot/head/{name}',), 'debug')
    rviz = node(made, 'rviz2')
    assert rviz.remappings == (('/image_annotated', '/robot/head/image_annotated'),)
    assert rviz.arguments[-2:] == ('-f', 'robot/head_optical_frame')


def test_a_shared_process_is_given_names_below_its_own_namespace() -> None:
    made = plan('multi_camera', '/robot', cameras='a,b', namespace='eyes', shared='true')
    shared = node(made, 'multi_emotion_node')
    assert (shared.namespace, shared.arguments) == ('eyes', ('a', 'b'))
    assert shared.nodes == ('/robot/eyes/a/emotion_node', '/robot/eyes/b/emotion_node')
    assert [p.namespace for p in made.processes if isinstance(p, Node)][:2] == ['eyes/a', 'eyes/b']


@pytest.mark.parametrize('name', ['live', 'multi_camera'])
def test_what_is_not_given_does_not_overrule_a_parameter_file(name: str) -> None:
    made = plan(name, camera='none')
    assert made.parameters == {}
    assert all(len(p.parameters) == 1 for p in made.processes if isinstance(p, Node))


def test_a_replay_takes_simulated_time_below_the_parameter_file(bag: Path) -> None:
    made = plan('replay', bag=str(bag))
    assert made.parameters == {'use_sim_time': True}
    assert len(node(made, 'emotion_node').parameters) == 1
    made = plan('replay', bag=str(bag), use_sim_time='false')
    assert made.parameters == {'use_sim_time': False}


def test_what_is_given_comes_on_top_of_the_parameter_file() -> None:
    made = plan('live', camera='none', detector='haar', autostart='false', use_sim_time='true')
    file, parameters = node(made, 'emotion_node').parameters
    assert str(file).endswith('emotion_node.yaml')
    assert parameters == {'autostart': False, 'use_sim_time': True, 'detection.backend': 'haar'}


def test_rviz_shows_one_image_in_the_whole_window(root: Path) -> None:
    view = yaml.safe_load((root / 'rviz' / 'fer.rviz').read_text())
    displays = view['Visualization Manager']['Displays']
    assert [d['Topic']['Value'] for d in displays] == [f'/{name}' for name in RVIZ_TOPICS]
    docks = {d['Name'] for d in displays} | {panel['Name'] for panel in view['Panels']}
    state = bytes.fromhex(view['Window Geometry']['QMainWindow State'])
    # Qt writes the names of the docks that it has a place for.
    assert all(name.encode('utf-16-be') in state for name in docks)


@pytest.mark.parametrize(
    'values, expected',
    [
        pytest.param({}, ['/image_raw', '/camera_info', '/tf_static'], id='images'),
        pytest.param(
            {'image_topic': 'cam/rgb'}, ['/cam/rgb/compressed', '/tf_static'], id='compressed'
        ),
        pytest.param(
            {'topics': '/scan,/tf'},
            ['/image_raw', '/camera_info', '/tf_static', '/scan', '/tf'],
            id='and more',
        ),
        pytest.param(
            {'depth_topic': 'depth/image'},
            ['/image_raw', '/camera_info', '/tf_static', '/depth/image', '/depth/camera_info'],
            id='depth',
        ),
    ],
)
def test_only_inputs_of_a_bag_are_played(
    prefix: Path, bag: Path, values: dict[str, str], expected: list[str]
) -> None:
    player = node(plan('replay', bag=str(bag), **values), 'bag_player_node')
    assert player.parameters[-1]['topics'].split(',') == expected  # type: ignore[index]
    (prefix / 'ros2bag').touch()
    process: Process = plan('replay', bag=str(bag), loop='true', **values).processes[-1]
    assert process.command[process.command.index('--topics') + 1 :] == tuple(expected)


@pytest.mark.parametrize(
    'topic, info',
    [('image_raw', 'camera_info'), ('/cam/color/image_raw', '/cam/color/camera_info')],
)
def test_camera_info_lies_beside_the_images(prefix: Path, topic: str, info: str) -> None:
    (prefix / 'v4l2_camera').touch()
    for camera, executable in (('opencv', 'camera_node'), ('v4l2_camera', 'v4l2_camera_node')):
        made = plan('live', camera=camera, image_topic=topic)
        assert ('camera_info', info) in node(made, executable).remappings


def test_each_camera_driver_has_a_frame_of_its_own(prefix: Path) -> None:
    for package, name in (('v4l2_camera', 'camera_frame_id'), ('usb_cam', 'frame_id')):
        (prefix / package).touch()
        made = plan('multi_camera', cameras='a,b', camera=package)
        frames = [p.parameters[0][name] for p in made.processes[:2]]  # type: ignore[union-attr]
        assert frames == ['a_optical_frame', 'b_optical_frame']


@pytest.mark.parametrize(
    'respawn, ends', [('false', [True, True]), ('true', [False, False])], ids=['end', 'respawn']
)
def test_everything_ends_with_a_node_that_is_not_started_again(
    respawn: str, ends: list[bool]
) -> None:
    made = plan('live', camera='demo', respawn=respawn)
    assert [p.ends_all for p in made.processes] == ends
    assert [p.respawn for p in made.processes] == [not end for end in ends]


@pytest.mark.parametrize(
    'name, values, message',
    [
        pytest.param('live', {'camera': 'v4l2_camera'}, 'ros-.*-v4l2-camera', id='driver'),
        pytest.param('live', {'camera': 'demo', 'rviz': 'true'}, 'ros-.*-rviz2', id='rviz2'),
        pytest.param('live', {'rate': 'fast'}, 'rate:=fast: expected a number', id='rate'),
        pytest.param('live', {'rate': 'inf'}, 'rate:=inf: expected a number', id='endless rate'),
        pytest.param('live', {'params_file': '/gone'}, '/gone does not exist', id='file'),
        pytest.param(
            'live',
            {'camera': 'demo', 'image_transport': 'compressed'},
            'raw images only',
            id='jpeg',
        ),
        pytest.param('replay', {'bag': '/gone'}, 'bag:=/gone does not exist', id='bag'),
        pytest.param('replay', {'bag': '/'}, '/ is not a rosbag2', id='no bag'),
        pytest.param('replay', {'record': '/'}, 'exists already', id='record'),
        pytest.param('replay', {'image_topic': '/x'}, 'no images there, but on: /cam', id='topic'),
        pytest.param('replay', {'topics': '/y'}, 'the bag has no /y', id='topics'),
        pytest.param('replay', {'depth_topic': '/z'}, 'no such topic', id='depth'),
        pytest.param('multi_camera', {'cameras': 'a,a'}, 'different names', id='names'),
        pytest.param('multi_camera', {'devices': '/dev/video0'}, '3 cameras, but 1', id='devices'),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_sentence(
    bag: Path, name: str, values: dict[str, str], message: str
) -> None:
    if name == 'replay':
        values = {'bag': str(bag), **values}
    with pytest.raises(FerError, match=message):
        plan(name, **values)
