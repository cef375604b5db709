# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The example of a behaviour: it speaks when it should, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from builtin_interfaces.msg import Time
from std_msgs.msg import Header, String

from fer_msgs.msg import Emotion, EmotionArray

HAPPY, SAD, NEUTRAL = ((1, 'happy'), (2, 'sad'), (3, 'neutral'))


def test_it_greets_the_happy_once_and_asks_the_sad(listener, root: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(root / 'examples' / 'greeter.py')], env=os.environ.copy(), cwd='/'
    )
    try:
        said = listener.collect(String, 'say')
        emotions = listener.create_publisher(EmotionArray, 'emotions', 10)
        listener.until(
            lambda: emotions.get_subscription_count() and listener.count_publishers('say'),
            'the greeter',
        )
        number = 0

        def look() -> bool:
            nonlocal number
            number += 1
            stamp = Time(sec=100 + number // 10, nanosec=number % 10 * 10**8)
            faces = [Emotion(track_id=i, label=label) for i, label in (HAPPY, SAD, NEUTRAL)]
            blurred = Emotion(track_id=4, label='sad', quality=Emotion.QUALITY_BLURRED)
            emotions.publish(EmotionArray(header=Header(stamp=stamp), emotions=[*faces, blurred]))
            return len(said) >= 2 and number > 60

        listener.until(look, 'two sentences')
        assert sorted(message.data for message in said) == [
            'Hello! Good to see you.',
            'Is everything all right?',
        ]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
