# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Configurations as frozen dataclasses: read from YAML, checked, compared and written."""

from __future__ import annotations

import dataclasses
import types
import typing
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

from fer_ros.config import check_settings
from fer_ros.errors import ConfigError

Config = TypeVar('Config')


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f'{path}: {error}') from error


def from_mapping(kind: type[Config], content: Any, name: str = 'run') -> Config:
    """Return dataclass *kind* filled from a mapping (a parsed YAML file).

    Names that settings had before, listed in a dataclass's ``RENAMED``, are read with a warning.

    Raises:
        ConfigError: unknown names, wrong types, values out of range.
    """
    if not isinstance(content, dict):
        raise ConfigError(f'{name}: expected a mapping, got {content!r}')
    hints = typing.get_type_hints(kind)
    known = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, item in content.items():
        now = getattr(kind, 'RENAMED', {}).get(key, key)
        if now not in known:
            there = ', '.join(known)
            raise ConfigError(f'{name}: no setting is called {key!r}; there are: {there}')
        if now != key:
            warnings.warn(f'{name}.{key} is now called {now}', FutureWarning, stacklevel=2)
        values[now] = _value(hints[now], item, f'{name}.{key}')
    try:
        made = kind(**values)
        check_settings(made)
    except (TypeError, ValueError) as error:
        raise ConfigError(f'{name}: {error}') from error
    return made


def _value(kind: Any, value: Any, name: str) -> Any:
    """Return *value* as the annotated type *kind*; ConfigError where it does not fit."""
    if dataclasses.is_dataclass(kind):
        return from_mapping(typing.cast(type, kind), value, name)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f'{name}[{i}]') for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {
            _value(arguments[0], key, name): _value(arguments[1], item, f'{name}.{key}')
            for key, item in value.items()
        }
    if origin in (tuple, dict):
        expected = 'a list' if origin is tuple else 'a mapping'
        raise ConfigError(f'{name}: expected {expected}, got {value!r}')
    if kind is Any or isinstance(kind, types.UnionType):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f'{name}: expected {kind.__name__}, got {value!r}')
    return value


def load(kind: type[Config], path: Path, name: str = 'run') -> Config:
    """Return dataclass *kind* filled from a YAML file; see ``from_mapping``."""
    return from_mapping(kind, read_yaml(path), name)


def to_mapping(config: Any) -> dict[str, Any]:
    """Return what ``from_mapping`` makes *config* of: plain mappings, lists and values."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list | tuple) else value

    content: dict[str, Any] = plain(dataclasses.asdict(config))
    return content


def save(config: Any, path: Path) -> None:
    """Write *config* as YAML."""
    path.write_text(yaml.safe_dump(to_mapping(config), sort_keys=False), encoding='utf-8')


def differences(
    first: Any, second: Any, free: Collection[str] = (), name: str = ''
) -> Iterator[str]:
    """Yield the names, such as ``heads[0].labels``, of settings in which two mappings differ.

    Args:
        first: mapping, list or value.
        second: the same of another configuration.
        free: names that may differ, with whatever is below them.
        name: of these two.
    """
    if name in free or first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys([*first, *second]):
            below = f'{name}.{key}' if name else str(key)
            yield from differences(first.get(key), second.get(key), free, below)
    elif _are_mappings(first) and _are_mappings(second) and len(first) == len(second):
        for index, (one, other) in enumerate(zip(first, second)):
            yield from differences(one, other, free, f'{name}[{index}]')
    else:
        yield name


def _are_mappings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
