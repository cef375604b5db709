# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording evaluated: every image processed, none dropped, the same to the byte every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.data.bag_labels import (
    EVERYBODY,
    Span,
    contradictions,
    in_recording,
    read_spans,
    topic_spans,
)
from fer_ros.data.bag_reader import BagReader, open_bag
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import BagClock, BagImage, bag_images, image_topic
from fer_ros.errors import DataError, ImageError
from fer_ros.evaluation import metrics
from fer_ros.labels import UNKNOWN
from fer_ros.messages.emotions import emotion_array
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import Float32Array, FrameEmotions, Int64Array

NO_TARGET = -1
MAX_REASONS = 10
MAX_LABEL_GAP_S = 0.5
"""Spans farther apart than this are not a change of expression but two recordings of one."""


@dataclass(frozen=True)
class BagLabels:
    """Where the targets are: a csv file, or a topic of the bag; neither for none.

    Attributes:
        file: the csv file.
        topic: of std_msgs/String.
        label_map: the file's own words for emotions; see fer_ros.labels.find_label.
    """

    file: Path | None = None
    topic: str = ''
    label_map: Mapping[str, str] | None = None


@dataclass(frozen=True)
class FaceRows:
    """All faces of a recording, one row per face and frame.

    Attributes:
        time_s: float64 (N,); seconds since the first image.
        duration_s: float64 (N,); how long the frame was the newest.
        track_ids: int64 (N,).
        targets: int64 (N,); index into the labels, NO_TARGET where nobody said.
        raw: float32 (N, C).
        smoothed: float32 (N, C).
        unknown: bool (N,); labelled unknown.
    """

    time_s: np.ndarray
    duration_s: np.ndarray
    track_ids: Int64Array
    targets: Int64Array
    raw: Float32Array
    smoothed: Float32Array
    unknown: np.ndarray


@dataclass
class BagEvaluation:
    """What a recording says, against what was really felt.

    Attributes:
        name: the bag's.
        topic: where its images were.
        model_id: of the model that was measured.
        labels: class names.
        frames: one an image that could be read; stamps in seconds since the first image.
        spans: the target, in order of time.
        bad_images: what was wrong with images that could not be read, with their numbers.
        remarks: what is wrong with the recording itself and was borne, in a sentence each.
    """

    name: str
    topic: str
    model_id: str
    labels: tuple[str, ...]
    frames: list[FrameEmotions] = field(default_factory=list)
    spans: tuple[Span, ...] = ()
    bad_images: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def durations_s(self) -> np.ndarray:
        """Return float64 (frames,): the time until the next frame; the median for the last."""
        stamps_s = np.array([frame.stamp_s for frame in self.frames])
        steps_s = np.clip(np.diff(stamps_s), 0.0, None)
        last_s = float(np.median(steps_s)) if len(steps_s) else 0.0
        return np.append(steps_s, last_s) if len(stamps_s) else steps_s

    def rows(self) -> FaceRows:
        """Return all faces side by side."""
        faces = [
            (frame.stamp_s, duration_s, face)
            for frame, duration_s in zip(self.frames, self.durations_s())
            for face in frame.faces
        ]
        width = len(self.labels)
        return FaceRows(
            time_s=np.array([time_s for time_s, _, _ in faces]),
            duration_s=np.array([duration_s for _, duration_s, _ in faces]),
            track_ids=np.array([face.track_id for _, _, face in faces], np.int64),
            targets=np.array([self._target(t, face.track_id) for t, _, face in faces], np.int64),
            raw=np.array([f.raw_probabilities for *_, f in faces], np.float32).reshape(-1, width),
            smoothed=np.array([f.probabilities for *_, f in faces], np.float32).reshape(-1, width),
            unknown=np.array([face.label == UNKNOWN for *_, face in faces], bool),
        )

    def _target(self, time_s: float, track_id: int) -> int:
        own = [s for s in self.spans if s.track_id == track_id and s.holds(time_s, track_id)]
        for span in own or [s for s in self.spans if s.holds(time_s, track_id)]:
            return self.labels.index(span.label)
        return NO_TARGET


