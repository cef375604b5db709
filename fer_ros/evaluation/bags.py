# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings at once: in processes of this computer, or on a Ray cluster."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain, count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.config import PipelineConfig
from fer_ros.data.bag_reader import BAG_SUFFIXES, are_splits, bag_name, recordings_in
from fer_ros.data.safe_output import safe_output
from fer_ros.errors import FerError, SourceError
from fer_ros.evaluation import metrics
from fer_ros.evaluation.bag import BagLabels, evaluate_bag
from fer_ros.evaluation.bag_report import write_results
from fer_ros.messages.json_lines import to_json
from fer_ros.pipeline import EmotionPipeline

SUMMARY = 'summary.json'
Files = dict[str, bytes]
"""{path inside the bag's folder of results: content}."""


@dataclass(frozen=True)
class BagTask:
    """One recording to evaluate; paths must mean the same on every computer of a cluster.

    Attributes:
        path: the bag.
        config: of a pipeline made for it alone.
        labels_name: a csv file of this name in the bag's folder holds its labels, if it is there
            and the folder holds no other recording.
        topic: of the images; empty for the only one.
        write_bag: also write the emotions as a bag.
        label_map: what the words of the label file mean; see fer_ros.labels.find_label.
    """

    path: Path
    config: PipelineConfig
    labels_name: str = 'labels.csv'
    topic: str = ''
    write_bag: bool = False
    label_map: Mapping[str, str] | None = None


@dataclass(frozen=True)
class BagResult:
    """What came of a task: files, an error in one sentence, or both."""

    files: Files
    error: str = ''


def find_bags(folder: Path) -> tuple[list[Path], list[str]]:
    """Return all recordings in and below *folder*, and why others were left out.

    A recording is a folder with a metadata.yaml, or a file of one that lies in no such folder;
    files named like parts of one (FOLDER_0.mcap, FOLDER_1.mcap) are one.

    Raises:
        SourceError: there is none.
    """
    bags: list[Path] = []
    left_out: list[str] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        here = Path(root)
        files = recordings_in(here)
        if here.name == 'emotions' and (here.parent / 'results.json').is_file():
            left_out.append(f'{here}: the results of an evaluation')
        elif 'metadata.yaml' in names or (files and are_splits(files, here.name)):
            bags.append(here)
        else:
            bags += files
    if not bags:
        said = f'; left out: {"; ".join(left_out)}' if left_out else ''
        raise SourceError(f'{folder} holds no recordings ({", ".join(BAG_SUFFIXES)}){said}')
    return bags, left_out


def evaluate_task(task: BagTask) -> BagResult:
    """Evaluate one recording; what the world does wrong is a result too, not an exception."""
    labels = task.path / task.labels_name
    if task.path.is_file() and len(recordings_in(task.path.parent)) == 1:
        labels = task.path.parent / task.labels_name
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / 'results'
            evaluation = evaluate_bag(
                task.path,
                EmotionPipeline(task.config),
                BagLabels(labels if labels.is_file() else None, label_map=task.label_map),
                task.topic,
                folder / 'emotions' if task.write_bag else None,
            )
            write_results(evaluation, folder)
            files = {
                str(path.relative_to(folder)): path.read_bytes()
                for path in sorted(folder.rglob('*'))
                if path.is_file()
            }
    except (FerError, OSError) as error:
        return BagResult({}, str(error))
    if not evaluation.frames:
        return BagResult(files, f'no image could be read: {evaluation.bad_images[0][1]}')
    return BagResult(files)


