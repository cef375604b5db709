# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from fer_ros.config import SmoothingConfig, TrackingConfig
from fer_ros.people import tracking
from fer_ros.people.clock import StreamClock
from fer_ros.people.smoothing import EmotionSmoother
from fer_ros.people.tracking import FaceTracker


def boxes(*places: tuple[float, ...]) -> np.ndarray:
    """Square boxes at left, top, of 60 px or of a third number."""
    rows = []
    for left, top, *size in places:
        side = size[0] if size else 60
        rows.append((left, top, left + side, top + side))
    return np.array(rows, np.float32).reshape(-1, 4)


def run(frames: list[np.ndarray], rate_hz: float = 30.0) -> list[list[int]]:
    tracker = FaceTracker(TrackingConfig())
    return [tracker.update(frame, n / rate_hz).tolist() for n, frame in enumerate(frames)]


@pytest.mark.parametrize(
    'frames, expected',
    [
        pytest.param([boxes()] * 3, [[], [], []], id='nobody'),
        pytest.param([boxes((10, 10))] * 3, [[1], [1], [1]], id='stands still'),
        pytest.param(
            [boxes((0, 0), (300, 0)), boxes((300, 0), (0, 0))],
            [[1, 2], [2, 1]],
            id='the order of detections does not matter',
        ),
        pytest.param(
            [boxes((100, 100))] + [boxes()] * 20 + [boxes((104, 100))],
            [[1]] + [[]] * 20 + [[1]],
            id='a gap of two thirds of a second',
        ),
        pytest.param(
            [boxes((100, 100))] + [boxes()] * 31 + [boxes((100, 100))],
            [[1]] + [[]] * 31 + [[2]],
            id='away for longer than the longest gap',
        ),
        pytest.param(
            [boxes((100, 100)), boxes((500, 300))], [[1], [2]], id='somebody else elsewhere'
        ),
        pytest.param(
            [boxes((100, 100)), boxes((110, 110, 200))],
            [[1], [2]],
            id='somebody of another size in front',
        ),
    ],
)
def test_ids(frames: list, expected: list) -> None:
    assert run(frames) == expected


def test_a_quick_walk_keeps_its_id_through_a_gap() -> None:
    """600 px per second, unseen for a sixth of a second: expected where the walk leads."""
    walk = [boxes((20 * n, 100)) for n in range(25)]
    walk[12:17] = [boxes()] * 5
    assert {i for ids in run(walk) for i in ids} == {1}


def test_two_people_who_pass_each_other_keep_their_ids() -> None:
    """They meet in the middle, one in front of the other, the way they were going tells them."""
    ids = run([boxes((10 * n, 100), (300 - 10 * n, 125)) for n in range(31)])
    assert ids[0] == ids[-1] == [1, 2]


def test_the_frame_rate_makes_no_difference_to_gaps() -> None:
    for rate_hz in (5, 15, 60):
        gap = round(0.8 * rate_hz)
        frames = [boxes((100, 100))] + [boxes()] * gap + [boxes((100, 100))]
        assert run(frames, rate_hz)[-1] == [1], rate_hz


def test_ids_are_not_used_again_after_a_reset() -> None:
    tracker = FaceTracker(TrackingConfig())
    tracker.update(boxes((0, 0)), 0.0)
    tracker.reset()
    assert tracker.update(boxes((0, 0)), 0.1).tolist() == [2]


def test_nobody_is_remembered_for_ever() -> None:
    tracker = FaceTracker(TrackingConfig())
    for n in range(200):
        tracker.update(boxes((3 * n % 500, 7 * n % 400)), 2.0 * n)
    assert len(tracker.track_ids) == 1


def test_a_clock_that_stands_still_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracking.MAX_PEOPLE <= 1000
    monkeypatch.setattr(tracking, 'MAX_PEOPLE', 50)
    tracker = FaceTracker(TrackingConfig())
    for n in range(70):
        tracker.update(boxes((1000 * n, 0)), 7.0)
    assert len(tracker.track_ids) == 51


