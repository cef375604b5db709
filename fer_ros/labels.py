# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one home of the class order and of the words other conventions use for it."""

from __future__ import annotations

EMOTIONS: tuple[str, ...] = (
    'angry',
    'disgust',
    'fear',
    'happy',
    'sad',
    'surprise',
    'neutral',
    'contempt',
)
"""The eight classes of FER+ in the order every array of this project uses."""

FER2013_EMOTIONS: tuple[str, ...] = EMOTIONS[:7]
"""FER2013's seven classes; their index is FER2013's own label number."""

UNKNOWN = 'unknown'
"""The label of a face whose emotion the model is not sure enough about."""

FERPLUS_COLUMN_TO_EMOTION: dict[str, str] = {
    'neutral': 'neutral',
    'happiness': 'happy',
    'surprise': 'surprise',
    'sadness': 'sad',
    'anger': 'angry',
    'disgust': 'disgust',
    'fear': 'fear',
    'contempt': 'contempt',
}
"""FER+'s vote columns and the class each counts for; its columns unknown and NF are no class."""

REP155_EXPRESSIONS: dict[str, str] = {
    'angry': 'angry',
    'disgust': 'disgusted',
    'fear': 'scared',
    'happy': 'happy',
    'sad': 'sad',
    'surprise': 'surprised',
    'neutral': 'neutral',
}
"""The words of REP-155 (ROS4HRI); it has none for contempt."""
