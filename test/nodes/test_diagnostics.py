# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics says when something is wrong: by hand, and of the real node."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image

from fer_msgs.msg import EmotionArray
from fer_ros.nodes.diagnostics import FrameStatistics, brightness, rate_hz, to_status


def busy(incoming_hz: float, outgoing_hz: float, latency_ms: float = 20.0) -> FrameStatistics:
    """Return the statistics of four seconds at these rates."""
    now = time.monotonic()
    statistics = FrameStatistics(processed=1)
    statistics.arrivals_s.extend(now - 4 + n / incoming_hz for n in range(int(4 * incoming_hz)))
    statistics.results_s.extend(now - 4 + n / outgoing_hz for n in range(int(4 * outgoing_hz)))
    statistics.latencies_ms.extend([latency_ms] * 30)
    return statistics


def dark() -> FrameStatistics:
    statistics = busy(30, 30)
    statistics.brightness = 12.0
    return statistics


def unstamped() -> FrameStatistics:
    statistics = busy(30, 30)
    statistics.published(None, 0, {})
    return statistics


def damaged() -> FrameStatistics:
    statistics = busy(30, 30)
    statistics.failed("encoding 'magic' is not known")
    return statistics


@pytest.mark.parametrize(
    'make, expected',
    [
        pytest.param(FrameStatistics, [], id='nothing yet'),
        pytest.param(lambda: busy(30, 30), [], id='all well'),
        pytest.param(lambda: busy(30, 27), [], id='a frame lost now and then'),
        pytest.param(lambda: busy(30, 10), ['falling behind: 10.0 of 30.0'], id='behind'),
        pytest.param(lambda: busy(30, 30, 2500.0), ['images are 2.5 s old'], id='stale'),
        pytest.param(lambda: busy(30, 30, -500.0), ['stamps lie 0.5 s in the future'], id='clocks'),
        pytest.param(dark, ['it is dark: mean brightness 12'], id='dark'),
        pytest.param(unstamped, ['images without a stamp'], id='no stamps'),
        pytest.param(damaged, ["bad images: encoding 'magic'"], id='bad'),
    ],
)
def test_warnings(make: Callable[[], FrameStatistics], expected: list[str]) -> None:
    found = make().warnings(min_brightness=40.0)
    assert len(found) == len(expected)
    for text, start in zip(found, expected):
        assert text.startswith(start)


def test_a_series_that_has_stopped_has_no_rate() -> None:
    now = time.monotonic()
    assert rate_hz([now - 100 + n for n in range(50)]) == 0.0
    assert rate_hz([]) == 0.0
    assert rate_hz([now - 1.0, now - 0.5, now]) == pytest.approx(2.0)


def test_brightness_is_the_mean_of_a_grid() -> None:
    assert brightness(np.full((480, 640, 3), 77, np.uint8)) == 77.0
    assert brightness(np.zeros((1, 1, 3), np.uint8)) == 0.0


def test_values_carry_quantiles() -> None:
    statistics = busy(30, 30)
    statistics.latencies_ms.clear()
    statistics.latencies_ms.extend(range(1, 102))
    values = statistics.values()
    assert values['latency median (ms)'] == '51.0'
    assert values['latency 95th (ms)'] == '96.0'
    assert values['latency 99th (ms)'] == '100.0'


def test_status_carries_level_and_nothing_too_long() -> None:
    status = to_status('/robot/emotion_node: emotions', 'active', ['dark'], {'model': 'm' * 9999})
    assert (status.level, status.message) == (DiagnosticStatus.WARN, 'dark')
    assert len(status.values[0].value) == 200
    assert len(to_status('n', 'active', ['a' * 9999], {}).message) == 1000
    assert to_status('n', 'active', [], {}).level == DiagnosticStatus.OK


def message_of(diagnostics: list[DiagnosticArray]) -> str:
    return diagnostics[-1].status[0].message if diagnostics else ''


def received(diagnostics: list[DiagnosticArray]) -> int:
    values = {value.key: value.value for value in diagnostics[-1].status[0].values}
    return int(values['received frames'])


def test_no_images_and_why(listener, start) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    start('emotion_node', '-p', 'diagnostics_period_s:=0.2')
    listener.until(lambda: 'nobody publishes /image' in message_of(diagnostics), 'nobody publishes')
    elsewhere = listener.create_publisher(Image, 'camera/image_raw', 1)
    listener.until(
        lambda: 'there are images on /camera/image_raw' in message_of(diagnostics), 'advice'
    )
    listener.destroy_publisher(elsewhere)
    listener.create_publisher(CompressedImage, 'image', qos_profile_sensor_data)
    listener.until(
        lambda: 'listener sends sensor_msgs/msg/CompressedImage (best_effort, volatile); '
        'sensor_msgs/msg/Image is expected' in message_of(diagnostics),
        'the wrong type',
    )


def test_a_camera_that_stops_and_returns(listener, start, astronaut: np.ndarray) -> None:
    diagnostics = listener.collect(DiagnosticArray, '/diagnostics')
    results = listener.collect(EmotionArray, 'emotions')
    start('emotion_node', '-p', 'diagnostics_period_s:=0.2')
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)

    def shown() -> bool:
        publisher.publish(listener.image(astronaut))
        return bool(results)

    listener.until(shown, 'a result')
    listener.until(
        lambda: 'no images on /image for' in message_of(diagnostics)
        and '/listener sends sensor_msgs/msg/Image (best_effort' in message_of(diagnostics),
        'silence, and who is silent',
    )
    listener.destroy_publisher(publisher)
    listener.until(lambda: 'nobody publishes /image' in message_of(diagnostics), 'a camera gone')
    assert diagnostics[-1].status[0].level == DiagnosticStatus.WARN
    before = received(diagnostics)
    results.clear()
    publisher = listener.create_publisher(Image, 'image', qos_profile_sensor_data)
    listener.until(shown, 'a result for the camera that is back')
    listener.until(
        lambda: (publisher.publish(listener.image(astronaut)), message_of(diagnostics))[1]
        == 'active',
        'no warning',
    )
    assert diagnostics[-1].status[0].level == DiagnosticStatus.OK
    assert received(diagnostics) > before, 'the node was restarted, or saw nothing'
