# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whose face is read in which frame."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fer_ros import EmotionPipeline, PipelineConfig
from fer_ros.config import ClassificationConfig, replace
from fer_ros.people.turns import ReadingTurns


def read_in(turns: ReadingTurns, stamp_s: float, *track_ids: int) -> list[int]:
    """Show people in one frame; return the ids of those who are read."""
    ids = np.array(track_ids, np.int64)
    rows = turns.due(ids, stamp_s)
    for row in rows:
        turns.keep(int(ids[row]), stamp_s, np.array([stamp_s], np.float32))
    turns.keep_only(track_ids)
    return ids[rows].tolist()


@pytest.mark.parametrize('rate_hz, every', [(5, 1), (10, 1), (15, 1), (30, 3), (60, 6)])
def test_one_person_is_read_every_period(rate_hz: int, every: int) -> None:
    turns = ReadingTurns(ClassificationConfig(read_period_ms=100.0))
    read = [bool(read_in(turns, number / rate_hz, 1)) for number in range(4 * every)]
    assert read == ([True] + [False] * (every - 1)) * 4


def test_people_who_came_together_are_read_in_turns() -> None:
    turns = ReadingTurns(ClassificationConfig(read_period_ms=100.0))
    frames = [read_in(turns, number / 30, *range(1, 9)) for number in range(30)]
    assert frames[0] == list(range(1, 9))
    assert max(map(len, frames[1:])) == 3
    counts = Counter(track_id for frame in frames for track_id in frame)
    assert set(counts) == set(range(1, 9))
    assert min(counts.values()) >= 9


def test_newcomers_and_those_forgotten_are_read_at_once() -> None:
    turns = ReadingTurns(ClassificationConfig(read_period_ms=1000.0))
    assert read_in(turns, 0.0, 1) == [1]
    assert read_in(turns, 0.1, 1, 2, 3) == [2, 3]
    assert read_in(turns, 0.2, 3) == []
    assert read_in(turns, 0.2, 1, 3) == [1]
    assert turns.last(1) == np.float32(0.2)


def test_a_face_that_changes_is_read_until_it_is_steady() -> None:
    turns = ReadingTurns(ClassificationConfig(read_period_ms=1000.0))
    read = []
    for number, smoothed in enumerate([0.0, 0.3, 0.1, 0.0]):
        stamp_s = number / 30
        if len(turns.due(np.array([1]), stamp_s)):
            read.append(number)
            turns.keep(1, stamp_s, np.zeros(2, np.float32))
        turns.compare(1, np.full(2, smoothed, np.float32))
    assert read == [0, 2]


def test_a_period_of_zero_reads_everybody_always() -> None:
    turns = ReadingTurns(ClassificationConfig(read_period_ms=0.0))
    assert [read_in(turns, 0.0, 1, 2) for _ in range(3)] == [[1, 2]] * 3


def test_between_two_readings_a_face_says_what_it_said(astronaut: np.ndarray) -> None:
    """The mouth is painted over: seen at the next reading, and at once without a period."""
    serious = astronaut.copy()
    serious[128:180, 180:275] = astronaut[110, 240]
    said = {}
    for period_ms in (0.0, 100.0):
        config = replace(PipelineConfig(), {'classification.read_period_ms': period_ms})
        pipeline = EmotionPipeline(config)
        images = [astronaut, serious, serious, serious]
        frames = [pipeline.process(image, number / 30) for number, image in enumerate(images)]
        faces = [frame.faces[0] for frame in frames]
        assert {face.track_id for face in faces} == {1}
        said[period_ms] = [face.raw_probabilities for face in faces]
    always, in_turns = said[0.0], said[100.0]
    assert not np.allclose(always[0], always[1], atol=0.01)
    assert np.array_equal(in_turns[0], in_turns[1])
    assert np.array_equal(in_turns[0], in_turns[2])
    assert np.allclose(in_turns[3], always[3], atol=1e-5)
