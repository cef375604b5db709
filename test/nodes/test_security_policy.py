# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy allows what the running nodes do, and nothing else."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

PATH = Path('config') / 'security' / 'fer_policy.xml'

OPTIONAL = {'/clock', '/image_raw/compressed', '/humans/faces/tracked', '/bond',
            '/image_annotations'}  # fmt: skip
"""Used with use_sim_time, compressed images, the bridge's other mode, a manager and foxglove_msgs
only."""

REMAPPED = ('-r', 'image:=image_raw')


def rights(root: Path, node: str) -> dict[str, set[str]]:
    """Return what a node may publish, subscribe and reply to, by full name."""
    tree = ElementTree.parse(root / PATH)
    (profile,) = (p for p in tree.iter('profile') if p.get('node') == node)
    assert profile.get('ns') == '/'

    def names(kind: str, verb: str) -> set[str]:
        found = [e.text or '' for group in profile.iter(f'{kind}s') if group.get(verb) == 'ALLOW'
                 for e in group.iter(kind)]  # fmt: skip
        return {_full(name, node) for name in found}

    return {
        'publish': names('topic', 'publish'),
        'subscribe': names('topic', 'subscribe'),
        'reply': names('service', 'reply'),
    }


def _full(name: str, node: str) -> str:
    return name if name.startswith('/') else '/' + name.replace('~', node)


@pytest.mark.parametrize('node', ['camera_node', 'emotion_node', 'hri_bridge_node'])
def test_a_running_node_uses_just_its_rights(listener, start, root: Path, node: str) -> None:
    start(node, *REMAPPED)
    allowed = rights(root, node)

    def used() -> dict[str, set[str]] | None:
        if node not in listener.get_node_names():
            return None
        found = {
            'publish': listener.get_publisher_names_and_types_by_node(node, '/'),
            'subscribe': listener.get_subscriber_names_and_types_by_node(node, '/'),
            'reply': listener.get_service_names_and_types_by_node(node, '/'),
        }
        return {verb: {name for name, _ in pairs} for verb, pairs in found.items()}

    def expected() -> bool:
        now = used()
        return now is not None and all(
            now[verb] <= allowed[verb] and
            {n for n in allowed[verb] - now[verb] if n not in OPTIONAL and '*' not in n} == set()
            for verb in allowed
        )  # fmt: skip

    listener.until(expected, f'{node} to use just {allowed}; it uses {used()}', 20.0)


def test_the_policy_follows_the_schema(root: Path) -> None:
    pytest.importorskip('sros2', reason='sros2 is not installed')
    policy = pytest.importorskip('sros2.policy', reason='sros2 is not installed')
    policy.load_policy(root / PATH)
