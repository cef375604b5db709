# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes config/*.yaml and docs/parameters.md from fer_ros.config: no default is written twice.

``python -m fer_ros.parameter_files``, in the repository's root, writes them anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fer_ros.config import (
    BagPlayerConfig,
    BagRecorderConfig,
    CameraNodeConfig,
    EmotionNodeConfig,
    HriBridgeConfig,
    PipelineConfig,
    flatten,
)

NODES: dict[str, tuple[Any, ...]] = {
    'bag_player_node': (BagPlayerConfig(),),
    'bag_recorder_node': (BagRecorderConfig(),),
    'camera_node': (CameraNodeConfig(),),
    'emotion_node': (EmotionNodeConfig(), PipelineConfig()),
    'hri_bridge_node': (HriBridgeConfig(), PipelineConfig()),
}
"""The settings that each node declares as parameters."""

_HEAD = """\
# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
#
# Every parameter of {node} with its default. Made from fer_ros/config/ by
# python -m fer_ros.parameter_files; to change some, copy this file, keep those, and give
# the copy to the launch file (params_file:=mine.yaml) or to the node (--params-file mine.yaml).
/**/{node}:
  ros__parameters:
"""

_PAGE_HEAD = """\
# Parameters

Every parameter of every node, with its default, meaning and range. The one home of all this is
`fer_ros/config/`; this page and `config/*.yaml` are made from it (`python -m
fer_ros.parameter_files`). A parameter can be changed while the node runs unless it says "not while
running". Names that version 0.2 changed (see the changelog) are still read, with a warning.
"""


def parameter_file(node: str) -> str:
    """Return the commented parameter file of one of NODES."""
    lines: list[str] = []
    for config in NODES[node]:
        section = ''
        for name, (value, item) in flatten(config).items():
            head, _, leaf = name.rpartition('.')
            if head != section:
                lines += ['', f'    {head}:']
                section = head
            indent = ' ' * (6 if head else 4)
            comment = f'{item.metadata["description"]}{_rules(item.metadata)}'
            lines += textwrap.wrap(comment, 96 - len(indent), initial_indent=f'{indent}# ',
                                   subsequent_indent=f'{indent}# ')  # fmt: skip
            lines.append(f'{indent}{leaf}: {_scalar(value)}')
    return _HEAD.format(node=node) + '\n'.join(lines) + '\n'


def _rules(metadata: Any) -> str:
    parts = []
    if metadata['choices']:
        parts.append('one of ' + ', '.join(metadata['choices']))
    if metadata['low'] is not None:
        parts.append(f'{metadata["low"]} to {metadata["high"]}')
    if not metadata['live']:
        parts.append('not while running')
    return f' ({"; ".join(parts)})' if parts else ''


def _scalar(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value).lower()
    assert yaml.safe_load(text) == value
    return text


def parameter_page() -> str:
    """Return the documentation's page of all parameters."""
    lines = [_PAGE_HEAD]
    for node, configs in NODES.items():
        lines += [f'## {node}', '', '| parameter | default | meaning |', '| --- | --- | --- |']
        for config in configs:
            for name, (value, item) in flatten(config).items():
                default = f'`{str(value).lower() if isinstance(value, bool) else value}`'
                meaning = f'{item.metadata["description"]}{_rules(item.metadata)}'
                cells = (f'`{name}`', default if value != '' else '', meaning.replace('|', '/'))
                lines.append(f'| {" | ".join(cells)} |')
        lines.append('')
    return '\n'.join(lines)


def files() -> Iterator[tuple[str, str]]:
    """Yield (path from the repository's root, content) of all that is made from the settings."""
    yield 'docs/parameters.md', parameter_page()
    for node in NODES:
        yield f'config/{node}.yaml', parameter_file(node)


if __name__ == '__main__':
    for path, content in files():
        Path(path).write_text(content, encoding='utf-8')
