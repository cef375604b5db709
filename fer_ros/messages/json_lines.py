# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Results as JSON: the lines that ``fer image --json`` and ``fer video --json`` print."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from fer_ros.people.head_pose import yaw_pitch_roll_deg
from fer_ros.types import FaceEmotion, Float32Array, FrameEmotions, HeadPose

SCHEMA_VERSION = 1
"""Of every JSON document that a command writes; within one version, fields are only added."""


def to_json(content: dict[str, Any], indent: int | None = None) -> str:
    """Return a document as JSON, with its schema version."""
    return json.dumps({'schema_version': SCHEMA_VERSION, **content}, indent=indent)


def probabilities_to_dict(probabilities: Float32Array, labels: tuple[str, ...]) -> dict[str, float]:
    """Return {label: probability}, rounded to six digits."""
    return {label: round(float(p), 6) for label, p in zip(labels, probabilities)}


def face_to_dict(face: FaceEmotion, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what a face of a single image says."""
    left, top, right, bottom = (float(n) for n in face.box_xyxy)
    return {
        'box_xywh': [round(n, 2) for n in (left, top, right - left, bottom - top)],
        'landmarks': [
            [round(float(n), 2) for n in point] if np.isfinite(point).all() else None
            for point in face.landmarks
        ],
        'detection_score': round(face.detection_score, 4),
        'label': face.label,
        'confidence': round(face.confidence, 6),
        'probabilities': probabilities_to_dict(face.probabilities, labels),
        'quality': list(face.quality),
    }


def photo_to_dict(path: str, frame: FrameEmotions) -> dict[str, Any]:
    """Return what a photo says; faces are numbered as they are on the annotated copy."""
    height, width = frame.shape_hw
    faces = [{'number': face.track_id, **face_to_dict(face, frame.labels)} for face in frame.faces]
    return {'path': path, 'width': width, 'height': height, 'faces': faces}


def head_to_dict(head: HeadPose | None) -> dict[str, Any] | None:
    """Return where a head is and how it is turned, None where that is not known."""
    if head is None:
        return None
    yaw, pitch, roll = yaw_pitch_roll_deg(head)
    return {
        'position_m': [round(float(n), 3) for n in head.position_m],
        'distance_m': round(head.distance_m, 3),
        'distance_sigma_m': round(head.distance_sigma_m, 3),
        'distance_source': head.distance_source,
        'yaw_deg': round(yaw, 1),
        'pitch_deg': round(pitch, 1),
        'roll_deg': round(roll, 1),
        'is_looking_at_camera': head.is_looking_at_camera,
        'gesture': head.gesture,
    }


def frame_to_dict(frame: FrameEmotions, number: int) -> dict[str, Any]:
    """Return what a frame of a video or stream says; *number* counts frames from 0."""
    return {
        'frame': number,
        'stamp_s': round(frame.stamp_s, 6),
        'faces': [
            {
                **face_to_dict(face, frame.labels),
                'track_id': face.track_id,
                'raw_probabilities': probabilities_to_dict(face.raw_probabilities, frame.labels),
                'head': head_to_dict(face.head),
            }
            for face in frame.faces
        ],
    }
