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

from pathlib import Path

MAX_TEXT = 200


def shorten(text: str, length: int = MAX_TEXT) -> str:
    """Return *text*, cut to *length* characters and fit to be sent on.

    What others send, or call their files, may be of any size and hold half a character.
    """
    text = text.encode(errors='replace').decode()
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


def named_path(text: str, error: type[FerError]) -> Path:
    """Return *text* as a path that can be asked whether it exists, its ~ expanded.

    Raises:
        FerError: of the type *error*; no file can have that name, or its folder cannot be read.
    """
    try:
        path = Path(text).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # What that means, the caller knows.
    except (OSError, RuntimeError, ValueError) as reason:
        # An unknown user after ~, too long, a NUL or half a character in it, no permission.
        why = getattr(reason, 'strerror', None) or str(reason)
        raise error(f'path {shorten(repr(text), MAX_TEXT // 2)} cannot be used: {why}') from reason
    return path


def check_address_space(least_bytes: int) -> None:
    """Raise ConfigError where native code would end the process for want of address space."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
    except ImportError:
        return  # Windows has no such limit.
    limit = getrlimit(RLIMIT_AS)[0]
    if limit != RLIM_INFINITY and limit < least_bytes:
        raise ConfigError(
            f'the address space is limited to {limit / 1e6:.0f} MB; at least '
            f'{least_bytes / 1e6:.0f} MB are needed (ulimit -v)'
        )
