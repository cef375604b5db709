# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files for users: never over what they have, never half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fer_ros.errors import SourceError

FileId = tuple[int, int]


@contextmanager
def safe_outputs(
    folder: Path, names: Sequence[str], inputs: Iterable[Path] = (), overwrite: bool = False
) -> Iterator[Path]:
    """Yield a folder to write files or folders of these names into.

    It lies beside *folder*'s content. When the block ends well, what was written is moved into
    place; when it raises, nothing stays, and what was there before is untouched.

    Args:
        folder: made where it does not exist.
        names: what may be written; not all of it has to be.
        inputs: files that are read meanwhile and must not be replaced, by any name.
        overwrite: whether other files that exist already may be replaced.

    Raises:
        SourceError: see ``check_outputs``; or another program has written there meanwhile: then
            what was written stays, and the error names where.
        OSError: the disk is full or cannot be written.
    """
    check_outputs(folder, names, inputs, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix='.fer-', dir=folder))
    try:
        yield part
        written = [name for name in names if (part / name).exists()]
        try:
            check_outputs(folder, written, inputs, overwrite)
        except SourceError as error:
            kept = Path(shutil.move(part, f'{folder.absolute()}-{part.name.removeprefix(".fer-")}'))
            raise SourceError(f'{error}; what was just made is in {kept}') from error
        for name in written:
            target = folder / name
            if target.is_dir() and not target.is_symlink():
                target.rename(part / f'.old-{name}')
            (part / name).replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def safe_output(path: Path, inputs: Iterable[Path] = (), overwrite: bool = False) -> Iterator[Path]:
    """Yield where to write one file or folder; see ``safe_outputs``."""
    with safe_outputs(path.parent, [path.name], inputs, overwrite) as part:
        yield part / path.name


def check_outputs(
    folder: Path, names: Sequence[str], inputs: Iterable[Path] = (), overwrite: bool = False
) -> None:
    """Raise SourceError where an output is or holds an input, exists, or has no place to be.

    To be called before long work, so that the work is not lost at its end.
    """
    inputs = list(inputs)
    taken = file_ids(inputs)
    real = [path.resolve() for path in inputs]
    for name in names:
        target = folder / name
        if not os.path.lexists(target):
            continue
        holds_input = any(path.is_relative_to(target.resolve()) for path in real)
        if holds_input or file_ids([target]) & taken:
            raise SourceError(f'{target} is what is read: choose another name for the output')
        if not overwrite:
            raise SourceError(f'{target} exists already: choose another name, or add --overwrite')
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not place.is_dir():
        raise SourceError(f'{place} is a file, not a folder')
    if not os.access(place, os.W_OK | os.X_OK):
        raise SourceError(f'folder {place} is not writable')


def file_ids(paths: Iterable[Path]) -> set[FileId]:
    """Return what tells files apart, whatever their names and the links to them."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def unique_names(sources: Sequence[Path], suffix: str, folder: Path) -> list[str]:
    """Return a file name in *folder* for each of *sources*: its stem, else stem_2, stem_3.

    No two are equal, whatever the case of their letters, and none is that of a source itself.
    """
    inputs, used, names = file_ids(sources), set(), []
    for source in sources:
        number = 1
        while True:
            name = f'{source.stem}{f"_{number}" if number > 1 else ""}{suffix}'
            if name.lower() not in used and not file_ids([folder / name]) & inputs:
                break
            number += 1
        used.add(name.lower())
        names.append(name)
    return names
