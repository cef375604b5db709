# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and the pipeline they describe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar

from fer_ros.config import (
    CLASSIFIERS,
    DETECTORS,
    MAX_IMAGE_PIXELS,
    RECORDED,
    PipelineConfig,
    replace,
)
from fer_ros.data.label_maps import read_label_map
from fer_ros.errors import ConfigError, DataError, printable
from fer_ros.labels import LABEL_MAPS

Item = TypeVar('Item')

PACKAGES = {
    'litert': ('ai-edge-litert',),
    'onnx': ('onnxruntime',),
    'keras': ('keras', 'tensorflow'),
}
"""Backend to the packages that it needs."""


def add_command(
    subparsers: Any,
    name: str,
    run: Any,
    description: str,
    example: str,
    aliases: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add a command whose help ends with an example.

    Args:
        subparsers: what the command is added to.
        name: as it is typed.
        run: what it does, from its options to the exit status; None for a group of commands.
        description: one sentence.
        example: as it is typed, from ``fer`` on.
        aliases: other names.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        aliases=aliases,
        help=description,
        description=description,
        epilog=f'example:\n  {example}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if run:
        parser.set_defaults(run=run, command_parser=parser)
    return parser


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add the permission to replace files that exist."""
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what exists at --output already'
    )


def add_seconds(parser: argparse.ArgumentParser) -> None:
    """Add the time after which a stream is left."""
    parser.add_argument(
        '--seconds', type=float, metavar='S', help='stop after so long (default: at Ctrl+C)'
    )


def seconds_of(options: argparse.Namespace) -> float:
    """Return how long to read a stream; ConfigError for a time that is none."""
    if options.seconds is None:
        return float('inf')
    if not options.seconds > 0:
        raise ConfigError(f'--seconds: expected more than 0, got {options.seconds:g}')
    return float(options.seconds)


def add_label_map(parser: argparse.ArgumentParser) -> None:
    """Add the meaning of a data set's own words for emotions."""
    parser.add_argument(
        '--label-map',
        type=_label_map,
        metavar='MAP',
        help=f'what labels mean: {", ".join(LABEL_MAPS)}, pairs such as 4=happy,7=neutral '
        '(nothing behind = leaves a class out), or a YAML file of pairs',
    )


def _label_map(text: str) -> dict[str, str]:
    try:
        return read_label_map(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_max_pixels(parser: argparse.ArgumentParser) -> None:
    """Add the limit above which images are refused."""
    parser.add_argument(
        '--max-image-pixels',
        type=int,
        default=MAX_IMAGE_PIXELS,
        metavar='N',
        help='refuse larger images (default: %(default)s)',
    )


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Add the choice of detector, model, backend and any other setting."""
    defaults = PipelineConfig()
    parser.add_argument(
        '--detector',
        choices=DETECTORS,
        default=defaults.detection.backend,
        help='face detector; yunet needs "fer models fetch yunet" (default: %(default)s)',
    )
    parser.add_argument(
        '--model',
        default=defaults.classification.model,
        help='a shipped model, or the path of a model card (default: %(default)s)',
    )
    parser.add_argument(
        '--backend',
        choices=CLASSIFIERS,
        default=defaults.classification.backend,
        help=f'what runs the model: {_backends()} (default: %(default)s)',
    )
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='any other setting, such as detection.min_face_px=24; may be given again',
    )


@cache
def _backends() -> str:
    """Return each backend with what has to be installed for it, and where that is missing."""
    said = []
    for backend in CLASSIFIERS:
        missing = [one for one in PACKAGES[backend] if not find_spec(one.replace('-', '_'))]
        said.append(f'{backend} (pip install {" ".join(missing)})' if missing else backend)
    return ', '.join(said) + '; the shipped model has weights for litert only'


def pipeline_config(options: argparse.Namespace, recorded: bool = False) -> PipelineConfig:
    """Return the settings that the options describe.

    Args:
        options: of the command line.
        recorded: the images can wait: what --set does not name is as RECORDED says.

    Raises:
        ConfigError: a --set names no setting, or its value is of the wrong type or out of range.
    """
    changes: dict[str, Any] = {
        'detection.backend': options.detector,
        'classification.model': options.model,
        'classification.backend': options.backend,
    }
    if recorded:
        changes |= RECORDED
    for pair in options.set:
        name, equals, text = pair.partition('=')
        if not equals:
            raise ConfigError(f'--set {pair}: expected NAME=VALUE')
        changes[name] = _parse(text)
    try:
        config: PipelineConfig = replace(PipelineConfig(), changes)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return config


def _parse(text: str) -> bool | int | float | str:
    if text.lower() in ('true', 'false'):
        return text.lower() == 'true'
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def note(text: str) -> None:
    """Print, on standard error, what the user should know beside the results."""
    print(f'fer: {printable(text)}', file=sys.stderr)


def progress(items: Iterable[Item], total: int | None, title: str) -> Iterator[Item]:
    """Yield *items* with a progress bar and the time left on standard error.

    Without a terminal nothing is drawn, so that logs stay readable.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield from items
        return
    with Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        # Lines go above the bar only where both are on the screen: a file must get its own.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(printable(title).replace('[', '\\['), total=total)
        for item in items:
            yield item
            bar.advance(task)


def watch(steps: Sequence[Item], title: str) -> Iterator[Item]:
    """Yield *steps* with a progress bar; what evaluations take as ``watch``."""
    return progress(steps, len(steps), title.replace('_', ' '))
