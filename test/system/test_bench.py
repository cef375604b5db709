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
from helpers.contract import keys

from fer_ros.cli import main
from fer_ros.config import DetectionConfig
from fer_ros.detection import make_detector
from fer_ros.errors import FerError
from fer_ros.measuring.contest import Results, plain_reason
from fer_ros.measuring.report import percentiles, report, table
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
    recorded = json.loads(Path(__file__).with_name('contract_0.1.0.json').read_text())
    assert set(recorded['bench']['fer bench --json']) <= keys(result)
    assert result['machine']['cores'] >= 1
    assert result['frames_per_second']['fer_ros'].keys() == {'1', '2'}
    for system in ('detector alone', 'classifier alone'):
        assert result['frames_per_second'][system]['1'] > 0
    assert result['ratios']['library over its kernels, 1 face'] > 0
    latency = result['latency_ms']
    assert 0 < latency['median'] <= latency['p95'] <= latency['p99']
    assert result['paced_ms'].keys() == {'1 thread'}
    assert result['start_s'] > 0
    assert result['resident_mb'] > 20
    assert result['cpu_cores'] > 0


def test_every_image_is_accounted_for(measured: tuple[dict, Path]) -> None:
    frames = measured[0]['frames']
    assert frames['sent'] == 60
    assert 0 < frames['received'] <= frames['sent']
    assert frames['received'] == frames['processed'] + frames['dropped']
    assert frames['answered'] == frames['processed']


def test_everybody_is_found_and_nothing_heavy_loaded(measured: tuple[dict, Path]) -> None:
    result, _ = measured
    # Noise in the scenes may look like a face for an image or two.
    assert result['faces_found']['fer_ros'] == pytest.approx({'1': 1.0, '2': 2.0}, rel=0.15)
    assert result['heavy_libraries'] == []
    assert result['left_out'] == {}


def test_files_and_tables(measured: tuple[dict, Path]) -> None:
    result, folder = measured
    assert json.loads((folder / 'bench.json').read_text()) == result
    latencies_ms = json.loads((folder / 'latencies.json').read_text())
    assert percentiles(latencies_ms['node']) == result['latency_ms']
    assert '| fer_ros ' in report(result)['systems']


@pytest.mark.parametrize('faces', [faces for faces in GRIDS if faces])
def test_scenes_show_as_many_faces_as_they_say(faces: int) -> None:
    scene = make_scene(faces)
    assert scene.shape[1:] == (480, 640, 3)
    assert scene.dtype == np.uint8
    assert len(make_detector(DetectionConfig()).detect(scene[0])) == faces


def test_a_stream_pays_for_its_slow_calls_and_a_round_for_its_own_moment() -> None:
    """Rounds of 2 and 4 ms against 4 and 12: twice and three times as long, in the median 2.5."""
    contest = Results(ms={'fast': {'1': [[1.0, 3.0], [4.0]]}, 'slow': {'1': [[4.0], [0.0, 24.0]]}})
    assert contest.mean_ms('fast', '1') == 3.0
    assert contest.ratio(['slow'], 'fast', '1') == 2.5
    assert contest.ratio(['slow', 'fast'], 'fast', '1') == 3.5


def test_nothing_has_no_percentiles() -> None:
    assert percentiles(list(range(101))) == {'median': 50, 'p95': 95, 'p99': 99}
    with pytest.raises(FerError, match='no frame was processed'):
        percentiles([])


def test_a_reason_says_nothing_of_this_machine() -> None:
    said = (
        f'ValueError:  no file at https://a.example/b.h5, put it into {Path.home()}/w. \U0001f517'
    )
    assert plain_reason(said) == 'ValueError: no file at (address), put it into ~/w.'


def test_a_table_has_columns_of_one_width() -> None:
    lines = table(('a', 'b'), [('long', '1')]).splitlines()
    assert lines == ['| a    | b   |', '| ---- | --- |', '| long | 1   |']


def test_peers_that_are_not_installed_are_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('fer_ros.commands.bench.REPOSITORY', tmp_path)
    assert main(['bench', '--peers', '--quick']) == 1
    assert '--peers needs a clone of the repository' in capsys.readouterr().err