def evaluate_here(tasks: list[BagTask], processes: int) -> Iterator[tuple[int, BagResult]]:
    """Yield (number of the task, result) as they are ready."""
    if processes == 1:
        yield from ((number, evaluate_task(task)) for number, task in enumerate(tasks))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context('spawn')) as pool:
        numbers = {pool.submit(evaluate_task, task): i for i, task in enumerate(tasks)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()


def evaluate_on_ray(tasks: list[BagTask], address: str) -> Iterator[tuple[int, BagResult]]:
    """Yield (number of the task, result) from a Ray cluster as they are ready.

    A worker that dies costs nothing but time: its recording is given to another one.

    Args:
        tasks: what to evaluate.
        address: of the cluster, such as ray://head:10001, or auto for the one of this computer.

    Raises:
        SourceError: Ray is not installed, or the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError as error:
        raise SourceError('--ray needs Ray, which is not installed: pip install ray') from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SourceError(f'no Ray cluster at {address}: {error}') from error
    remote = ray.remote(max_retries=-1)(evaluate_task)
    numbers = {
        remote.options(num_cpus=_threads(task)).remote(task): i for i, task in enumerate(tasks)
    }
    waiting = list(numbers)
    while waiting:
        (ready,), waiting = ray.wait(waiting, num_returns=1)
        try:
            yield numbers[ready], ray.get(ready)
        except ray.exceptions.RayError as error:
            yield numbers[ready], BagResult({}, f'{type(error).__name__}: {error}')


def _threads(task: BagTask) -> int:
    return max(task.config.detection.threads, task.config.classification.threads)


def write_summary(
    tasks: list[BagTask],
    results: Iterable[tuple[int, BagResult]],
    output: Path,
    say: Callable[[str], None],
    left_out: Sequence[str] = (),
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write every recording's files to a folder of its name, and summary.json beside them.

    Args:
        tasks: what was to be done.
        results: as they come, in any order; each is in place as soon as it is there.
        output: folder; made where it is not there.
        say: called with a line per recording.
        left_out: what was found but is none of the tasks, and why.
        overwrite: whether older results may be replaced.

    Returns:
        what summary.json holds: the figures of all recordings, and of all faces taken together.
    """
    names, paths = result_names(tasks), [task.path for task in tasks]
    facts: dict[int, dict[str, Any]] = {}
    errors: dict[int, str] = {}
    for number, result in results:
        if result.files:
            with safe_output(output / names[number], paths, overwrite) as folder:
                for name, content in result.files.items():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(content)
        if result.error:
            errors[number] = result.error
            say(f'{names[number]}: {result.error}')
            continue
        facts[number] = json.loads(result.files['results.json'])
        say(_one_line(names[number], facts[number]))
    summary = {
        'bags': [{'name': names[number], **_short(facts[number])} for number in sorted(facts)],
        'failed': {names[number]: errors[number] for number in sorted(errors)},
        'left_out': list(left_out),
        'together': _together([facts[number] for number in sorted(facts)]),
    }
    with safe_output(output / SUMMARY, overwrite=overwrite) as path:
        path.write_text(to_json(summary, indent=2) + '\n', encoding='utf-8')
    return summary


def _one_line(name: str, facts: dict[str, Any]) -> str:
    bad = f', {facts["bad_images"]} unreadable' if facts['bad_images'] else ''
    remarks = ''.join(f'; {remark}' for remark in facts['remarks'])
    return f'{name}: {facts["images"]} images{bad}, {facts["faces"]} faces{remarks}'


def result_names(tasks: list[BagTask]) -> list[str]:
    """Return the name of each recording's folder of results: its own, else NAME_2, NAME_3."""
    names: list[str] = []
    used = {SUMMARY}
    for task in tasks:
        name = bag_name(task.path)
        numbered = (f'{name}_{number}' for number in count(2))
        names.append(next(one for one in chain([name], numbered) if one.lower() not in used))
        used.add(names[-1].lower())
    return names


def _short(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        'images': facts['images'],
        'faces': facts['faces'],
        'accuracy': facts['frames']['accuracy'],
        'balanced_accuracy': facts['frames']['balanced_accuracy'],
        'share_of_time_without_face': facts['share_of_time_without_face'],
        'share_of_face_time_unknown': facts['share_of_face_time_unknown'],
    }


def _together(facts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the figures of all labelled faces; None without recordings."""
    if not facts:
        return None
    matrix = np.sum([np.array(one['frames']['confusion_matrix']) for one in facts], axis=0)
    return {
        'labels': facts[0]['labels'],
        'count': int(matrix.sum()),
        'accuracy': metrics.accuracy(matrix),
        'balanced_accuracy': metrics.balanced_accuracy(matrix),
        'per_class': metrics.per_class(matrix, tuple(facts[0]['labels'])),
        'confusion_matrix': matrix.tolist(),
    }
