# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What others may rely on, written down: messages, commands, JSON keys, parameters, topics.

``python test/helpers/contract.py FOLDER`` prints those of the fer_ros that is imported, found with
what lies in FOLDER, made if need be; test_contract.py compares them with 0.1.0's.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Contract = dict[str, dict[str, list[str]]]
NODES = ('emotion_node', 'camera_node', 'hri_bridge_node', 'bag_player_node')
COMMANDS = {
    'image': 'image {0}/photo.png --json',
    'video': 'video {0}/clip.mp4 --json',
    'evaluate dataset': 'evaluate dataset {0}/faces.npz --split training --labels fer2013 --json',
    'evaluate bag': 'evaluate bag {0}/bag --labels {0}/bag/labels.csv --json',
}


def make_inputs(folder: Path) -> None:
    """Write a photo, a clip, labelled faces and a bag with labels."""
    from fer_ros.images.demo import DemoSource, demo_photos

    cv2.imwrite(str(folder / 'photo.png'), demo_photos()[0])
    codec, demo = cv2.VideoWriter.fourcc(*'mp4v'), DemoSource((320, 240))
    clip = cv2.VideoWriter(str(folder / 'clip.mp4'), codec, 15, (320, 240))
    for number in range(4):
        clip.write(demo.at(4 + number / 15))
    clip.release()
    faces = np.random.default_rng(0).integers(0, 256, (14, 48, 48), np.uint8)
    labels = np.arange(14, dtype=np.uint8) % 7
    np.savez(folder / 'faces.npz', images=faces, labels=labels, usage=np.zeros(14, np.uint8))
    run('record-demo', '--seconds', '5', '--rate', '5', str(folder / 'bag'))


def run(*arguments: str) -> str:
    """Return what a command of fer prints."""
    from fer_ros.cli import main

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(arguments) == 0, arguments
    return printed.getvalue()


def messages(root: Path) -> dict[str, list[str]]:
    """Return the fields and constants of every message and service, without comments."""
    found = {}
    for path in sorted((root / 'fer_msgs').rglob('*.[ms][sr][gv]')):
        lines = [line.partition('#')[0].strip() for line in path.read_text().splitlines()]
        found[path.name] = [line for line in lines if line]
    return found


def options() -> dict[str, list[str]]:
    """Return the options of every command."""
    from fer_ros.cli import make_parser

    found: dict[str, list[str]] = {}

    def walk(parser: argparse.ArgumentParser) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for inner in action.choices.values():
                    walk(inner)
        found[parser.prog] = sorted(parser._option_string_actions)

    walk(make_parser())
    return found


def keys(value: Any, path: str = '') -> set[str]:
    """Return the paths of all keys of parsed JSON; items of a list share theirs, ids are '#'."""
    found: set[str] = set()
    for name, inner in value.items() if isinstance(value, dict) else ():
        name = '#' if name.isdigit() else name
        found |= {f'{path}{name}', *keys(inner, f'{path}{name}.')}
    for inner in value if isinstance(value, list) else ():
        found |= keys(inner, f'{path.removesuffix(".")}[].')
    return found


def json_keys(folder: Path) -> dict[str, list[str]]:
    """Return the keys that every command with --json prints."""
    found = {}
    for name, command in COMMANDS.items():
        lines = run(*command.format(folder).split()).splitlines()
        found[name] = sorted(set().union(*(keys(json.loads(line)) for line in lines)))
    return found


def graph(folder: Path) -> Contract:
    """Return parameters, topics and services of every node."""
    import rclpy
    from rcl_interfaces.srv import ListParameters

    from fer_ros.nodes.middleware import prepare_middleware

    prepare_middleware()
    rclpy.init()
    watcher = rclpy.create_node('watcher')
    with (folder / 'nodes.log').open('wb') as log:
        running = [
            subprocess.Popen(
                [sys.executable, '-m', f'fer_ros.nodes.{name}', '--ros-args',
                 '-p', f'bag:={folder / "bag"}', '-p', 'loop:=true',
                 '-p', f'source:={folder / "clip.mp4"}'], stdout=log, stderr=log,
            )
            for name in NODES
        ]  # fmt: skip
    found: Contract = {}
    try:
        for name in NODES:
            client = watcher.create_client(ListParameters, f'/{name}/list_parameters')
            assert client.wait_for_service(60), name
            for _ in range(6):  # Fast DDS may drop a response to a client just discovered
                future = client.call_async(ListParameters.Request())
                rclpy.spin_until_future_complete(watcher, future, timeout_sec=10)
                if future.done():
                    break
            found[name] = {'parameters': sorted(future.result().result.names)}
        time.sleep(1)  # topics are discovered a little later than services
        for name in NODES:
            for what, look in (
                ('publishers', watcher.get_publisher_names_and_types_by_node),
                ('subscribers', watcher.get_subscriber_names_and_types_by_node),
                ('services', watcher.get_service_names_and_types_by_node),
            ):
                found[name][what] = sorted(f'{n} {kinds[0]}' for n, kinds in look(name, '/'))
    finally:
        for process in running:
            process.kill()
            process.wait()
        watcher.destroy_node()
        rclpy.shutdown()
    return found


def contract(root: Path, folder: Path) -> Contract:
    """Return all of it as {what: {of: names}}."""
    nodes = graph(folder)
    return {
        'messages': messages(root),
        'options': options(),
        'json': json_keys(folder),
        **{
            what: {name: nodes[name][what] for name in NODES}
            for what in ('parameters', 'publishers', 'subscribers', 'services')
        },
    }


if __name__ == '__main__':
    given = Path(sys.argv[1]).absolute()
    if not given.exists():
        given.mkdir(parents=True)
        make_inputs(given)
    print(json.dumps(contract(Path.cwd(), given), indent=1))