def test_stamps_a_hair_apart_leave_the_speed_finite() -> None:
    tracker = FaceTracker(TrackingConfig())
    stamps = (0.0, 5e-324, 1e-300, 1e-9, 0.1)
    assert [tracker.update(boxes((n, 0)), stamp)[0] for n, stamp in enumerate(stamps)] == [1] * 5


@pytest.mark.parametrize(
    'stamps, times, late, back',
    [
        pytest.param((1.0, 1.1, 1.099, 1.2), (1.0, 1.1, 1.1, 1.2), 1, 0, id='a millisecond late'),
        pytest.param((0.0, 0.2, 0.1, 0.3), (0.0, 0.2, 0.2, 0.3), 1, 0, id='two images swapped'),
        pytest.param((9.0, 8.5, 8.5), (9.0, 9.0, 9.0), 2, 0, id='late by just the jitter'),
        pytest.param((9.0, 8.4, 8.5), (9.0, 8.4, 8.5), 0, 1, id='further back'),
        pytest.param((9.0, 0.0, 9.1), (9.0, 0.0, 9.1), 0, 1, id='zero among good ones'),
        pytest.param((5.0, 5.0, 5.0), (5.0, 5.0, 5.0), 0, 0, id='stands still'),
        pytest.param((-3.0, 1e300), (-3.0, 1e300), 0, 0, id='negative, then huge'),
    ],
)
def test_time_never_runs_backward_but_for_a_jump(
    stamps: tuple, times: tuple, late: int, back: int
) -> None:
    clock = StreamClock(TrackingConfig(max_jitter_s=0.5))
    assert tuple(clock.advance(stamp)[0] for stamp in stamps) == times
    assert (clock.late_stamps, clock.jumps_back) == (late, back)


@pytest.mark.parametrize('stamp_s', [float('nan'), float('inf'), float('-inf')])
def test_a_stamp_that_is_no_time_is_refused(stamp_s: float) -> None:
    with pytest.raises(ValueError, match='stamp_s: expected a finite number'):
        StreamClock(TrackingConfig()).advance(stamp_s)


SAD, HAPPY = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


@pytest.mark.parametrize('rate_hz', [5, 30, 120])
def test_smoothing_follows_time_not_frames(rate_hz: int) -> None:
    """After one time constant a change has come through by 1 - 1/e, at any rate."""
    smoother = EmotionSmoother(SmoothingConfig(time_constant_s=1.0))
    smoother.update(1, 0.0, SAD)
    for n in range(1, rate_hz + 1):
        smoothed = smoother.update(1, n / rate_hz, HAPPY)
    assert smoothed[1] == pytest.approx(1 - np.exp(-1), abs=1e-3)
    assert smoothed.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    'time_constant_s, stamps, expected',
    [
        pytest.param(0.0, (0.0, 0.1), 1.0, id='none'),
        pytest.param(1.0, (0.0, 0.0), 0.0, id='no time has passed'),
        pytest.param(1.0, (0.0, 60.0), 1.0, id='a minute has passed'),
    ],
)
def test_smoothing_at_its_limits(time_constant_s: float, stamps: tuple, expected: float) -> None:
    smoother = EmotionSmoother(SmoothingConfig(time_constant_s=time_constant_s))
    smoother.update(1, stamps[0], SAD)
    assert smoother.update(1, stamps[1], HAPPY)[1] == pytest.approx(expected)


def test_people_are_smoothed_apart_and_forgotten() -> None:
    smoother = EmotionSmoother(SmoothingConfig(time_constant_s=1.0))
    smoother.update(1, 0.0, SAD)
    assert smoother.update(2, 0.1, HAPPY)[1] == 1
    smoother.keep_only([2])
    assert smoother.update(1, 0.2, HAPPY)[1] == 1


LABELS = ('sad', 'happy')


def labels_over_time(
    smoother: EmotionSmoother, happy: tuple[float, ...], rate_hz: float = 10.0
) -> str:
    """The labels of one person whose probability of happy is given frame by frame, else sad."""
    return ' '.join(
        smoother.label(1, n / rate_hz, np.array([1 - p, p], np.float32), LABELS, 0.6 - 1e-6)
        for n, p in enumerate(happy)
    )


