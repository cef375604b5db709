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
    'train': 'training.emotion.train',
    'distill': 'training.emotion.distill',
    'tune': 'training.emotion.tune',
    'compare': 'training.emotion.compare',
    'soup': 'training.emotion.soup',
    'export': 'training.emotion.export',
    'from_litert': 'training.emotion.shipped',
    'describe': 'training.emotion.describe',
    'card_page': 'training.emotion.card_page',
    'natural': 'training.emotion.natural',
    'readout': 'training.emotion.readout',
    'curves': 'training.engine.curves',
    'pack': 'training.gpu.pack',
    'train_packed': 'training.gpu.train',
    'detector_train': 'training.detector.train',
    'detector_export': 'training.detector.export',
}
WITHOUT_KERAS = ('natural', 'readout')
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
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        print(f'usage: python -m training COMMAND …\n\ncommands: {", ".join(COMMANDS)}')
        return int(bool(given) and given[0] not in ('-h', '--help')) * 2
    warnings.simplefilter('default', FutureWarning)
    try:
        if given[0] not in WITHOUT_KERAS:
            check_backend()
        return int(import_module(COMMANDS[given[0]]).main(given[1:]) or 0)
    except FerError as error:
        kind = {ConfigError: 'configuration: ', DataError: 'data: '}.get(type(error), '')
        print(f'{given[0]}: {kind}{error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'{given[0]}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f'\n{given[0]}: interrupted; --resume goes on from the last epoch', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
