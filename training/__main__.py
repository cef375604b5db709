# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m training COMMAND …``: train, tune, compare and export models; needs Keras."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from fer_ros.errors import ConfigError, DataError, FerError

COMMANDS = {
    'train': 'training.emotion.train:train_run',
    'distill': 'training.emotion.train:distill',
    'tune': 'training.emotion.search:tune',
    'compare': 'training.emotion.search:compare_variants',
    'soup': 'training.emotion.soup:soup_runs',
    'export': 'training.emotion.export:export',
    'keep': 'training.emotion.runs:keep',
    'describe': 'training.emotion.card_page:describe_card',
    'card_page': 'training.emotion.card_page:fill_page',
    'natural': 'training.emotion.natural:natural',
    'readout': 'training.emotion.readout:fit_readout',
    'curves': 'training.engine.run:curves',
    'pack': 'training.gpu:pack_run',
    'train_packed': 'training.gpu:train_packed',
    'detector_labels': 'training.detector.labels:label',
    'detector_train': 'training.detector.train:train_detector',
    'detector_export': 'training.detector.export:export_detector',
    'detector_held_back': 'training.detector.held_back:held_back',
}
WITHOUT_KERAS = ('natural', 'readout', 'describe', 'card_page', 'detector_labels')
KINDS: dict[type, str] = {ConfigError: 'configuration: ', DataError: 'data: '}
BACKENDS = {'tensorflow': 'tensorflow-cpu', 'torch': 'torch', 'jax': 'jax'}


def check_backend() -> None:
    """Raise ConfigError unless the backend that Keras will choose is one, and installed."""
    name = os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
    if name not in BACKENDS:
        raise ConfigError(f'KERAS_BACKEND={name}: expected one of {", ".join(BACKENDS)}')
    for package, requirement in (('keras', 'keras'), (name, BACKENDS[name])):
        if find_spec(package) is None:
            raise ConfigError(
                f'{package} is not installed: pip install {requirement}, or all of '
                'requirements/train.txt (which brings KERAS_BACKEND=tensorflow)'
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, 1 after an error that is said, or 130 when interrupted."""
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or ['--help']
    if name not in COMMANDS:
        print(f'usage: python -m training COMMAND …\n\ncommands: {", ".join(COMMANDS)}')
        return 0 if name in ('-h', '--help') else 2
    warnings.simplefilter('default', FutureWarning)
    try:
        if name not in WITHOUT_KERAS:
            check_backend()
        module, function = COMMANDS[name].split(':')
        getattr(import_module(module), function).run(name, rest)
    except (FerError, OSError) as error:
        print(f'{name}: {KINDS.get(type(error), "")}{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f'\n{name}: interrupted; --resume goes on from the last epoch', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
