# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables as Excel, pandas and people write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from fer_ros.errors import DataError

DELIMITERS = ',;\t|'
_BYTE_ORDER_MARKS = {b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16', b'\xef\xbb\xbf': 'utf-8-sig'}


def read_table(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a file of values separated by comma, semicolon, tab or bar.

    Names of columns and values lose the blanks about them, names their capitals too; lines that
    hold nothing are skipped, values that a row lacks are ''.

    Args:
        path: UTF-8 with or without a byte order mark, UTF-16 with one, else Latin-1.
        needed: columns that must be there.

    Raises:
        DataError: it cannot be read, or a column is missing or there twice.
    """
    try:
        text = _text(path)
        # The names of the columns show the dialect; values may hold any of the delimiters.
        delimiter = max(DELIMITERS, key=text.partition('\n')[0].count)
        rows = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, skipinitialspace=True)
        names = [name.strip().lower() for name in next(rows, [])]
        missing = [name for name in needed if name not in names]
        if missing:
            raise DataError(
                f'{path}: columns {", ".join(missing)} are missing; '
                f'it has {", ".join(name[:40] for name in names[:20]) or "none"}'
            )
        twice = {name for name in needed if names.count(name) > 1}
        if twice:
            raise DataError(f'{path}: columns {", ".join(sorted(twice))} are there twice')
        for values in rows:
            row = dict.fromkeys(names, '') | {n: v.strip() for n, v in zip(names, values)}
            if any(row.values()):
                yield rows.line_num, row
    except (OSError, csv.Error) as error:
        raise DataError(f'{path} cannot be read: {error}') from error


def _text(path: Path) -> str:
    content = path.read_bytes()
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, 'replace').lstrip('\ufeff')
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        return content.decode('latin-1')


def read_number(text: str) -> float:
    """Return a number written with a point or a comma; ValueError if it is none."""
    return float(text.replace(',', '.') if text.count(',') == 1 and '.' not in text else text)
