# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A new model takes its place on disk whole, or not at all."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fer_ros.errors import ModelError
from fer_ros.models.card import ModelCard, file_sha256

SUFFIXES = {'litert': '.tflite', 'onnx': '.onnx', 'keras': '.keras'}

Card = TypeVar('Card', bound=ModelCard)
Write = Callable[[Path], Any]
"""Writes the weights of one backend to a path."""


def publish(
    card: Card,
    writers: Mapping[str, Write],
    output: Path,
    check: Callable[[Card], Card],
) -> Path:
    """Write weights and card beside *output*, check them, and move them there, the card last.

    A model that is there already keeps working until then.

    Args:
        card: without files and digests.
        writers: by backend, see SUFFIXES.
        output: path without suffix; ``models/robot_1.2`` becomes ``models/robot_1.2.json``.
        check: is given the card with files that can be loaded, and returns what it is to say.

    Returns:
        the path of the card.

    Raises:
        ModelError: a file cannot be written; and what the writers and *check* raise.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix='.new-', dir=output.parent) as name:
            folder = Path(name)
            files = {backend: output.name + SUFFIXES[backend] for backend in writers}
            for backend, write in writers.items():
                write(folder / files[backend])
            digests = {file: file_sha256(folder / file) for file in files.values()}
            made = check(dataclasses.replace(card, files=files, sha256=digests, folder=folder))
            made.write(folder / f'{output.name}.json')
            targets = [output.parent / file for file in (*files.values(), f'{output.name}.json')]
            for target in targets:
                if target.is_dir():
                    raise ModelError(f'{target} is a folder; choose another name for the model')
            for target in targets:
                (folder / target.name).replace(target)
    except OSError as error:
        raise ModelError(f'model {output} could not be written: {error}') from error
    return targets[-1]
