# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot's behaviour on top of emotions: greets a happy face once, asks a sad one.

``python3 examples/greeter.py`` beside a running emotion_node; what it says is on ``say``.
"""

from __future__ import annotations

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import String

from fer_msgs.msg import Emotion, EmotionArray

SENTENCES = {'happy': 'Hello! Good to see you.', 'sad': 'Is everything all right?'}
SURE_S = 1.0
FORGET_S = 30.0


class Greeter(Node):
    """Says one sentence per person and emotion, once the person has looked so for a second."""

    def __init__(self) -> None:
        super().__init__('greeter')
        self._since_s: dict[int, tuple[str, float]] = {}
        self._said_s: dict[tuple[int, str], float] = {}
        self._say = self.create_publisher(String, 'say', 10)
        self.create_subscription(EmotionArray, 'emotions', self._on_emotions, 10)

    def _on_emotions(self, message: EmotionArray) -> None:
        now_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        in_view = {emotion.track_id for emotion in message.emotions}
        self._since_s = {key: value for key, value in self._since_s.items() if key in in_view}
        self._said_s = {k: t for k, t in self._said_s.items() if 0 <= now_s - t < FORGET_S}
        for emotion in message.emotions:
            self._react(emotion, now_s)

    def _react(self, emotion: Emotion, now_s: float) -> None:
        label, since_s = self._since_s.get(emotion.track_id, ('', now_s))
        if label != emotion.label or now_s < since_s:
            self._since_s[emotion.track_id] = (emotion.label, now_s)
            return
        known = (emotion.track_id, emotion.label)
        # A face that is hard to read is no reason to speak to somebody.
        if emotion.quality or now_s - since_s < SURE_S or known in self._said_s:
            return
        if emotion.label in SENTENCES:
            self._said_s[known] = now_s
            self._say.publish(String(data=SENTENCES[emotion.label]))
            self.get_logger().info(f'person {emotion.track_id}: {SENTENCES[emotion.label]}')


def main() -> None:
    """Run until told to stop."""
    rclpy.init()
    try:
        rclpy.spin(Greeter())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
