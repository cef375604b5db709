# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames to fer_msgs and vision_msgs and back; see fer_ros.messages.make for how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_ros.errors import ImageError, shorten
from fer_ros.labels import UNKNOWN
from fer_ros.messages.heads import DISTANCE_SOURCES, GESTURES, head_of, pose_with_covariance
from fer_ros.messages.make import Make
from fer_ros.models.card import check_labels
from fer_ros.people.circumplex import valence_arousal
from fer_ros.recognition.quality import QUALITY_REASONS
from fer_ros.types import LANDMARK_NAMES, FaceEmotion, FrameEmotions

MAX_FRAME_ID = 1024
"""Longest frame_id that is copied into results."""

MAX_PEOPLE = 1000
"""Most people that a message of others may hold; 50 are a crowded image."""


def check_header(header: Any) -> None:
    """Raise ImageError for a header that is too long to be copied into every result."""
    if len(header.frame_id) > MAX_FRAME_ID:
        raise ImageError(
            f'frame_id has {len(header.frame_id)} characters; {MAX_FRAME_ID} at most are expected'
        )


def stamp_seconds(header: Any) -> float:
    """Return a header's stamp in seconds."""
    return float(header.stamp.sec + header.stamp.nanosec * 1e-9)


def emotion_array(make: Make, frame: FrameEmotions, header: Any, model_id: str) -> Any:
    """Return a frame's faces as fer_msgs/EmotionArray with the image's own header."""
    height, width = frame.shape_hw
    return make(
        'fer_msgs/msg/EmotionArray',
        header=header,
        model_id=model_id,
        labels=list(frame.labels),
        image_height=height,
        image_width=width,
        emotions=[_emotion(make, face, frame.labels) for face in frame.faces],
    )


def _emotion(make: Make, face: FaceEmotion, labels: tuple[str, ...]) -> Any:
    valence, arousal = valence_arousal(face.probabilities, labels)
    head = face.head
    return make(
        'fer_msgs/msg/Emotion',
        track_id=face.track_id,
        region=_region(make, face),
        landmarks=[
            make('geometry_msgs/msg/Point32', x=float(x), y=float(y), z=0.0)
            for x, y in face.landmarks
        ],
        detection_score=face.detection_score,
        label=face.label,
        confidence=face.confidence,
        probabilities=face.probabilities.astype(np.float32, copy=False),
        raw_probabilities=face.raw_probabilities.astype(np.float32, copy=False),
        quality=sum(1 << QUALITY_REASONS.index(reason) for reason in face.quality),
        valence=valence,
        arousal=arousal,
        head_pose=pose_with_covariance(make, head),
        distance=head.distance_m if head else math.nan,
        distance_stddev=head.distance_sigma_m if head else math.nan,
        distance_source=DISTANCE_SOURCES.index(head.distance_source) if head else 0,
        looking_at_camera=head is not None and head.is_looking_at_camera,
        head_gesture=GESTURES.index(head.gesture) if head else 0,
    )


def _region(make: Make, face: FaceEmotion) -> Any:
    """Return the box on whole pixels, grown outwards."""
    left, top, right, bottom = (float(n) for n in face.box_xyxy)
    x, y = math.floor(left), math.floor(top)
    return make(
        'sensor_msgs/msg/RegionOfInterest',
        x_offset=x,
        y_offset=y,
        width=math.ceil(right) - x,
        height=math.ceil(bottom) - y,
        do_rectify=False,
    )


def frame_emotions(message: Any) -> FrameEmotions:
    """Return a fer_msgs/EmotionArray as the frame it was made from (boxes on whole pixels).

    Raises:
        ImageError: it does not fit together; another program may have made it.
    """
    check_header(message.header)
    if len(message.emotions) > MAX_PEOPLE:
        raise ImageError(
            f'emotions of {len(message.emotions)} people: at most {MAX_PEOPLE} are read'
        )
    if message.labels:
        try:
            check_labels(message.labels)
        except ValueError as error:
            raise ImageError(f'emotions have labels that cannot be: {error}') from error
    if message.emotions and not (message.image_width and message.image_height):
        raise ImageError('emotions of an image without width or height')
    return FrameEmotions(
        stamp_s=stamp_seconds(message.header),
        shape_hw=(message.image_height, message.image_width),
        labels=tuple(message.labels),
        faces=tuple(_face(emotion, message.labels) for emotion in message.emotions),
    )


def _face(message: Any, labels: Sequence[str]) -> FaceEmotion:
    classes = len(labels)
    counts = (len(message.probabilities), len(message.raw_probabilities), len(message.landmarks))
    if not classes or counts != (classes, classes, len(LANDMARK_NAMES)):
        raise ImageError(
            f'emotions of person {message.track_id}: expected {classes} probabilities twice and '
            f'{len(LANDMARK_NAMES)} landmarks, got {counts}'
        )
    if message.label not in (*labels, UNKNOWN):
        raise ImageError(
            f'emotions of person {message.track_id}: label {shorten(message.label, 40)!r} is none '
            "of the message's own"
        )
    region = message.region
    left, top = region.x_offset, region.y_offset
    return FaceEmotion(
        track_id=message.track_id,
        box_xyxy=np.array([left, top, left + region.width, top + region.height], np.float32),
        landmarks=np.array([(point.x, point.y) for point in message.landmarks], np.float32),
        detection_score=message.detection_score,
        raw_probabilities=np.array(message.raw_probabilities, np.float32),
        probabilities=np.array(message.probabilities, np.float32),
        label=message.label,
        confidence=message.confidence,
        quality=tuple(
            name for bit, name in enumerate(QUALITY_REASONS) if message.quality >> bit & 1
        ),
        head=head_of(message),
    )


def detection_array(make: Make, frame: FrameEmotions, header: Any) -> Any:
    """Return a frame's faces as vision_msgs: classes by their number in label_info."""
    classes = (*frame.labels, UNKNOWN)
    return make(
        'vision_msgs/msg/Detection2DArray',
        header=header,
        detections=[
            _detection(make, face, header, str(classes.index(face.label))) for face in frame.faces
        ],
    )


def _detection(make: Make, face: FaceEmotion, header: Any, class_id: str) -> Any:
    left, top, right, bottom = (float(n) for n in face.box_xyxy)
    middle = make('vision_msgs/msg/Point2D', x=(left + right) / 2, y=(top + bottom) / 2)
    return make(
        'vision_msgs/msg/Detection2D',
        header=header,
        results=[
            make(
                'vision_msgs/msg/ObjectHypothesisWithPose',
                hypothesis=make(
                    'vision_msgs/msg/ObjectHypothesis', class_id=class_id, score=face.confidence
                ),
                pose=pose_with_covariance(make, face.head),
            )
        ],
        bbox=make(
            'vision_msgs/msg/BoundingBox2D',
            center=make('vision_msgs/msg/Pose2D', position=middle, theta=0.0),
            size_x=right - left,
            size_y=bottom - top,
        ),
        id=str(face.track_id),
    )


def label_info(make: Make, labels: tuple[str, ...], threshold: float, header: Any) -> Any:
    """Return the names of the classes' numbers in detections, as vision_msgs/LabelInfo.

    The number after the last class means 'unknown'.
    """
    return make(
        'vision_msgs/msg/LabelInfo',
        header=header,
        class_map=[
            make('vision_msgs/msg/VisionClass', class_id=i, class_name=label)
            for i, label in enumerate((*labels, UNKNOWN))
        ],
        threshold=threshold,
    )
