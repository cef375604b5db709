# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Boxes and labels that Foxglove draws over the camera's own image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_ros.messages.make import Make
from fer_ros.types import FaceEmotion, FrameEmotions

Colour = tuple[int, int, int]

LINE_LOOP = 2
"""PointsAnnotation.LINE_LOOP."""

BOX_PX = 2.0
TEXT_PX = 14.0
INK: Colour = (20, 20, 20)


def image_annotations(
    make: Make, frame: FrameEmotions, header: Any, colours_bgr: Mapping[str, Colour]
) -> Any:
    """Return a frame's faces as foxglove_msgs/ImageAnnotations, under the image's stamp.

    Fields that only newer versions have are left at their defaults.

    Args:
        make: see fer_ros.messages.make.
        frame: what is drawn.
        header: of the image.
        colours_bgr: by label.
    """
    return make(
        'foxglove_msgs/msg/ImageAnnotations',
        points=[_box(make, face, header.stamp, colours_bgr[face.label]) for face in frame.faces],
        texts=[_text(make, face, header.stamp, colours_bgr[face.label]) for face in frame.faces],
    )


def _box(make: Make, face: FaceEmotion, stamp: Any, colour: Colour) -> Any:
    left, top, right, bottom = (float(n) for n in face.box_xyxy)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return make(
        'foxglove_msgs/msg/PointsAnnotation',
        timestamp=stamp,
        type=LINE_LOOP,
        points=[make('foxglove_msgs/msg/Point2', x=x, y=y) for x, y in corners],
        outline_color=_colour(make, colour),
        thickness=BOX_PX,
    )


def _text(make: Make, face: FaceEmotion, stamp: Any, colour: Colour) -> Any:
    left, top = (float(n) for n in face.box_xyxy[:2])
    return make(
        'foxglove_msgs/msg/TextAnnotation',
        timestamp=stamp,
        position=make('foxglove_msgs/msg/Point2', x=left, y=top),
        text=f'{face.track_id} {face.label} {face.confidence:.0%}',
        font_size=TEXT_PX,
        text_color=_colour(make, INK),
        background_color=_colour(make, colour),
    )


def _colour(make: Make, colour_bgr: Colour) -> Any:
    blue, green, red = (value / 255 for value in colour_bgr)
    return make('foxglove_msgs/msg/Color', r=red, g=green, b=blue, a=1.0)