def evaluate_bag(
    path: Path,
    pipeline: EmotionPipeline,
    labels: BagLabels | None = None,
    topic: str = '',
    output_bag: Path | None = None,
    storage: str = 'mcap',
    watch: Callable[[Iterable[BagImage], int], Iterable[BagImage]] | None = None,
) -> BagEvaluation:
    """Process every image of a bag.

    Args:
        path: the bag.
        pipeline: a fresh one, so that nobody is known yet.
        labels: the target, if there is any.
        topic: of the images; may be left out if the bag has only one such topic.
        output_bag: folder to write the emotions to as a bag.
        storage: of that bag.
        watch: wraps the images (given with their number), as a progress bar does.

    Labels are read and checked before the first image.

    Raises:
        SourceError: the bag cannot be read, or its images not be told apart.
        DataError: the labels make no sense.
    """
    labels = labels or BagLabels()
    spans = read_spans(labels.file, labels.label_map) if labels.file else ()
    _check_labels(spans, pipeline)
    with open_bag(path) as reader, ExitStack() as stack:
        topic = image_topic(reader, topic)
        clock = BagClock(reader, topic)
        result = BagEvaluation(
            path.resolve().name, topic, pipeline.classifier.card.id, pipeline.labels
        )
        result.spans = _spans_in(reader, clock, spans, labels.topic)
        _check_labels(result.spans, pipeline)
        writer = stack.enter_context(BagWriter(output_bag, storage)) if output_bag else None
        images: Iterable[BagImage] = bag_images(reader, topic)
        for number, item in enumerate(watch(images, len(clock.times_s)) if watch else images):
            if isinstance(item.image, ImageError):
                result.bad_images.append((number, str(item.image)))
                continue
            frame = pipeline.process(item.image, float(clock.times_s[number]))
            result.frames.append(frame)
            if writer:
                stamp = item.header.stamp
                header = writer.header(stamp.sec * 10**9 + stamp.nanosec, item.header.frame_id)
                message = emotion_array(writer.make, frame, header, result.model_id)
                writer.write('/emotions', item.log_ns, message)
        result.remarks = [*reader.remarks]
    if count := contradictions(result.spans):
        result.remarks.append(
            f'{count} spans overlap an earlier one of another label, which counts for that time'
        )
    if clock.corrected:
        result.remarks.append(
            f'{clock.corrected} of {len(clock.times_s)} stamps make no sense beside the others: '
            'the time of recording counts for them'
        )
    return result


def _spans_in(
    reader: BagReader, clock: BagClock, spans: tuple[Span, ...], topic: str
) -> tuple[Span, ...]:
    return topic_spans(reader, topic, clock) if topic else in_recording(spans, clock)


def _check_labels(spans: tuple[Span, ...], pipeline: EmotionPipeline) -> None:
    unknown = {span.label for span in spans} - set(pipeline.labels)
    if unknown:
        model_id = pipeline.classifier.card.id
        raise DataError(f'model {model_id} does not know: {", ".join(sorted(unknown))}')


def summarize(evaluation: BagEvaluation) -> dict[str, Any]:
    """Return all figures of a recording; those that are not defined are None."""
    rows, durations_s = evaluation.rows(), evaluation.durations_s()
    empty = np.array([not frame.faces for frame in evaluation.frames], bool)
    face_s, total_s = rows.duration_s.sum(), durations_s.sum()
    return {
        'bag': evaluation.name,
        'topic': evaluation.topic,
        'model': evaluation.model_id,
        'labels': list(evaluation.labels),
        'images': len(evaluation.frames) + len(evaluation.bad_images),
        'bad_images': len(evaluation.bad_images),
        'bad_image_reasons': dict(
            Counter(reason for _, reason in evaluation.bad_images).most_common(MAX_REASONS)
        ),
        'remarks': evaluation.remarks,
        'faces': len(rows.time_s),
        'seconds': float(total_s),
        'share_of_time_without_face': _share(durations_s[empty], total_s),
        'share_of_face_time_unknown': _share(rows.duration_s[rows.unknown], face_s),
        'frames': _figures(rows.smoothed, rows.targets, evaluation.labels),
        'frames_unsmoothed': _figures(rows.raw, rows.targets, evaluation.labels),
        'people': _figures(*_by_person(rows), evaluation.labels),
        'spans': _figures(*_by_span(rows, evaluation), evaluation.labels),
        'spans_without_face': sum(not _of_span(rows, span).any() for span in evaluation.spans),
        'persons': persons(rows, evaluation.labels),
        'switches': switches(rows, evaluation),
    }


