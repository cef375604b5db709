# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a setting is: a field of a dataclass with its meaning, and what may be changed when."""

from __future__ import annotations

import dataclasses
import re
import warnings
from typing import Any

from fer_ros.errors import shorten

RENAMED = {
    'tracking.max_gap_s': 'tracking.max_lost_s',
    'tracking.min_overlap': 'tracking.min_iou',
    'smoothing.unknown_margin': 'smoothing.unknown_hysteresis',
    'answers': 'results_topic',
}
"""Names of settings up to 0.1, still read in 0.2 with a warning, and what they are called now."""

ANY_TEXT = ('at most 4096 printable characters', r'[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,4096}')
SOME_TEXT = ('1 to 4096 printable characters', r'[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,4096}')
FRAME = ('a frame: letters, digits and _ . / - in between', r'(\w[\w./-]{0,254})?')
ID_PREFIX = ('letters, digits and _, a letter first', r'([A-Za-z]\w{0,31})?')
TOPIC = ('a topic', r'([~/]?[A-Za-z_][\w/]{0,254})?')
TOPICS = ('topics with commas between them', r'[\w/~, ]{0,4096}')


def setting(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    plugins: str = '',
    form: tuple[str, str] = ANY_TEXT,
    live: bool = True,
) -> Any:
    """Declare a field: its default, what it means, its closed range or choices.

    *form* is what a text is called and the regular expression that all of it matches.
    *plugins* names a group of entry points whose names are choices as well.
    *live* says whether a running node can change it without being configured anew.
    """
    return dataclasses.field(
        default=default,
        metadata={
            'description': description,
            'low': low,
            'high': high,
            'choices': choices,
            'plugins': plugins,
            'form': form,
            'live': live,
        },
    )


def plugin_names(group: str) -> tuple[str, ...]:
    """Return what installed packages offer under a group of entry points; none for ''."""
    # Imported here because it takes a tenth of a second, and plugins are rare.
    from importlib.metadata import entry_points

    return tuple(sorted(entry_points(group=group).names)) if group else ()


def check_settings(config: Any) -> None:
    """Raise ValueError for the first field of dataclass *config* outside its range or choices."""
    for item in dataclasses.fields(config):
        value, rules = getattr(config, item.name), item.metadata
        name = f'{type(config).__name__}.{item.name}'
        choices, group = rules.get('choices'), rules.get('plugins', '')
        if choices and value not in choices and value not in plugin_names(group):
            known = ', '.join((*choices, *plugin_names(group)))
            raise ValueError(f'{name}: expected one of {known}, got {shorten(repr(value))}')
        form, pattern = rules.get('form', ANY_TEXT)
        if isinstance(value, str) and not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f'{name}: expected {form}, got {shorten(repr(value))}')
        low, high = rules.get('low'), rules.get('high')
        if low is not None and not low <= value <= high:
            raise ValueError(f'{name}: expected {low} to {high}, got {value}')


class Checked:
    """Validates a settings dataclass as soon as it is made."""

    def __post_init__(self) -> None:
        check_settings(self)


def flatten(config: Any) -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    """Return {'section.field': (value, field)} of a settings dataclass, nested ones included."""
    flat: dict[str, tuple[Any, dataclasses.Field[Any]]] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            flat.update({f'{item.name}.{name}': pair for name, pair in flatten(value).items()})
        else:
            flat[item.name] = (value, item)
    return flat


def replace(config: Any, changes: dict[str, Any]) -> Any:
    """Return *config* with the settings named 'section.field' in *changes* replaced.

    Raises:
        ValueError: a name does not exist, or a value is of the wrong type or out of range.
    """
    known = flatten(config)
    nested: dict[str, dict[str, Any]] = {}
    direct: dict[str, Any] = {}
    for name, value in changes.items():
        if name in RENAMED:
            warnings.warn(f'{name} is now called {RENAMED[name]}', DeprecationWarning, stacklevel=2)
            name = RENAMED[name]
        if name not in known:
            raise ValueError(f'no setting is called {name!r}; there are: {", ".join(known)}')
        kind = type(known[name][0])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f'{name}: expected {kind.__name__}, got {type(value).__name__}')
        section, _, rest = name.partition('.')
        if rest:
            nested.setdefault(section, {})[rest] = value
        else:
            direct[name] = value
    for section, inner in nested.items():
        direct[section] = replace(getattr(config, section), inner)
    return dataclasses.replace(config, **direct)


def check_live(before: Any, after: Any) -> None:
    """Raise ValueError if *after* differs from *before* in a setting that is read only at start."""
    old = flatten(before)
    fixed = [
        name
        for name, (value, item) in flatten(after).items()
        if not item.metadata['live'] and value != old[name][0]
    ]
    if fixed:
        raise ValueError(f'{", ".join(fixed)}: cannot change while running')
