# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of ``python -m training``: functions whose parameters the command line gives."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Option = tuple[tuple[str, ...], dict[str, Any]]


def option(*names: str, **rules: Any) -> Option:
    """Return one option or positional argument, as ``argparse`` adds it."""
    return names, rules


@dataclass(frozen=True)
class Command:
    """A function, and the options from which its parameters come."""

    function: Callable[..., None]
    options: tuple[Option, ...]

    def run(self, name: str, arguments: Sequence[str]) -> None:
        """Parse the *arguments* given to the command called *name*, and call the function."""
        parser = argparse.ArgumentParser(
            prog=f'python -m training {name}',
            description=self.function.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for names, rules in self.options:
            parser.add_argument(*names, **rules)
        self.function(**vars(parser.parse_args(arguments)))


def command(*options: Option) -> Callable[[Callable[..., None]], Command]:
    """Make a function a command; its docstring is the help."""
    return lambda function: Command(function, options)
