# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What Foxglove is given: annotations over the camera's image, and a layout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from fer_ros.drawing.annotation import COLOURS_BGR
from fer_ros.labels import EMOTIONS
from fer_ros.messages.foxglove import image_annotations
from fer_ros.types import FaceEmotion, FrameEmotions

FIELDS = {
    'ImageAnnotations': {'points', 'texts'},
    'PointsAnnotation': {'timestamp', 'type', 'points', 'outline_color', 'thickness'},
    'TextAnnotation': {
        'timestamp', 'position', 'text', 'font_size', 'text_color', 'background_color',
    },
    'Point2': {'x', 'y'},
    'Color': {'r', 'g', 'b', 'a'},
}  # fmt: skip
"""Of foxglove_msgs, as far as every version has them."""


def make(kind: str, **fields: Any) -> SimpleNamespace:
    assert kind.startswith('foxglove_msgs/msg/')
    assert fields.keys() <= FIELDS[kind.rpartition('/')[2]]
    return SimpleNamespace(**fields)


def frame(*boxes: tuple[float, float, float, float]) -> FrameEmotions:
    share, none = np.array([0.75, 0.25], np.float32), np.full((5, 2), np.nan, np.float32)
    faces = (
        FaceEmotion(row, np.array(box, np.float32), none, 0.9, share, share, 'happy', 0.75)
        for row, box in enumerate(boxes, 1)
    )
    return FrameEmotions(0.0, (480, 640), ('happy', 'sad'), tuple(faces))


def test_a_face_is_a_box_with_its_label() -> None:
    header = SimpleNamespace(stamp='when', frame_id='camera')
    message = image_annotations(make, frame((10, 20, 30, 50), (0, 0, 9, 9)), header, COLOURS_BGR)
    box, text = message.points[0], message.texts[0]
    assert [(p.x, p.y) for p in box.points] == [(10, 20), (30, 20), (30, 50), (10, 50)]
    assert (box.timestamp, box.type, text.timestamp) == ('when', 2, 'when')
    assert (text.text, text.position.x, text.position.y) == ('1 happy 75%', 10, 20)
    # happy is yellow: red and green, little blue.
    assert box.outline_color.r > 0.9 > 0.3 > box.outline_color.b
    assert [one.text[0] for one in message.texts] == ['1', '2']


def test_nobody_clears_what_was_drawn() -> None:
    message = image_annotations(make, frame(), SimpleNamespace(stamp='when'), COLOURS_BGR)
    assert (message.points, message.texts) == ([], [])


def test_the_layout_shows_topics_and_panels_that_exist(root: Path) -> None:
    text = (root / 'config' / 'foxglove_layout.json').read_text()
    layout = json.loads(text)
    topics = {name.split('.')[0] for name in re.findall(r'"/([^"{]+)', text)}
    assert topics == {'image_raw', 'image_annotations', 'emotions', 'diagnostics'}
    assert set(re.findall(r'label==\\"(\w+)\\"', text)) <= set(EMOTIONS)
    fields = (root / 'fer_msgs' / 'msg' / 'Emotion.msg').read_text()
    for field in re.findall(r'emotions\[:](?:{[^}]*})?\.(\w+)', text):
        assert f' {field}\n' in fields

    def panels(part: Any) -> set[str]:
        return {part} if isinstance(part, str) else panels(part['first']) | panels(part['second'])

    assert panels(layout['layout']) == set(layout['configById'])
