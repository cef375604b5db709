# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a frame's time goes: each stage as so much a frame and so much a face, now and before.

usage: python benchmarks/profile_frame.py FOLDER [--before COMMIT]

Both versions run in turns on the same images, each in a process of its own. Lines are fitted to the
medians over 1 to 16 faces. Writes FOLDER/profile.json and prints Markdown.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
BEFORE = '4b371b8'
"""The last commit before anything was made faster."""
FACES = (1, 2, 4, 8, 16)
FRAMES = 120
ROUNDS = 3
FUNCTIONS = 12


def measure(package: Path, scenes: Path) -> dict[str, dict[str, float]]:
    """Return stage to faces to median milliseconds, of the fer_ros that lies in *package*."""
    sys.path.insert(0, str(package))
    import fer_ros

    assert Path(fer_ros.__file__).is_relative_to(package), fer_ros.__file__
    pipeline = fer_ros.EmotionPipeline()
    found: dict[str, dict[str, float]] = {}
    stamp_s = 0.0
    for faces in FACES:
        images = np.load(scenes / f'{faces}.npy')
        spent: dict[str, list[float]] = {}
        for number in range(FRAMES):
            stamp_s += 1 / 30
            start_s = time.perf_counter()
            frame = pipeline.process(images[number % len(images)], stamp_s)
            whole_ms = 1e3 * (time.perf_counter() - start_s)
            for stage, milliseconds in {**frame.timings_ms, 'the whole call': whole_ms}.items():
                spent.setdefault(stage, []).append(milliseconds)
        for stage, milliseconds in spent.items():
            found.setdefault(stage, {})[str(faces)] = float(np.median(milliseconds[10:]))
    return found


def functions(scenes: Path) -> list[tuple[str, float]]:
    """Return the functions that take most time themselves, with one face, and ms a frame."""
    from fer_ros import EmotionPipeline

    pipeline, images = EmotionPipeline(), np.load(scenes / '1.npy')
    pipeline.process(images[0], 0.0)
    profiler = cProfile.Profile()
    profiler.enable()
    for number in range(FRAMES):
        pipeline.process(images[number % len(images)], 1 + number / 30)
    profiler.disable()
    entries = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    own = sorted(((1e3 * value[2] / FRAMES, key) for key, value in entries), reverse=True)
    return [
        (f'{Path(file).name}: {name}' if line else name.strip('<>'), milliseconds)
        for milliseconds, (file, line, name) in own[:FUNCTIONS]
    ]


def in_turns(packages: dict[str, Path], scenes: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Return version to stage to faces to milliseconds, the median over rounds."""
    rounds: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in packages}
    for _ in range(ROUNDS):
        for name, package in packages.items():
            run = subprocess.run(
                [sys.executable, __file__, str(scenes), '--measure', str(package)],
                check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            rounds[name].append(json.loads(run.stdout.splitlines()[-1]))
    return {
        name: {
            stage: {
                faces: float(np.median([one[stage][faces] for one in found])) for faces in by_faces
            }
            for stage, by_faces in found[0].items()
        }
        for name, found in rounds.items()
    }


def fitted(by_faces: dict[str, float]) -> str:
    """Return a stage's time as a line: so much a frame and so much a face."""
    slope, start = np.polyfit([int(n) for n in by_faces], list(by_faces.values()), 1)
    return f'{start:.2f} + {slope:.2f} a face'


def tables(profile: dict) -> dict[str, str]:
    """Return the parts of the page: stages, and functions."""
    from fer_ros.measuring.report import table

    versions = list(profile['stages'])
    stages = profile['stages'][versions[-1]]
    rows = [
        (stage, *[fitted(profile['stages'][version][stage]) for version in versions])
        for stage in stages
    ]
    return {
        'stages': table(('ms', *versions), rows),
        'functions': table(
            ('function', 'ms a frame, itself'),
            [(name, f'{milliseconds:.3f}') for name, milliseconds in profile['functions']],
        ),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--before', default=BEFORE, metavar='COMMIT')
    parser.add_argument('--measure', type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure.resolve(), options.folder)))
        return
    from fer_ros.measuring.scenes import make_scene, write_scene

    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for faces in FACES:
            write_scene(folder, str(faces), make_scene(faces))
        archive = subprocess.run(
            ['git', 'archive', options.before, 'fer_ros'],
            cwd=ROOT, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        (folder / 'before').mkdir()
        subprocess.run(['tar', '-x', '-C', folder / 'before'], input=archive.stdout, check=True)
        versions = {f'before ({options.before})': folder / 'before', 'now': ROOT}
        profile = {'stages': in_turns(versions, folder), 'functions': functions(folder)}
    (options.folder / 'profile.json').write_text(json.dumps(profile, indent=1), encoding='utf-8')
    print('\n\n'.join(tables(profile).values()))


if __name__ == '__main__':
    main()