@pytest.mark.parametrize(
    'hysteresis, happy, expected',
    [
        pytest.param(
            0.05,
            (0.59, 0.60, 0.56, 0.56, 0.54, 0.56, 0.60),
            'unknown happy happy happy unknown unknown happy',
            id='kept within the hysteresis, taken anew at the threshold',
        ),
        pytest.param(
            0.0, (0.60, 0.59, 0.60), 'happy unknown happy', id='without hysteresis it flickers'
        ),
        pytest.param(
            0.3, (0.60, 0.35, 0.40), 'happy sad sad', id='another label needs the threshold'
        ),
        pytest.param(0.3, (0.60, 0.45, 0.55), 'happy unknown unknown', id='none is kept twice'),
    ],
)
def test_a_label_is_given_up_later_than_taken(
    hysteresis: float, happy: tuple[float, ...], expected: str
) -> None:
    config = SmoothingConfig(unknown_hysteresis=hysteresis, min_label_s=0, label_hysteresis=0)
    assert labels_over_time(EmotionSmoother(config), happy) == expected


@pytest.mark.parametrize(
    'happy, expected',
    [
        pytest.param(
            (0.9, *(0.1,) * 5, *(0.9,) * 3),
            'happy ' * 9,
            id='a moment within the least time is not published',
        ),
        pytest.param(
            (*(0.9,) * 9, 0.1, *(0.9,) * 8),
            'happy ' * 9 + 'sad ' * 7 + 'happy ' * 2,
            id='a change after it is published at once, and lasts as long',
        ),
        pytest.param(
            (*(0.9,) * 9, 0.55, 0.45, 0.1, 0.1),
            'happy ' * 11 + 'sad ' * 2,
            id='from one to the next without unknown',
        ),
        pytest.param(
            (*(0.9,) * 9, *(0.5,) * 4),
            'happy ' * 11 + 'unknown ' * 2,
            id='unknown when both stay below the threshold',
        ),
    ],
)
def test_no_label_lasts_less_than_the_least_time(happy: tuple[float, ...], expected: str) -> None:
    """Sixteen frames per second and a least time of 0.4 s: a label lasts seven frames."""
    config = SmoothingConfig(unknown_hysteresis=0, min_label_s=0.4, label_hysteresis=0)
    assert labels_over_time(EmotionSmoother(config), happy, 16) == expected.strip()


def test_another_label_has_to_lead() -> None:
    """Another is taken at 0.63, when it leads by more than a quarter, not at 0.6."""
    config = SmoothingConfig(min_label_s=0, label_hysteresis=0.25, unknown_hysteresis=0.25)
    found = labels_over_time(EmotionSmoother(config), (0.7, 0.4, 0.37, 0.6, 0.63))
    assert found == 'happy happy sad sad happy'


def test_a_step_is_published_within_0_4_seconds_and_noise_does_not_flicker() -> None:
    """What the defaults promise, at 30 frames per second."""
    smoother, random = EmotionSmoother(SmoothingConfig()), np.random.default_rng(1)
    labels = []
    for n in range(300):
        happy = float(np.clip((n >= 90) + random.normal(0, 0.2), 0, 1))
        smoothed = smoother.update(1, n / 30, np.array([1 - happy, happy], np.float32))
        labels.append(smoother.label(1, n / 30, smoothed, LABELS, 0.5))
    assert labels.index('happy') - 90 <= 0.4 * 30
    assert labels == sorted(labels, reverse=True), 'sad, then happy, and nothing else'


def test_labels_are_kept_apart_and_forgotten() -> None:
    smoother = EmotionSmoother(SmoothingConfig(unknown_hysteresis=0.1))
    weak, strong = np.array([0.45, 0.55], np.float32), np.array([0.2, 0.8], np.float32)
    smoother.label(1, 0.0, strong, LABELS, 0.6)
    assert smoother.label(2, 0.0, weak, LABELS, 0.6) == 'unknown'
    assert smoother.label(1, 9.0, weak, LABELS, 0.6) == 'happy'
    smoother.keep_only([2])
    assert smoother.label(1, 9.0, weak, LABELS, 0.6) == 'unknown'
