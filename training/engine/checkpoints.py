# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The state of a run on disk: whole or not there, and checked when it is read back."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fer_ros.errors import ModelError

Arrays = list[np.ndarray]


@dataclass
class Checkpoint:
    """Everything needed to go on.

    Attributes:
        epoch: epochs done.
        weights: of the model, in Keras's order.
        average: running average of the weights, in the same order; what is evaluated and shipped.
        optimizer: its variables.
        facts: plain values: history, best result and the like.
    """

    epoch: int
    weights: Arrays
    average: Arrays
    optimizer: Arrays = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write *state* to *path*; an older file there stays until the new one is complete.

    Raises:
        ModelError: it cannot be written, for example because the disk is full.
    """
    arrays: dict[str, np.ndarray] = {}
    for group in ('weights', 'average', 'optimizer'):
        for index, array in enumerate(getattr(state, group)):
            arrays[f'{group}_{index:04d}'] = array
    text = json.dumps({'epoch': state.epoch, 'facts': state.facts})
    arrays['facts'] = np.frombuffer(text.encode(), np.uint8)
    partial = path.with_name(path.name + '.part')
    try:
        with partial.open('wb') as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ModelError(f'checkpoint {path} could not be written: {error}') from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read what ``write_checkpoint`` wrote.

    Raises:
        ModelError: it is not there, is cut off or damaged (each array carries a checksum), or is
            no checkpoint.
    """
    groups: dict[str, Arrays] = {'weights': [], 'average': [], 'optimizer': []}
    try:
        # numpy leaves the file open where it finds that it is damaged.
        with path.open('rb') as stream, np.load(stream, allow_pickle=False) as content:
            facts = json.loads(content['facts'].tobytes().decode())
            for name in sorted(content.files):
                if name != 'facts':
                    groups[name.rpartition('_')[0]].append(content[name])
        return Checkpoint(epoch=int(facts['epoch']), facts=facts['facts'], **groups)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f'checkpoint {path} cannot be read: {error}') from error


def assign(variables: Sequence[Any], arrays: Sequence[np.ndarray], path: Path) -> None:
    """Put *arrays* into Keras variables (a model's weights or an optimizer's variables).

    Raises:
        ModelError: they are another network's.
    """
    expected = [tuple(variable.shape) for variable in variables]
    given = [tuple(array.shape) for array in arrays]
    if expected != given:
        raise ModelError(
            f'checkpoint {path} is of another network: it holds {len(given)} arrays where '
            f'{len(expected)} are needed, or arrays of other shapes'
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
