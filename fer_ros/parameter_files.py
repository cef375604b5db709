# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes config/*.yaml from fer_ros.config, so that no default or meaning is written twice.

``python -m fer_ros.parameter_files config`` writes them anew.
"""

from __future__ import annotations

import sys
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
# Every parameter of {node} with its default. Made from fer_ros/config.py by
# python -m fer_ros.parameter_files config; to change some, copy this file, keep those, and give
# the copy to the launch file (params_file:=mine.yaml) or to the node (--params-file mine.yaml).
/**/{node}:
  ros__parameters:
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


def parameter_files() -> Iterator[tuple[str, str]]:
    """Yield (file name, content) for every node."""
    for node in NODES:
        yield f'{node}.yaml', parameter_file(node)


if __name__ == '__main__':
    for file_name, content in parameter_files():
        (Path(sys.argv[1]) / file_name).write_text(content, encoding='utf-8')
