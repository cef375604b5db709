# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables as Excel, pandas and people write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from fer_ros.errors import DataError, shorten

DELIMITERS = ',;\t|'
_BYTE_ORDER_MARKS = {
    b'\xff\xfe\0\0': 'utf-32', b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16',
    b'\xef\xbb\xbf': 'utf-8-sig',
}  # fmt: skip
_BEFORE_THE_TABLE = re.compile(r'(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n))*')
_DELIMITER_LINE = re.compile(r'"?sep=(.)"?(?:\r\n?|\n)', re.IGNORECASE)
_END = '\0end of the table'
"""Stands after the last row: a quote that is opened and never closed takes it in."""

_PACKED = (b'PK\x03\x04', b'\xd0\xcf\x11\xe0', b'\x1f\x8b')
_COMMA_IN_NUMBER = re.compile(r'[-+]?\d+,\d+')


def read_table(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a file of values separated by comma, semicolon, tab or bar.

    Names of columns and values lose the blanks about them, names their capitals too; lines that
    hold nothing are skipped, and those before the names that begin with #; values that a row lacks
    are ''. A line such as sep=; before the names tells the separator, as Excel has it.

    Args:
        path: UTF-8, UTF-16, UTF-32 with a byte order mark, else Windows-1252.
        needed: columns that must be there.

    Raises:
        DataError: it cannot be read, a column is missing or there twice, or a row has more values
            than there are columns, as decimal commas make them in a file separated by commas.
    """
    try:
        text = _text(path)
        start = _BEFORE_THE_TABLE.match(text).end()  # type: ignore[union-attr]
        told = _DELIMITER_LINE.match(text, start)
        start = told.end() if told else start
        # The names of the columns show the dialect; values may hold any of the delimiters.
        head = text[start:].splitlines()[:1]
        delimiter = told[1] if told else max(DELIMITERS, key=''.join(head).count)
        skipped = len(text[:start].splitlines())
        stream = io.StringIO(f'{text[start:]}\n{_END}', newline='')
        rows = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
        names = [name.strip().lower() for name in next(rows) if name != _END]
        _check_names(path, names, needed)
        line = skipped + rows.line_num
        for values in rows:
            if values == [_END]:
                break
            if values and values[-1].endswith(_END):
                raise DataError(f'{path}: a quote is opened behind line {line} and never closed')
            line = skipped + rows.line_num
            row = dict.fromkeys(names, '') | {n: v.strip() for n, v in zip(names, values)}
            if any(values[len(names) :]):
                raise DataError(
                    f'{path}, line {line}: {len(values)} values in {len(names)} columns; '
                    'decimal commas need semicolons between the columns'
                )
            if delimiter == ',' and any(_COMMA_IN_NUMBER.fullmatch(row[name]) for name in needed):
                raise DataError(
                    f'{path}, line {line}: a number with a comma may mean thousands or decimals '
                    'in a file separated by commas: write 1.5, or separate by semicolons'
                )
            if any(row.values()):
                yield line, row
    except (OSError, csv.Error) as error:
        raise DataError(f'{path} cannot be read: {error}') from error


def _check_names(path: Path, names: list[str], needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in names]
    if missing:
        raise DataError(
            f'{path}: columns {", ".join(missing)} are missing; '
            f'it has {", ".join(name[:40] for name in names[:20]) or "none"}'
        )
    twice = {name for name in needed if names.count(name) > 1}
    if twice:
        raise DataError(f'{path}: columns {", ".join(sorted(twice))} are there twice')


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith(_PACKED):
        raise DataError(f'{path} is a workbook or an archive: save it as CSV')
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, 'replace').lstrip('\ufeff')
    if b'\0' in content[:2]:
        return content.decode('utf-16-be' if content[0] == 0 else 'utf-16-le', 'replace')
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        return content.decode('cp1252', 'replace')


def read_number(text: str) -> float:
    """Return a number written with a point or a comma; ValueError if it is none."""
    number = text.replace(',', '.') if text.count(',') == 1 and '.' not in text else text
    try:
        return float(number.replace('_', 'x'))  # Python's own grouping is nobody else's
    except ValueError:
        raise ValueError(f'{shorten(text, 40)!r} is not a number') from None
