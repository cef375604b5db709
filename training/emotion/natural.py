# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Listed photos to a data set.

The list says what somebody saw on which photo, and on which side of the split it is; faces are
found and aligned as the live node does. What comes out is read like FER2013.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fer_ros.data.folders import Cutter
from fer_ros.data.tables import read_table
from fer_ros.errors import DataError, ImageError
from fer_ros.evaluation.photos import face_cutter
from fer_ros.images.decoding import decode_image
from fer_ros.labels import FER2013_EMOTIONS, FERPLUS_COLUMN_TO_EMOTION
from training.commands import command, option

SIDE_PX = 48
VOTES = 10
"""As many votes as a face of FER+ has; here all are the same."""
USAGES = {'training': 0, 'validation': 1}


class Listed(NamedTuple):
    """One line of a list: a photo, one of FER2013_EMOTIONS, one of USAGES, who says so."""

    file: str
    label: str
    split: str
    by: str


def read_list(path: Path) -> list[Listed]:
    """Read a list with the columns file, label, split and by; raises DataError."""
    lines = []
    for number, row in read_table(path, Listed._fields):
        line = Listed(*(row[name] for name in Listed._fields))
        if line.label not in FER2013_EMOTIONS or line.split not in USAGES:
            raise DataError(
                f'{path}, line {number}: expected a label of {", ".join(FER2013_EMOTIONS)} and '
                f'a split of {", ".join(USAGES)}, got {line.label!r} and {line.split!r}'
            )
        lines.append(line)
    return lines


def write_set(photos: Path, lines: Sequence[Listed], cut: Cutter, output: Path) -> int:
    """Write the faces of listed photos to an ``.npz``; return how many photos hold no face.

    A csv of the same name says who or what each label comes from, as ``--groups`` of
    ``fer evaluate dataset`` reads it.

    Raises:
        DataError: a photo cannot be read, or none holds a face.
    """
    faces, kept = [], []
    for line in lines:
        try:
            face = cut(decode_image(np.fromfile(photos / line.file, np.uint8)))
        except (OSError, ImageError) as error:
            raise DataError(f'{photos / line.file} cannot be read: {error}') from error
        if face is not None:
            faces.append(face)
            kept.append(line)
    if not faces:
        raise DataError(f'{photos}: none of {len(lines)} listed photos holds a face')
    labels = np.array([FER2013_EMOTIONS.index(line.label) for line in kept], np.uint8)
    columns = np.array(list(FERPLUS_COLUMN_TO_EMOTION.values()))
    votes = VOTES * (columns == np.array([[line.label] for line in kept])).astype(np.uint8)
    np.savez_compressed(
        output,
        images=np.stack(faces),
        labels=labels,
        usage=np.array([USAGES[line.split] for line in kept], np.uint8),
        ferplus=votes,
        ferplus_names=np.array(list(FERPLUS_COLUMN_TO_EMOTION)),
        files=np.array([line.file for line in kept]),
    )
    with output.with_suffix('.csv').open('w', newline='', encoding='utf-8') as stream:
        rows = csv.writer(stream, lineterminator='\n')
        rows.writerows([('file', 'group'), *((row, line.by) for row, line in enumerate(kept))])
    return len(lines) - len(kept)


@command(
    option('photos', type=Path, help='folder of the listed photos'),
    option('listed', type=Path, metavar='list', help='csv: file, label, split, by'),
    option('output', type=Path, help='.npz to write'),
)
def natural(photos: Path, listed: Path, output: Path) -> None:
    """Cut the faces out of listed photos and write them as a data set, read like FER2013."""
    lines = read_list(listed)
    without = write_set(photos, lines, face_cutter(SIDE_PX), output)
    print(f'{output}: {len(lines) - without} faces; {without} photos without one')
