# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ``fer`` command: a thin layer over the core, one module a command in fer_ros.commands."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fer_ros import __version__
from fer_ros.errors import FerError, printable

COMMANDS = (
    'run', 'image', 'video', 'live', 'dashboard', 'evaluate', 'models', 'record_demo', 'train',
    'bench', 'completion',
)  # fmt: skip


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog='fer',
        description='Facial emotion recognition for robots.',
        epilog='Without a command the web page opens.\n\n'
        'example:\n  fer run family.jpg',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser)
    parser.add_argument('--version', action='version', version=f'fer_ros {__version__}')
    subparsers = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name in COMMANDS:
        import_module(f'fer_ros.commands.{name}').add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, the dashboard if none is named.

    Returns:
        0; 1 after an error that is said; 130 when interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name need not be valid UTF-8; it is printed as the bytes that it is.
            stream.reconfigure(errors='surrogateescape')
    arguments = sys.argv[1:] if arguments is None else arguments
    options = argparse.Namespace()
    try:
        _, unknown = make_parser().parse_known_args(arguments or ['dashboard'], options)
        if unknown:
            # With the usage of the command, and not that of all commands.
            options.command_parser.error(f'unrecognized arguments: {" ".join(unknown)}')
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except FerError as error:
        print(f'fer: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # The reader has gone (`fer … | head`): nothing is wrong, unless files were asked for.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not getattr(options, 'saves', False) and not getattr(options, 'output', None):
                return 0
            error = OSError('ended before all was saved: whoever read the output has gone (| head)')
        where = f' {error.filename}' if error.filename else ''
        print(f'fer: {printable(f"{error.strerror or error}{where}")}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
