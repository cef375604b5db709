# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer bench``: how fast it is here, by itself, against its parts and against others."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fer_ros
from fer_ros.commands.options import add_command
from fer_ros.errors import ConfigError, FerError
from fer_ros.measuring.contest import OURS, Entry, Results, run_contest
from fer_ros.measuring.goals import check_goals
from fer_ros.measuring.machine import describe_machine
from fer_ros.measuring.report import report
from fer_ros.measuring.scenes import make_scene, read_clip, write_scene

REPOSITORY = Path(fer_ros.__file__).resolve().parent.parent
CLIPS = REPOSITORY.parent / 'shared' / 'data' / 'clips'
PEERS = (
    ('fer Haar', 'fer_haar'),
    ('fer MTCNN', 'fer_mtcnn'),
    ('deepface', 'deepface_opencv'),
    ('seed recipe', 'seed_recipe'),
)
STREAM_HZ, CAMERAS_HZ = 30.0, 15.0
KERNELS = ('detector alone', 'classifier alone')


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        faces: in scenes of 640x480.
        sizes: of scenes with one face.
        cameras: how many at once.
        rounds: of the contest; see fer_ros.measuring.contest.
        turn_s: of each system on each scene.
        stream_s: of each stream over DDS.
        starts: of the node.
    """

    faces: tuple[int, ...] = (1, 2, 4, 8, 16)
    sizes: tuple[tuple[int, int], ...] = ()
    cameras: tuple[int, ...] = ()
    rounds: int = 3
    turn_s: float = 0.3
    stream_s: float = 10.0
    starts: int = 3


QUICK = Plan(faces=(1, 2), rounds=1, turn_s=0.1, stream_s=2.0, starts=1)
FULL = Plan(
    sizes=((320, 240), (640, 480), (960, 720), (1280, 720), (1920, 1080)),
    cameras=(1, 2, 3, 4),
    rounds=7,
    stream_s=20.0,
    starts=5,
)


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'bench',
        run,
        'Measure how fast it is here: library, its parts, the node over DDS.',
        'fer bench --peers --full --output bench',
    )
    parser.add_argument('--json', action='store_true', help='print one line of JSON')
    parser.add_argument(
        '--peers',
        action='store_true',
        help='compare with fer, deepface and the usual recipe (benchmarks/install_peers first)',
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--quick', action='store_true', help='seconds, to see that it works')
    length.add_argument(
        '--full', action='store_true', help='longer, with clips, image sizes and several cameras'
    )
    parser.add_argument(
        '--output', type=Path, metavar='FOLDER', help='write bench.json and pictures here'
    )


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    plan = QUICK if options.quick else FULL if options.full else Plan()
    entries = [*OURS, *(_peers() if options.peers else ())]
    result: dict[str, Any] = {'machine': describe_machine()}
    with tempfile.TemporaryDirectory(prefix='fer_bench_') as folder:
        latencies = _measure(plan, entries, Path(folder), result)
    result['goals'] = check_goals(result)
    if options.output:
        _write(result, latencies, options.output)
    if options.json:
        print(json.dumps(result))
    else:
        for name, part in report(result).items():
            print(f'\n## {name}\n\n{part}')
    return 0


def _say(text: str) -> None:
    print(f'fer bench: {text}', file=sys.stderr, flush=True)


def _peers() -> list[Entry]:
    """Return the entries of benchmarks/peers.py; ConfigError where they are not installed."""
    python = REPOSITORY / '.venv-peers' / 'bin' / 'python'
    file = REPOSITORY / 'benchmarks' / 'peers.py'
    if not (python.exists() and file.exists()):
        raise ConfigError(
            '--peers needs a clone of the repository and the environment that '
            'benchmarks/install_peers makes in it'
        )
    return [Entry(name, python, file, factory) for name, factory in PEERS]


def _measure(
    plan: Plan, entries: list[Entry], folder: Path, result: dict[str, Any]
) -> tuple[list[float], list[float]]:
    """Fill *result*; return the latencies of all images over DDS, with the node and without."""
    for faces in plan.faces:
        write_scene(folder, str(faces), make_scene(faces))
    clips = sorted(CLIPS.glob('*.mp4')) if plan.sizes and CLIPS.is_dir() else []
    for clip in clips:
        write_scene(folder, clip.stem, read_clip(clip))
    for width, height in plan.sizes:
        write_scene(folder, f'{width}x{height}', make_scene(1, (width, height)))
    scenes = [*map(str, plan.faces), *(clip.stem for clip in clips)]
    _take_contest(
        run_contest(entries, folder, scenes, plan.rounds, plan.turn_s, _say),
        plan, [clip.stem for clip in clips], result,
    )  # fmt: skip
    if plan.sizes:
        sizes = [f'{width}x{height}' for width, height in plan.sizes]
        grown = run_contest(OURS, folder, sizes, plan.rounds, plan.turn_s, _say)
        result['sizes'] = {
            system: {size: round(grown.median_ms(system, size), 2) for size in sizes}
            for system in grown.ms
        }
    return _measure_streams(plan, folder, result)


def _take_contest(contest: Results, plan: Plan, clips: list[str], result: dict[str, Any]) -> None:
    scenes = [str(faces) for faces in plan.faces]
    fps = {
        system: {scene: 1e3 / contest.median_ms(system, scene) for scene in [*scenes, *clips]}
        for system in contest.ms
    }
    result['frames_per_second'] = {
        system: {scene: round(values[scene], 2) for scene in scenes}
        for system, values in fps.items()
    }
    if clips:
        result['clips'] = {
            system: {clip: round(values[clip], 2) for clip in clips}
            for system, values in fps.items()
        }
    ratios = {
        f'{system}, {scene} face{"s" if scene != "1" else ""}': contest.ratio(
            system, 'fer_ros', scene
        )
        for system in contest.ms
        if system in dict(PEERS)
        for scene in scenes
    }
    for scene in scenes:
        parts = zip(*(contest.ms[part][scene] for part in KERNELS))
        shares = [whole / sum(pair) for whole, pair in zip(contest.ms['fer_ros'][scene], parts)]
        name = f'library over its kernels, {scene} face{"s" if scene != "1" else ""}'
        ratios[name] = float(np.median(shares))
    result['ratios'] = {name: round(value, 3) for name, value in ratios.items()}
    result['about'], result['left_out'] = contest.about, contest.left_out
    result['faces_found'] = {
        system: {scene: round(found, 2) for scene, found in by_scene.items()}
        for system, by_scene in contest.faces.items()
    }


def _percentiles(milliseconds: list[float]) -> dict[str, float]:
    if not milliseconds:
        raise FerError('no image was answered')
    return {
        name: round(float(np.percentile(milliseconds, q)), 2)
        for name, q in (('median', 50), ('p95', 95), ('p99', 99))
    }


def _measure_streams(
    plan: Plan, folder: Path, result: dict[str, Any]
) -> tuple[list[float], list[float]]:
    try:
        from fer_ros.nodes import bench_stream as over_dds
    except ImportError as error:
        raise ConfigError(f'the node is measured over ROS 2, which is not here: {error}') from error
    images = folder / '1.npy'
    _say(f'one camera at {STREAM_HZ:g} Hz for {plan.stream_s:g} s')
    stream = over_dds.measure_stream(images, STREAM_HZ, plan.stream_s, 1, folder)
    latencies_ms = stream.cameras[0].latencies_ms
    result['latency_ms'] = _percentiles(latencies_ms)
    result['frames'] = over_dds.summarise(stream)['frames']
    result['cpu_cores'] = round(stream.cpu_cores, 3)
    result['resident_mb'] = round(stream.resident_mb, 1)
    result['heavy_libraries'] = stream.heavy_libraries
    _say('DDS alone')
    dds = over_dds.measure_dds(images, STREAM_HZ, plan.stream_s / 2)
    result['dds_alone_ms'] = _percentiles(dds.latencies_ms)
    result['dds_alone_frames'] = {'sent': dds.sent, 'received': len(dds.latencies_ms)}
    _say(f'starting the node {plan.starts} times')
    starts_s = [over_dds.measure_start(images, folder) for _ in range(plan.starts)]
    result['start_s'] = round(float(np.median(starts_s)), 3)
    for count in plan.cameras:
        _say(f'{count} cameras at {CAMERAS_HZ:g} Hz')
        stream = over_dds.measure_stream(images, CAMERAS_HZ, plan.stream_s / 2, count, folder)
        result.setdefault('cameras', {})[str(count)] = over_dds.summarise(stream)['cameras']
        result.setdefault('cameras_usage', {})[str(count)] = {
            'cpu_cores': round(stream.cpu_cores, 3),
            'resident_mb': round(stream.resident_mb, 1),
            'latency_ms': _percentiles([ms for c in stream.cameras for ms in c.latencies_ms]),
        }
    return latencies_ms, dds.latencies_ms


def _write(
    result: dict[str, Any], latencies: tuple[list[float], list[float]], folder: Path
) -> None:
    from fer_ros.measuring import figures

    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'bench.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
    figures.draw_systems(result, folder / 'speed_systems.png')
    figures.draw_latency(*latencies, folder / 'speed_latency.png')
    if 'sizes' in result and 'cameras' in result:
        figures.draw_growth(result, folder / 'speed_growth.png')
    _say(f'written: {folder}')
