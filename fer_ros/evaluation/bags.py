# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings at once: in processes of this computer, or on a Ray cluster."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.config import PipelineConfig
from fer_ros.errors import FerError, SourceError
from fer_ros.evaluation import metrics
from fer_ros.evaluation.bag import BagLabels, evaluate_bag
from fer_ros.evaluation.bag_report import write_results
from fer_ros.pipeline import EmotionPipeline

Files = dict[str, bytes]
"""{path inside the bag's folder of results: content}."""


@dataclass(frozen=True)
class BagTask:
    """One recording to evaluate; paths must mean the same on every computer of a cluster.

    Attributes:
        path: the bag.
        config: of a pipeline made for it alone.
        labels_name: a csv file of this name in the bag's folder holds its labels, if it is there.
        topic: of the images; empty for the only one.
        write_bag: also write the emotions as a bag.
    """

    path: Path
    config: PipelineConfig
    labels_name: str = 'labels.csv'
    topic: str = ''
    write_bag: bool = False


@dataclass(frozen=True)
class BagAnswer:
    """What came of a task: files, or an error in one sentence."""

    name: str
    files: Files
    error: str = ''


def find_bags(folder: Path) -> list[Path]:
    """Return all bags in and below *folder*, in the order of their names.

    Raises:
        SourceError: there is none.
    """
    bags = sorted(path.parent for path in folder.rglob('metadata.yaml'))
    if not bags:
        raise SourceError(f'{folder} holds no bags (folders with a metadata.yaml)')
    return bags


def evaluate_task(task: BagTask) -> BagAnswer:
    """Evaluate one recording; what the world does wrong is an answer too, not an exception."""
    labels = task.path / task.labels_name
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / 'results'
            evaluation = evaluate_bag(
                task.path,
                EmotionPipeline(task.config),
                BagLabels(labels if labels.is_file() else None),
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
        return BagAnswer(task.path.name, {}, str(error))
    return BagAnswer(task.path.name, files)


def evaluate_here(tasks: list[BagTask], processes: int) -> Iterator[tuple[int, BagAnswer]]:
    """Yield (number of the task, answer) as they are ready."""
    if processes == 1:
        yield from ((number, evaluate_task(task)) for number, task in enumerate(tasks))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context('spawn')) as pool:
        numbers = {pool.submit(evaluate_task, task): i for i, task in enumerate(tasks)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()


def evaluate_on_ray(tasks: list[BagTask], address: str) -> Iterator[tuple[int, BagAnswer]]:
    """Yield (number of the task, answer) from a Ray cluster as they are ready.

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
            name = tasks[numbers[ready]].path.name
            yield numbers[ready], BagAnswer(name, {}, f'{type(error).__name__}: {error}')


def _threads(task: BagTask) -> int:
    return max(task.config.detection.threads, task.config.classification.threads)


def write_answers(
    tasks: list[BagTask],
    answers: Iterable[tuple[int, BagAnswer]],
    output: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Write every recording's files to a folder of its name, and summary.json beside them.

    Args:
        tasks: what was asked.
        answers: as they come, in any order.
        output: folder; made where it is not there.
        say: is told a line a recording.

    Returns:
        what summary.json holds: the figures of all recordings, and of all faces taken together.
    """
    facts: dict[int, dict[str, Any]] = {}
    errors: dict[int, str] = {}
    for number, answer in answers:
        if answer.error:
            errors[number] = answer.error
            say(f'{answer.name}: {answer.error}')
            continue
        folder = output / _unique_name(tasks, number)
        for name, content in answer.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        facts[number] = json.loads(answer.files['results.json'])
        say(f'{answer.name}: {facts[number]["images"]} images, {facts[number]["faces"]} faces')
    summary = {
        'bags': [
            {'name': _unique_name(tasks, number), **_short(facts[number])}
            for number in sorted(facts)
        ],
        'failed': {_unique_name(tasks, number): errors[number] for number in sorted(errors)},
        'together': _together([facts[number] for number in sorted(facts)]),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    return summary


def _unique_name(tasks: list[BagTask], number: int) -> str:
    name = tasks[number].path.name
    same = [i for i, task in enumerate(tasks) if task.path.name == name]
    return name if len(same) == 1 else f'{name}_{same.index(number) + 1}'


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
