# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer bench``: how fast it is here, by itself, against its parts and against others."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fer_ros
from fer_ros.commands.options import add_command
from fer_ros.data.safe_output import safe_outputs
from fer_ros.errors import ConfigError
from fer_ros.measuring.contest import OURS, Entry, Results, ours, run_contest
from fer_ros.measuring.machine import describe_machine
from fer_ros.measuring.report import percentiles, report
from fer_ros.measuring.scenes import make_scene, read_clip, write_scene
from fer_ros.messages.json_lines import to_json

REPOSITORY = Path(fer_ros.__file__).resolve().parent.parent
PEERS = (
    ('fer Haar', 'fer_haar'),
    ('fer MTCNN', 'fer_mtcnn'),
    ('deepface', 'deepface_opencv'),
    ('seed recipe', 'seed_recipe'),
)
STREAM_HZ, CAMERAS_HZ = 30.0, 15.0
MANY = 10
"""Faces in the crowded scenes of each size."""
KERNELS = ('detector alone', 'classifier alone')


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        faces: in scenes of 640x480.
        sizes: of scenes with one face, and with MANY.
        threads: of the library, called once every 33 ms.
        cameras: how many at once.
        rounds: of the contest; see fer_ros.measuring.contest.
        turn_s: of each system on each scene.
        stream_s: of each stream over DDS, and of the paced calls.
        starts: of the node.
    """

    faces: tuple[int, ...] = (1, 4, 8)
    sizes: tuple[tuple[int, int], ...] = ((640, 480), (1920, 1080))
    threads: tuple[int, ...] = (1, 2)
    cameras: tuple[int, ...] = ()
    rounds: int = 3
    turn_s: float = 0.5
    stream_s: float = 10.0
    starts: int = 3


QUICK = Plan(faces=(1, 2), sizes=(), threads=(1,), rounds=1, turn_s=0.1, stream_s=2.0, starts=1)
FULL = Plan(
    faces=(1, 2, 4, 8, 16),
    sizes=((320, 240), (640, 480), (960, 720), (1280, 720), (1920, 1080), (3840, 2160)),
    threads=(1, 2, 4),
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
        '--full', action='store_true', help='longer, with more image sizes and several cameras'
    )
    parser.add_argument(
        '--clips',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='videos to time on as well',
    )
    parser.add_argument('--output', type=Path, metavar='FOLDER', help='write bench.json here')


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    plan = QUICK if options.quick else FULL if options.full else Plan()
    entries = [*OURS, *(_peers() if options.peers else ())]
    result: dict[str, Any] = {'machine': describe_machine()}
    with tempfile.TemporaryDirectory(prefix='fer_bench_') as folder:
        _measure_library(plan, entries, options.clips, Path(folder), result)
        latencies = _measure_streams(plan, Path(folder), result)
    if options.output:
        contents = {'bench.json': result, 'latencies.json': latencies}
        with safe_outputs(options.output, list(contents), overwrite=True) as folder:
            for name, content in contents.items():
                (folder / name).write_text(to_json(content, indent=1) + '\n', encoding='utf-8')
        _say(f'written: {options.output}')
    if options.json:
        print(to_json(result))
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


def _measure_library(
    plan: Plan, entries: list[Entry], clips: list[Path], folder: Path, result: dict[str, Any]
) -> None:
    """Time the library back to back on every scene, and paced on one; fill *result*."""
    for faces in plan.faces:
        write_scene(folder, str(faces), make_scene(faces))
    for clip in clips:
        write_scene(folder, clip.stem, read_clip(clip))
    counts, names = [str(faces) for faces in plan.faces], [clip.stem for clip in clips]
    contest = run_contest(entries, folder, [*counts, *names], plan.rounds, plan.turn_s, _say)
    result['frames_per_second'] = _table(contest, counts, lambda ms: 1e3 / ms)
    if names:
        result['clips'] = _table(contest, names, lambda ms: 1e3 / ms)
    result['ratios'] = _ratios(contest, counts)
    result['about'], result['left_out'] = contest.about, contest.left_out
    result['faces_found'] = {
        system: {scene: round(found, 2) for scene, found in by_scene.items()}
        for system, by_scene in contest.faces.items()
    }
    if plan.sizes:
        result['sizes'] = _measure_growth(plan, folder)
    threads = [ours(_count(number, 'thread'), f'library:{number}') for number in plan.threads]
    paced = run_contest(threads, folder, ['1'], 1, plan.stream_s, _say, 1 / STREAM_HZ)
    result['paced_ms'] = {name: percentiles(scenes['1'][0]) for name, scenes in paced.ms.items()}


def _measure_growth(plan: Plan, folder: Path) -> dict[str, dict[str, float]]:
    """Return ms by system and size of image: with one face, and of the whole also with MANY."""
    sizes, rows = [f'{width}x{height}' for width, height in plan.sizes], {}
    for faces, entries in ((1, OURS), (MANY, OURS[:1])):
        for size, size_wh in zip(sizes, plan.sizes):
            write_scene(folder, size, make_scene(faces, size_wh))
        contest = run_contest(entries, folder, sizes, plan.rounds, plan.turn_s, _say)
        for system, by_size in _table(contest, sizes, lambda ms: ms).items():
            rows[system if faces == 1 else f'{system}, {_count(faces, "face")}'] = by_size
    return rows


def _count(number: int | str, noun: str) -> str:
    return f'{number} {noun}{"s" if int(number) != 1 else ""}'


def _table(contest: Results, scenes: list[str], convert: Any) -> dict[str, dict[str, float]]:
    return {
        system: {scene: round(convert(contest.mean_ms(system, scene)), 2) for scene in scenes}
        for system in contest.ms
    }


def _ratios(contest: Results, counts: list[str]) -> dict[str, float]:
    """Return how many times as long others take, and we take against our two networks alone."""
    ratios = {
        f'{system}, {_count(faces, "face")}': contest.ratio([system], 'fer_ros', faces)
        for system in contest.ms
        if system in dict(PEERS)
        for faces in counts
    }
    for faces in counts:
        kernels = contest.ratio(KERNELS, 'fer_ros', faces)
        ratios[f'library over its kernels, {_count(faces, "face")}'] = 1 / kernels
    return {name: round(value, 3) for name, value in ratios.items()}


def _measure_streams(plan: Plan, folder: Path, result: dict[str, Any]) -> dict[str, list[float]]:
    """Fill *result*; return the latencies of all frames over DDS, with the node and without."""
    try:
        from fer_ros.nodes import bench_stream as over_dds
    except ImportError as error:
        raise ConfigError(f'the node is measured over ROS 2, which is not here: {error}') from error
    images = folder / '1.npy'
    _say(f'one camera at {STREAM_HZ:g} Hz for {plan.stream_s:g} s')
    stream = over_dds.measure_stream(images, STREAM_HZ, plan.stream_s, folder)
    result['latency_ms'] = percentiles(stream['latencies_ms'])
    for name in ('frames', 'cpu_cores', 'resident_mb', 'heavy_libraries'):
        result[name] = stream[name]
    _say('DDS alone')
    dds = over_dds.measure_dds(images, STREAM_HZ, plan.stream_s / 2, folder)
    result['dds_alone_ms'] = percentiles(dds['latencies_ms'])
    result['dds_alone_frames'] = {'sent': dds['sent'], 'received': len(dds['latencies_ms'])}
    _say(f'starting the node: {plan.starts}')
    starts_s = [over_dds.measure_start(images, folder) for _ in range(plan.starts)]
    result['start_s'] = round(float(np.median(starts_s)), 3)
    for count in plan.cameras:
        _say(f'{_count(count, "camera")} at {CAMERAS_HZ:g} Hz')
        several = over_dds.measure_stream(images, CAMERAS_HZ, plan.stream_s / 2, folder, count)
        result.setdefault('cameras', {})[str(count)] = several['cameras']
        result.setdefault('cameras_usage', {})[str(count)] = {
            'cpu_cores': several['cpu_cores'],
            'resident_mb': several['resident_mb'],
            'latency_ms': percentiles(several['latencies_ms']),
        }
    return {'node': stream['latencies_ms'], 'dds_alone': dds['latencies_ms']}
