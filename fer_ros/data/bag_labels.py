# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What people in a recording really felt: spans of time from a csv file or a topic."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rosbags.highlevel import AnyReader

from fer_ros.data.bags import messages
from fer_ros.errors import DataError
from fer_ros.labels import EMOTIONS

EVERYBODY = 0
TOPIC_TYPE = 'std_msgs/msg/String'


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
        """Return whether this span speaks of a person at a time."""
        return self.start_s <= time_s < self.end_s and self.track_id in (EVERYBODY, track_id)


def read_spans(path: Path) -> tuple[Span, ...]:
    """Read a csv file with the columns start_s, end_s, label and, where wanted, track_id.

    Raises:
        DataError: a column is missing or a row makes no sense; the message names the line.
    """
    try:
        with path.open(newline='', encoding='utf-8-sig') as stream:
            rows = csv.DictReader(stream)
            missing = {'start_s', 'end_s', 'label'} - set(rows.fieldnames or ())
            if missing:
                raise DataError(f'{path}: column {", ".join(sorted(missing))} is missing')
            spans = [_span(row, f'{path}, line {rows.line_num}') for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f'{path} cannot be read: {error}') from error
    return tuple(sorted(spans, key=lambda span: (span.start_s, span.track_id)))


def _span(row: dict[str, str], where: str) -> Span:
    try:
        return Span(
            float(row['start_s']),
            float(row['end_s']),
            row['label'].strip(),
            int(row.get('track_id') or EVERYBODY),
        )
    except (DataError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f'{where}: {error}') from error


def topic_spans(reader: AnyReader, topic: str, first_image_ns: int) -> tuple[Span, ...]:
    """Return the spans that a std_msgs/String topic tells: each label holds until the next.

    An empty string ends a span without beginning another.

    Raises:
        DataError: the topic is missing or of another type, or a label is not known.
    """
    kinds = {c.topic: c.msgtype for c in reader.connections}
    if kinds.get(topic) != TOPIC_TYPE:
        raise DataError(f'label topic {topic}: expected {TOPIC_TYPE}, got {kinds.get(topic)}')
    changes: list[tuple[float, str]] = []
    for connection, log_ns, data in messages(reader, topic):
        try:
            message = reader.deserialize(data, connection.msgtype)
        except Exception as error:  # bytes of a file may be anything
            raise DataError(f'label topic {topic}: message cannot be read: {error}') from error
        changes.append(((log_ns - first_image_ns) * 1e-9, str(getattr(message, 'data', ''))))
    changes.append((float('inf'), ''))
    return tuple(
        Span(start_s, end_s, label)
        for (start_s, label), (end_s, _) in pairwise(changes)
        if label and start_s < end_s
    )
