# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong outside the caller's hands.

- FerError
    - ModelError: weights or their card are missing, damaged, or contradict each other
    - ImageError: an image, or a message that should hold or describe one, cannot be read
    - ConfigError: a configuration file names something that does not exist or is out of range
    - SourceError: a camera, video, folder or bag cannot be opened or ends too early
    - DataError: a data set or label file does not hold what it should

A mistake in a call (a wrong shape, a negative size) is a ``ValueError``. Only the nodes and the
command line catch these; everything in between lets them pass.
"""

from __future__ import annotations

MAX_TEXT = 200


def shorten(text: str, length: int = MAX_TEXT) -> str:
    """Return *text*, cut to *length* characters: what others send may be of any size."""
    return text if len(text) <= length else f'{text[: length - 1]}…'


class FerError(Exception):
    """Base of every error that this package raises for the state of the world."""


class ModelError(FerError):
    """Weights or their card are missing, damaged, or contradict each other."""


class ImageError(FerError):
    """An image, or a message that should hold or describe one, cannot be read."""


class ConfigError(FerError):
    """A configuration names something that does not exist or is out of range."""


class SourceError(FerError):
    """A camera, video, folder or bag cannot be opened or read."""


class DataError(FerError):
    """A data set or label file does not hold what it should."""
