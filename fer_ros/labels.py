# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one home of the class order and of the words other conventions use for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

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
"""The label of a face whose emotion the model is not confident enough about."""

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

SYNONYMS: dict[str, str] = {
    **{label: label for label in EMOTIONS},
    **FERPLUS_COLUMN_TO_EMOTION,
    **{word: label for label, word in REP155_EXPRESSIONS.items()},
    'afraid': 'fear',
    'fearful': 'fear',
    'joy': 'happy',
    'suprise': 'surprise',
    'suprised': 'surprise',
    'contemptuous': 'contempt',
}
"""Words of data sets and label files, in lower case, and the class that each means."""

LABEL_MAPS: dict[str, dict[str, str]] = {
    'fer2013': {str(number): label for number, label in enumerate(FER2013_EMOTIONS)},
    'rafdb': dict(
        zip('1234567', ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral'))
    ),
    'affectnet': dict(
        zip(
            '01234567',
            ('neutral', 'happy', 'sad', 'surprise', 'fear', 'disgust', 'angry', 'contempt'),
        )
    ),
}
"""Numbers that known data sets use for their classes; the same number means another in each."""


def find_label(word: str, label_map: Mapping[str, str] | None = None) -> str | None:
    """Return the class that a word means, whatever its case; None if it is not known.

    Args:
        word: of a data set or a label file.
        label_map: what a user says words or classes mean; '' leaves them out.
    """
    mapped = {_plain(key): label for key, label in (label_map or {}).items()}
    word = _plain(word)
    # pandas writes a column of whole numbers as 3.0 once one is missing.
    for key in (word, word.removesuffix('.0')):
        if key in mapped:
            return mapped[key]
    label = SYNONYMS.get(word)
    return mapped.get(label, label) if label else None


def _plain(word: str) -> str:
    # macOS writes ü as two characters into names of files.
    return unicodedata.normalize('NFC', word).strip().lower()
