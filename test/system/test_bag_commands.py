# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""fer record-demo, fer evaluate bag and bags, from end to end."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.config import PipelineConfig
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import messages
from fer_ros.evaluation.bags import BagTask, evaluate_here, evaluate_on_ray, write_summary
from fer_ros.messages.images import image_message


def record(path: Path, *options: str, seconds: float = 4.5) -> Path:
    assert main(['record-demo', str(path), '--seconds', str(seconds), '--rate', '6', *options]) == 0
    return path


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    'storage, options',
    [
        pytest.param('mcap', (), id='raw mcap'),
        pytest.param('sqlite3', ('--compressed',), id='jpeg sqlite3'),
    ],
)
def test_every_image_is_processed_and_twice_the_same(
    tmp_path: Path, storage: str, options: tuple[str, ...]
) -> None:
    bag = record(tmp_path / 'demo', '--storage', storage, *options)
    for name in ('first', 'second'):
        arguments = ['evaluate', 'bag', str(bag), '--labels', str(bag / 'labels.csv')]
        assert main([*arguments, '--output', str(tmp_path / name)]) == 0
    first = contents(tmp_path / 'first')
    assert first == contents(tmp_path / 'second')
    assert set(first) == {
        'emotions/emotions.mcap', 'emotions/metadata.yaml', 'faces.csv', 'report.html',
        'results.json',
    }  # fmt: skip
    facts = json.loads(first['results.json'])
    assert (facts['images'], facts['bad_images']) == (27, 0)
    assert facts['frames']['count'] == 17
    assert facts['frames']['accuracy'] > 0.8
    assert [person['track_id'] for person in facts['persons']] == [1, 2]
    with (tmp_path / 'first' / 'faces.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert {int(row['frame']) for row in rows} == set(range(27))
    assert first['report.html'].decode().count('<svg') == 2
    with open_bag(tmp_path / 'first' / 'emotions') as reader:
        results = [reader.deserialize(d, c.msgtype) for c, _, d in messages(reader, '/emotions')]
    assert len(results) == 27
    assert results[10].model_id == facts['model']
    assert results[10].header.stamp.sec == 1_700_000_001


def test_labels_of_a_topic_and_bad_images(tmp_path: Path, astronaut: np.ndarray) -> None:
    bag = tmp_path / 'bag'
    with BagWriter(bag) as writer:
        for number in range(4):
            log_ns = 10**9 * (number + 1)
            header = writer.header(log_ns, 'camera')
            message = image_message(writer.make, astronaut, header)
            if number == 2:
                message.height = 9999
            label = writer.make('std_msgs/msg/String', data='happy' if number else '')
            writer.write('/truth', log_ns, label)
            writer.write('/cam', log_ns, message)
    assert main(['evaluate', 'bag', str(bag), '--label-topic', '/truth',
                 '--output', str(tmp_path / 'out')]) == 0  # fmt: skip
    facts = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert (facts['images'], facts['bad_images'], facts['frames']['count']) == (4, 1, 2)
    assert facts['frames']['accuracy'] == 1.0


def test_a_folder_of_bags_with_a_damaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ('a', 'deep/b'):
        record(tmp_path / 'in' / name, '--compressed', seconds=2)
    (tmp_path / 'in' / 'broken').mkdir()
    (tmp_path / 'in' / 'broken' / 'metadata.yaml').write_text('{')
    out = tmp_path / 'out'
    arguments = ['evaluate', 'bags', str(tmp_path / 'in'), '--output', str(out), '--jobs', '2']
    assert main(arguments) == 1
    summary = json.loads((out / 'summary.json').read_text())
    assert [bag['name'] for bag in summary['bags']] == ['a', 'b']
    assert 'broken' in summary['failed']
    assert summary['together']['count'] == 2 * 8
    assert contents(out / 'a').keys() == contents(out / 'b').keys()
    assert 'broken is not a rosbag2' in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments, message',
    [
        pytest.param(['bag', '/nowhere'], 'bag /nowhere does not exist', id='no bag'),
        pytest.param(['bags', '/', '--output', 'x', '--set', 'a'], 'NAME=VALUE', id='setting'),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['evaluate', *arguments]) == 1
    assert message in capsys.readouterr().err


def test_the_image_topic_must_be_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = record(tmp_path / 'demo', '--topic', '/left', seconds=0.5)
    assert main(['evaluate', 'bag', str(bag), '--topic', '/right']) == 1
    assert 'no image topic /right; it has: /left' in capsys.readouterr().err


def test_ray_gives_what_one_process_gives_though_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip('ray', reason='Ray is not installed (pip install ray)')
    import fer_ros.evaluation.bags as bags

    config = PipelineConfig()
    paths = [record(tmp_path / name, '--compressed', seconds=1) for name in ('a', 'b', 'c')]
    tasks = [BagTask(path, config) for path in paths]
    serial = write_summary(tasks, evaluate_here(tasks, 1), tmp_path / 'serial', print)
    evaluate = bags.evaluate_task

    def fragile(task: BagTask) -> bags.BagResult:
        mark = task.path / 'killed'
        if task.path.name == 'a' and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return evaluate(task)

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        monkeypatch.setattr(bags, 'evaluate_task', fragile)
        parallel = write_summary(tasks, evaluate_on_ray(tasks, 'auto'), tmp_path / 'ray', print)
    finally:
        ray.shutdown()
    assert (tmp_path / 'a' / 'killed').exists()
    assert parallel == serial
    assert contents(tmp_path / 'ray') == contents(tmp_path / 'serial')


def test_ray_that_is_not_installed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = record(tmp_path / 'in' / 'a', seconds=0.2)
    monkeypatch.setitem(sys.modules, 'ray', None)
    arguments = ['evaluate', 'bags', str(bag.parent), '--output', str(tmp_path), '--ray', 'auto']
    assert main(arguments) == 1
    assert 'pip install ray' in capsys.readouterr().err
