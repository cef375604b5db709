# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What keeps every node alike from starting is one sentence, and an error to whoever started it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer_ros.nodes.camera_node import CameraNode


@pytest.mark.parametrize(
    'arguments, message',
    [
        pytest.param(('-r', 'image'), "parse remap rule: '-r image'", id='remapping'),
        pytest.param(('-p', 'rate_hz'), "parse parameter override rule: '-p rate_hz'", id='value'),
        pytest.param(('--log-level', 'loud'), "parse log level: '--log-level loud'", id='level'),
        pytest.param(('--params-file', '/gone.yaml'), '/gone.yaml', id='file'),
        pytest.param(('--rate', '30'), "unknown ROS arguments: ['--rate', '30']", id='unknown'),
    ],
)
def test_wrong_ros_arguments(refusal, arguments: tuple[str, ...], message: str) -> None:
    assert message in refusal(CameraNode, *arguments)


def test_a_process_that_cannot_start_ends_with_an_error(start) -> None:
    node = start('camera_node', '-p', 'width_px:=1')
    assert node.wait() == 1
    assert 'Parameter width_px out of range. Min: 16, Max: 7680, value: 1' in node.output
    assert 'Traceback' not in node.output


@pytest.mark.parametrize('keystore', ['missing', 'empty'])
def test_security_without_keys(
    refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keystore: str
) -> None:
    keys = tmp_path / 'keys'
    if keystore == 'empty':
        (keys / 'enclaves' / 'fer' / 'camera_node').mkdir(parents=True)
    monkeypatch.setenv('ROS_SECURITY_KEYSTORE', str(keys))
    monkeypatch.setenv('ROS_SECURITY_ENABLE', 'true')
    monkeypatch.setenv('ROS_SECURITY_STRATEGY', 'Enforce')
    refusal(CameraNode, '--enclave', '/fer/camera_node')


@pytest.mark.parametrize('name', ['camera_node', 'emotion_node'])
def test_ctrl_c_again_and_again_is_a_clean_end(listener, start, name: str) -> None:
    node = start(name)
    listener.until(lambda: name in listener.get_node_names(), 'the node')
    shown = ('subscribed to', 'frames per second')
    listener.until(lambda: any(text in node.output for text in shown), 'its start')
    status = None
    while status is None:
        node.signal(signal.SIGINT)
        try:
            status = node.wait(0.05)
        except TimeoutError:
            continue
    assert status == 0
    assert 'Traceback' not in node.output
    assert 'Exception ignored' not in node.output


def test_a_misspelt_parameter_is_named(listener, start) -> None:
    node = start('camera_node', '-p', 'source:=demo', '-p', 'rate_hs:=5.0', '-p', 'other:=1')
    listener.until(lambda: 'no parameter rate_hs' in node.output, 'the warning')
    assert 'it is ignored; did you mean rate_hz?' in node.output
    assert 'no parameter other' not in node.output


INTERRUPTED_AT = """
import os, signal, sys
from fer_ros.programs import run
node, module = sys.argv.pop(1), sys.argv.pop(1)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
run(node)
"""


@pytest.mark.parametrize(
    'node, module, status',
    [
        pytest.param('emotion_node', 'numpy', -signal.SIGINT, id='imports begin'),
        pytest.param('camera_node', 'rclpy', -signal.SIGINT, id='imports of ROS'),
        pytest.param('emotion_node', 'ai_edge_litert.interpreter', 0, id='a model is loaded'),
    ],
)
def test_ctrl_c_while_a_node_starts_is_quiet(node: str, module: str, status: int) -> None:
    run = subprocess.run(
        [sys.executable, '-c', INTERRUPTED_AT, node, module],
        capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert (run.returncode, run.stdout + run.stderr) == (status, '')
