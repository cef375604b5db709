# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""config/*.yaml and docs/parameters.md say what fer_ros/config/ says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_ros.config import flatten
from fer_ros.parameter_files import NODES, files, parameter_file


@pytest.mark.parametrize('path, content', files(), ids=lambda value: value.split('\n')[0])
def test_file_is_what_the_settings_make(path: str, content: str, root: Path) -> None:
    assert (root / path).read_text(encoding='utf-8') == content, (
        f'{path} is not up to date: run python -m fer_ros.parameter_files'
    )


@pytest.mark.parametrize('node', NODES)
def test_every_default_survives_yaml_with_its_type(node: str) -> None:
    content = yaml.safe_load(parameter_file(node))
    read = _flat(content[f'/**/{node}']['ros__parameters'])
    settings = {name: pair[0] for config in NODES[node] for name, pair in flatten(config).items()}
    assert read == settings
    assert {k: type(v) for k, v in read.items()} == {k: type(v) for k, v in settings.items()}


def test_nothing_else_lies_in_config(root: Path) -> None:
    assert {path.stem for path in (root / 'config').glob('*.yaml')} == set(NODES)


def _flat(content: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f'{prefix}{key}.'))
        else:
            flat[f'{prefix}{key}'] = value
    return flat