def _share(part_s: np.ndarray, whole_s: float) -> float | None:
    return float(part_s.sum() / whole_s) if whole_s else None


def _figures(
    probabilities: Float32Array, targets: Int64Array, labels: tuple[str, ...]
) -> dict[str, Any]:
    """Return the metrics of those rows that have a target."""
    known = targets != NO_TARGET
    probabilities, targets = probabilities[known], targets[known]
    matrix = metrics.confusion_matrix(targets, probabilities.argmax(axis=1), len(labels))
    return {
        'count': len(targets),
        'accuracy': metrics.accuracy(matrix),
        'balanced_accuracy': metrics.balanced_accuracy(matrix),
        'expected_calibration_error': metrics.expected_calibration_error(probabilities, targets),
        'confusion_matrix': matrix.tolist(),
        'per_class': metrics.per_class(matrix, labels),
    }


def _by_person(rows: FaceRows) -> tuple[Float32Array, Int64Array]:
    """Return each labelled person's mean probabilities and most frequent target."""
    groups = [
        np.flatnonzero((rows.track_ids == track_id) & (rows.targets != NO_TARGET))
        for track_id in np.unique(rows.track_ids)
    ]
    groups = [group for group in groups if len(group)]
    targets = [int(np.bincount(rows.targets[group]).argmax()) for group in groups]
    return _means(rows, groups), np.array(targets, np.int64)


def _by_span(rows: FaceRows, evaluation: BagEvaluation) -> tuple[Float32Array, Int64Array]:
    """Return each span's mean probabilities and target; spans without a face are left out."""
    found = [(np.flatnonzero(_of_span(rows, span)), span) for span in evaluation.spans]
    found = [(group, span) for group, span in found if len(group)]
    targets = [evaluation.labels.index(span.label) for _, span in found]
    return _means(rows, [group for group, _ in found]), np.array(targets, np.int64)


def _means(rows: FaceRows, groups: list[np.ndarray]) -> Float32Array:
    means = [rows.smoothed[group].mean(axis=0) for group in groups]
    return np.array(means, np.float32).reshape(-1, rows.smoothed.shape[1])


def _of_span(rows: FaceRows, span: Span) -> np.ndarray:
    mine = (rows.time_s >= span.start_s) & (rows.time_s < span.end_s)
    return mine if span.track_id == EVERYBODY else mine & (rows.track_ids == span.track_id)


def persons(rows: FaceRows, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return who was in view, from when to when, and what they felt on the whole."""
    result = []
    for track_id in np.unique(rows.track_ids):
        mine = rows.track_ids == track_id
        mean = rows.smoothed[mine].mean(axis=0)
        result.append(
            {
                'track_id': int(track_id),
                'first_s': float(rows.time_s[mine].min()),
                'last_s': float(rows.time_s[mine].max()),
                'images': int(mine.sum()),
                'label': labels[int(mean.argmax())],
                'mean_probabilities': {n: float(p) for n, p in zip(labels, mean)},
            }
        )
    return result


def switches(rows: FaceRows, evaluation: BagEvaluation) -> list[dict[str, Any]]:
    """Return, for each change of the target, how long raw and smoothed predictions took to follow.

    None where they did not within the new span; the difference is what smoothing costs.
    """
    result = []
    for track_id in sorted({span.track_id for span in evaluation.spans}):
        mine = [span for span in evaluation.spans if span.track_id == track_id]
        for before, after in pairwise(mine):
            if before.label == after.label or after.start_s - before.end_s > MAX_LABEL_GAP_S:
                continue
            there = np.flatnonzero(_of_span(rows, after))
            delays = {
                name: _first_s(rows.time_s[there], table[there], evaluation.labels, after)
                for name, table in (('raw_s', rows.raw), ('smoothed_s', rows.smoothed))
            }
            change = {'at_s': after.start_s, 'from': before.label, 'to': after.label}
            result.append({**change, 'track_id': track_id, **delays})
    return result


def _first_s(
    time_s: np.ndarray, probabilities: Float32Array, labels: tuple[str, ...], span: Span
) -> float | None:
    right = np.flatnonzero(probabilities.argmax(axis=1) == labels.index(span.label))
    return float(time_s[right[0]] - span.start_s) if len(right) else None
