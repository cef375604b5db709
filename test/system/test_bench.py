# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`fer bench` in its smallest form; that figures are there and add up, not how large they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_ros.cli import main
from fer_ros.config import DetectionConfig
from fer_ros.detection import make_detector
from fer_ros.measuring.contest import plain_reason
from fer_ros.measuring.goals import check_goals, cost_of_a_face_ms
from fer_ros.measuring.report import report, table
from fer_ros.measuring.scenes import GRIDS, make_scene


@pytest.fixture(scope='module')
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp('bench')
    run = subprocess.run(
        [sys.executable, '-m', 'fer_ros.cli', 'bench', '--json', '--quick', '--output', folder],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (line,) = run.stdout.splitlines()
    return json.loads(line), folder


def test_the_contract(measured: tuple[dict, Path]) -> None:
    result, _ = measured
    assert result['machine']['cores'] >= 1
    assert result['frames_per_second']['fer_ros'].keys() == {'1', '2'}
    for system in ('detector alone', 'classifier alone'):
        assert result['frames_per_second'][system]['1'] > 0
    assert result['ratios']['library over its kernels, 1 face'] > 0
    latency = result['latency_ms']
    assert 0 < latency['median'] <= latency['p95'] <= latency['p99']
    assert {'sent', 'received', 'answered'} <= result['frames'].keys()
    assert result['start_s'] > 0
    assert result['resident_mb'] > 20
    assert result['cpu_cores'] > 0


def test_every_image_is_accounted_for(measured: tuple[dict, Path]) -> None:
    frames = measured[0]['frames']
    assert frames['sent'] == 60
    assert 0 < frames['received'] <= frames['sent']
    assert frames['received'] == frames['answered'] + frames['dropped']


def test_everybody_is_found_and_nothing_heavy_loaded(measured: tuple[dict, Path]) -> None:
    result, _ = measured
    # Noise in the scenes may look like a face for an image or two.
    assert result['faces_found']['fer_ros'] == pytest.approx({'1': 1.0, '2': 2.0}, rel=0.15)
    assert result['heavy_libraries'] == []
    assert result['left_out'] == {}


def test_files_and_tables(measured: tuple[dict, Path]) -> None:
    result, folder = measured
    assert json.loads((folder / 'bench.json').read_text()) == result
    for name in ('speed_systems', 'speed_latency'):
        assert (folder / f'{name}.png').stat().st_size > 5000
    parts = report(result)
    assert '| fer_ros ' in parts['systems']
    assert len(parts['goals'].splitlines()) == 2 + len(result['goals'])


@pytest.mark.parametrize('faces', [faces for faces in GRIDS if faces])
def test_scenes_show_as_many_faces_as_they_say(faces: int) -> None:
    scene = make_scene(faces)
    assert scene.shape[1:] == (480, 640, 3)
    assert scene.dtype == np.uint8
    assert len(make_detector(DetectionConfig()).detect(scene[0])) == faces


def test_goals_that_are_missed_are_said() -> None:
    result = {
        'frames_per_second': {
            'fer_ros': {'1': 100.0, '2': 50.0},
            'classifier alone': {'1': 500.0, '2': 250.0},
        },
        'ratios': {'library over its kernels, 1 face': 1.2, 'fer Haar, 1 face': 9.0},
    }
    found = {goal['goal']: (goal['found'], goal['reached']) for goal in check_goals(result)}
    assert found == {
        'frames a second against fer Haar, 1 face': ('9.0x', False),
        'library call against detector and classifier alone': ('1.20x', True),
        # 10 ms a further face where the classifier takes 2.
        "a further face against the classifier's own": ('5.00x', False),
    }


def test_a_reason_says_nothing_of_this_machine() -> None:
    said = (
        f'ValueError:  no file at https://a.example/b.h5, put it into {Path.home()}/w. \U0001f517'
    )
    assert plain_reason(said) == 'ValueError: no file at (address), put it into ~/w.'


def test_the_cost_of_a_face_is_the_slope() -> None:
    assert cost_of_a_face_ms({'1': 3.0, '2': 5.0, '4': 9.0}) == pytest.approx(2.0)


def test_a_table_has_columns_of_one_width() -> None:
    lines = table(('a', 'b'), [('long', '1')]).splitlines()
    assert lines == ['| a    | b   |', '| ---- | --- |', '| long | 1   |']


def test_peers_that_are_not_installed_are_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('fer_ros.commands.bench.REPOSITORY', tmp_path)
    assert main(['bench', '--peers', '--quick']) == 1
    assert '--peers needs a clone of the repository' in capsys.readouterr().err
