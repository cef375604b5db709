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

import re
from pathlib import Path

MAX_TEXT = 200
_UNPRINTABLE = re.compile(
    '[\\0-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udc7f\\udd00-\\udfff]'
)


def printable(text: str) -> str:
    """Return *text* with what would steer a terminal or turn a line round written out.

    Others name their files: a name may clear the screen, or look like another line. Bytes that are
    no UTF-8 stay as the surrogates that Python makes of them.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def shorten(text: str, length: int = MAX_TEXT) -> str:
    """Return *text*, cut to *length* characters and fit to be sent on.

    What others send, or call their files, may be of any size and hold half a character.
    """
    text = printable(text[: length + 1].encode(errors='replace').decode())
    return text if len(text) <= length else f'{text[: length - 1]}…'


def counted(number: int, one: str, many: str = '') -> str:
    """Return a number with its noun.

    Args:
        number: how many there are.
        one: the noun for one of them.
        many: the noun for several; *one* with an s by default.

    >>> counted(1, 'face'), counted(2, 'face'), counted(0, 'person', 'people')
    ('1 face', '2 faces', '0 people')
    """
    return f'{number} {one if number == 1 else many or one + "s"}'


class FerError(Exception):
    """Base of every error that this package raises for the state of the world."""

    def __str__(self) -> str:
        """Return the sentence, in one line, which may quote names and texts of others."""
        return printable(re.sub(r'\s*\n\s+', ' ', super().__str__()))


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
