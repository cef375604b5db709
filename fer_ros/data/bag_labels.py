# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What people in a recording really felt: spans of time from a csv file or a topic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from fer_ros.data.bag_reader import BagReader
from fer_ros.data.bags import BagClock, messages
from fer_ros.data.tables import read_number, read_table
from fer_ros.errors import DataError, shorten
from fer_ros.labels import EMOTIONS, find_label

EVERYBODY = 0
TOPIC_TYPE = 'std_msgs/msg/String'
FIRST_EPOCH_S = 1e8
"""A time after this (1973) is not one since the start of a recording but since 1970."""

_NO_VALUE = ('', 'nan', 'none', 'null', 'na', 'n/a')


@dataclass(frozen=True)
class Span:
    """A time with one emotion.

    Attributes:
        start_s: seconds since the first image of the recording; belongs to the span.
        end_s: does not belong to it.
        label: one of EMOTIONS.
        track_id: whose; EVERYBODY for all faces in view.
    """

    start_s: float
    end_s: float
    label: str
    track_id: int = EVERYBODY

    def __post_init__(self) -> None:
        """Check label and times."""
        if self.label not in EMOTIONS:
            raise DataError(f'label {self.label!r}: expected one of {", ".join(EMOTIONS)}')
        if not (math.isfinite(self.start_s) and self.start_s < self.end_s):
            raise DataError(f'span from {self.start_s} to {self.end_s} s: expected start < end')

    def holds(self, time_s: float, track_id: int) -> bool:
        """Return whether this span is about one person."""
        return self.start_s <= time_s < self.end_s and self.track_id in (EVERYBODY, track_id)


def read_spans(path: Path, label_map: Mapping[str, str] | None = None) -> tuple[Span, ...]:
    """Read a table with the columns start_s, end_s, label and, optionally, track_id.

    Times are seconds since the first image, or since 1970 (then also in milli-, micro- or
    nanoseconds); see ``in_recording``. A row without a label says nothing of its time.

    Args:
        path: see ``read_table``.
        label_map: the file's own words; see ``find_label``.

    Raises:
        DataError: a column is missing, a row makes no sense (the message names the line), or none
            has a label.
    """
    spans = {
        span
        for line, row in read_table(path, ('start_s', 'end_s', 'label'))
        if (span := _span(row, f'{path}, line {line}', label_map))
    }
    if not spans:
        raise DataError(f'{path}: no row has a label')
    return tuple(sorted(spans, key=lambda s: (s.start_s, s.track_id, s.end_s, s.label)))


def contradictions(spans: tuple[Span, ...]) -> int:
    """Return how many spans begin before another of the same person and another label ends."""
    found, latest = 0, dict[int, Span]()
    for span in spans:
        before = latest.get(span.track_id)
        if before and span.start_s < before.end_s and span.label != before.label:
            found += 1
        if not before or span.end_s > before.end_s:
            latest[span.track_id] = span
    return found


def _span(row: dict[str, str], where: str, label_map: Mapping[str, str] | None) -> Span | None:
    word, track = row['label'], row.get('track_id', '')
    label = '' if word.lower() in _NO_VALUE else find_label(word, label_map)
    if label is None:
        raise DataError(
            f'{where}: label {shorten(repr(word), 40)}: expected one of {", ".join(EMOTIONS)}, '
            'or a label map (--label-map WORD=LABEL)'
        )
    try:
        span = Span(
            _number(row, 'start_s'),
            _number(row, 'end_s'),
            label or EMOTIONS[0],
            EVERYBODY if track.lower() in _NO_VALUE else _whole(_number(row, 'track_id')),
        )
        return span if label != '' else None
    except (DataError, ValueError, OverflowError) as error:
        raise DataError(f'{where}: {error}') from error


def _number(row: dict[str, str], column: str) -> float:
    try:
        return read_number(row[column])
    except ValueError as error:
        raise ValueError(f'{column}: {error}') from error


def _whole(number: float) -> int:
    if not (number >= 0 and number == int(number)):
        raise ValueError(f'track_id {number:g}: expected a whole number')
    return int(number)


def in_recording(spans: tuple[Span, ...], clock: BagClock) -> tuple[Span, ...]:
    """Return spans in seconds since the first image; they may be given in time since 1970.

    Raises:
        DataError: none of them lies in the recording.
    """
    if not spans:
        return spans
    latest = max(span.start_s for span in spans)
    if latest > FIRST_EPOCH_S:
        unit_s = next(u for u, top in ((1.0, 1e11), (1e-3, 1e14), (1e-6, 1e17), (1e-9, math.inf))
                      if latest < top)  # fmt: skip
        first_s = clock.start_ns / 1e9
        spans = tuple(
            replace(s, start_s=s.start_s * unit_s - first_s, end_s=s.end_s * unit_s - first_s)
            for s in spans
        )
    last_s = float(clock.times_s[-1])
    if not any(span.start_s <= last_s and span.end_s > 0 for span in spans):
        raise DataError(
            f'labels from {spans[0].start_s:g} to {spans[-1].end_s:g} s: none lies in the '
            f'recording, which lasts {last_s:.1f} s'
        )
    return spans


def topic_spans(reader: BagReader, topic: str, clock: BagClock) -> tuple[Span, ...]:
    """Return the spans of a std_msgs/String topic: each label holds until the next.

    An empty string ends a span without beginning another.

    Raises:
        DataError: the topic is missing or of another type, or a label is not known.
    """
    topic = topic if topic.startswith('/') else f'/{topic}'
    kinds = {c.topic: c.msgtype for c in reader.connections}
    if kinds.get(topic) != TOPIC_TYPE:
        raise DataError(f'label topic {topic}: expected {TOPIC_TYPE}, got {kinds.get(topic)}')
    changes: list[tuple[float, str]] = []
    for connection, log_ns, data in messages(reader, topic):
        try:
            message = reader.deserialize(data, connection.msgtype)
        except Exception as error:  # bytes of a file may be anything
            raise DataError(f'label topic {topic}: message cannot be read: {error}') from error
        word = str(getattr(message, 'data', ''))
        changes.append((clock.at(log_ns), (find_label(word) or word) if word.strip() else ''))
    changes.append((math.inf, ''))
    return tuple(
        Span(start_s, end_s, label)
        for (start_s, label), (end_s, _) in pairwise(changes)
        if label and start_s < end_s
    )
