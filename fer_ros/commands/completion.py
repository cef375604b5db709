# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``fer completion``: a script that teaches a shell to complete fer's commands and options.

The script holds every word already, made from the parsers: a shell that asked ``fer`` at each press
of the key would wait for Python each time.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fer_ros.commands.options import add_command

SHELLS = ('bash', 'zsh', 'fish')


@dataclass(frozen=True)
class _Option:
    """One option: its names, what it is for, whether a value follows and which are allowed."""

    names: tuple[str, ...]
    meaning: str
    has_value: bool
    choices: tuple[str, ...]


@dataclass(frozen=True)
class _Command:
    """One command: its words from '' (fer itself) on, such as '/evaluate/bag', and what follows.

    Attributes:
        path: the words, each after a slash.
        words: {subcommand or allowed argument: what it is for}.
        options: what begins with a dash.
    """

    path: str
    words: dict[str, str]
    options: tuple[_Option, ...]


def add_parser(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        subparsers,
        'completion',
        run,
        'Print a script that makes the Tab key complete commands and options.',
        'fer completion bash > ~/.local/share/bash-completion/completions/fer',
    )
    parser.add_argument('shell', choices=SHELLS, help='which')


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    print(script(options.parser, options.shell), end='')
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for one of SHELLS."""
    commands = list(_commands(parser, ''))
    return _fish(commands) if shell == 'fish' else _bash(commands, is_zsh=shell == 'zsh')


def _commands(parser: argparse.ArgumentParser, path: str) -> Iterator[_Command]:
    """Yield a parser's command and all below it; argparse has no public way to ask."""
    words: dict[str, str] = {}
    options: list[_Option] = []
    below: list[_Command] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words.update({a.dest: a.help or '' for a in action._choices_actions})
            for name, inner in action.choices.items():
                below += _commands(inner, f'{path}/{name}')
            continue
        choices = tuple(map(str, action.choices or ()))
        if action.option_strings:
            has_value = action.nargs != 0
            names = tuple(action.option_strings)
            options.append(_Option(names, _meaning(action), has_value, choices))
        else:
            words.update(dict.fromkeys(choices, ''))
    yield _Command(path, words, tuple(options))
    yield from below


def _meaning(action: argparse.Action) -> str:
    return (action.help or '').replace('%(default)s', str(action.default))


def _bash(commands: list[_Command], is_zsh: bool) -> str:
    """Return bash's script; zsh runs it as well. Where nothing else fits, files are offered."""
    values = [
        f'    {shlex.quote(f"{command.path} {name}")}) offered={_words(option.choices)} ;;'
        for command in commands
        for option in command.options
        for name in option.names
        if option.has_value
    ]
    others = [
        f'    {shlex.quote(command.path)}) '
        f'options={_words(name for option in command.options for name in option.names)} '
        f'offered={_words(command.words)} ;;'
        for command in commands
    ]
    paths = '|'.join(command.path for command in commands if command.path)
    return '\n'.join(
        [
            '# Completion for fer; made by: fer completion',
            *(['autoload -U +X compinit && compinit', 'autoload -U +X bashcompinit && bashcompinit']
              if is_zsh else []),
            '_fer() {',
            '  local place= options= offered= number=1 current="${COMP_WORDS[COMP_CWORD]}"',
            '  while [ "$number" -lt "$COMP_CWORD" ]; do',
            '    case "$place/${COMP_WORDS[number]}" in',
            f'      {paths}) place="$place/${{COMP_WORDS[number]}}" ;;',
            '    esac',
            '    number=$((number + 1))',
            '  done',
            '  case "$place ${COMP_WORDS[COMP_CWORD - 1]}" in',
            *values,
            '    *) case "$place" in',
            *(f'  {line}' for line in others),
            '    esac ;;',
            '  esac',
            '  case "$current" in -*) offered="$options" ;; esac',
            '  COMPREPLY=($(compgen -W "$offered" -- "$current"))',
            '}',
            'complete -o default -F _fer fer',
            '',
        ]
    )  # fmt: skip


def _words(words: Iterable[str]) -> str:
    return shlex.quote(' '.join(words))


def _fish(commands: list[_Command]) -> str:
    """Return fish's script, which shows what each word is for."""
    lines = [
        '# Completion for fer; made by: fer completion',
        'function __fer_at',
        "  set -l path ''",
        '  for word in (commandline -opc)[2..]',
        '    switch "$path/$word"',
        f'      case {" ".join(shlex.quote(c.path) for c in commands if c.path)}',
        '        set path "$path/$word"',
        '    end',
        '  end',
        '  test "$path" = "$argv[1]"',
        'end',
    ]
    for command in commands:
        start = f'complete -c fer -n "__fer_at \'{command.path}\'"'
        for word, meaning in command.words.items():
            lines.append(f'{start} -f -a {word} -d {_fish_text(meaning)}')
        for option in command.options:
            names = ' '.join(
                f'-l {name[2:]}' if name.startswith('--') else f'-s {name[1:]}'
                for name in option.names
            )
            value = f' -x -a {_fish_text(" ".join(option.choices))}' if option.choices else ' -r'
            lines.append(
                f'{start} {names}{value if option.has_value else ""} '
                f'-d {_fish_text(option.meaning)}'
            )
    return '\n'.join([*lines, ''])


def _fish_text(text: str) -> str:
    r"""Return *text* quoted for fish, where a backslash means itself but before \ and '."""
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"
