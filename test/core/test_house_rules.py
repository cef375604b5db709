# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, one version, licence headers, and a README that tells the truth."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import fer_ros
from fer_ros.cli import COMMANDS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / 'fer_ros'


def tracked(*patterns: str) -> list[Path]:
    """Files of the project; outside a git checkout, all that lie here."""
    listing = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', *patterns],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listing.returncode == 0:
        names = listing.stdout.split('\0')
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [path for pattern in patterns for path in ROOT.rglob(pattern)]


@functools.cache
def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f'{node.module}.{alias.name}' for alias in node.names)
    return names


def module(path: Path) -> str:
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')


SOURCES = sorted(PACKAGE.rglob('*.py'))
LAYERS = (
    ('errors', 'labels', 'moved'),
    ('types',),
    ('geometry', 'config'),
    ('models', 'images'),
    ('detection', 'recognition', 'people'),
    ('reader',),
    ('pipeline',),
    ('messages', 'drawing'),
    ('data',),
    ('evaluation', 'measuring'),
    ('teaching',),
    ('parameter_files', 'dashboard'),
    ('nodes',),
    ('commands', 'launching'),
    ('cli',),
)
"""The rooms of fer_ros, lowest first. A room imports only rooms below, none beside it."""

OUTSIDE = {
    'rclpy': ('nodes',),
    'launch': ('launching/actions.py',),
    'launch_ros': ('launching/actions.py',),
    'keras': ('recognition/keras.py',),
    'tensorflow': (),
    'torch': (),
    'training': (),
}
"""Who may import what does not belong to everybody."""


def test_rooms_import_only_what_lies_below() -> None:
    height = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
    wrong = []
    for path in SOURCES:
        room = path.relative_to(PACKAGE).parts[0].removesuffix('.py')
        if room == '__init__':
            continue
        for name in sorted(imports(path)):
            package, _, rest = name.partition('.')
            other = rest.split('.')[0]
            if package != 'fer_ros' or other in ('', room) or not is_room(other):
                continue
            if height[other] >= height[room]:
                wrong.append(f'{path.relative_to(PACKAGE)} imports {name}')
    assert wrong == []


def is_room(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f'{name}.py').is_file()


def test_rooms_hold_no_circles() -> None:
    """Modules of one room may import one another, but not in a circle."""
    modules = {module(path): path for path in SOURCES}
    uses = {
        name: {found for found in imports(path) if found in modules and found != name}
        for name, path in modules.items()
    }
    while leaves := {name for name, needs in uses.items() if not needs}:
        uses = {name: needs - leaves for name, needs in uses.items() if name not in leaves}
    assert uses == {}


def test_what_few_may_import_is_imported_by_no_other() -> None:
    wrong = [
        f'{path.relative_to(PACKAGE)} imports {package}'
        for path in SOURCES
        for package, allowed in OUTSIDE.items()
        if package in {name.split('.')[0] for name in imports(path)}
        and not path.relative_to(PACKAGE).as_posix().startswith(allowed)
    ]
    assert wrong == []


def test_ten_modules_at_most_lie_flat() -> None:
    assert len({path.name for path in PACKAGE.glob('*.py')} - {'__init__.py'}) <= 10


def test_a_node_does_not_load_tensorflow() -> None:
    code = (
        'import sys; from fer_ros import EmotionPipeline; EmotionPipeline();'
        'import fer_ros.nodes.emotion_node;'
        'print([m for m in ("tensorflow", "keras", "torch", "matplotlib", "skimage")'
        ' if m in sys.modules])'
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd='/')
    assert run.stdout.strip().splitlines()[-1:] == ['[]'], run.stderr


def test_one_version_everywhere() -> None:
    versions = {
        'fer_ros.__version__': fer_ros.__version__,
        'setup.py': re.search(r"version='([^']+)'", (ROOT / 'setup.py').read_text())[1],
        'CHANGELOG.rst': re.search(
            r'^(\d+\.\d+\.\d+)', (ROOT / 'CHANGELOG.rst').read_text(), re.MULTILINE
        )[1],
    }
    for package in ('.', 'fer_msgs'):
        tree = ElementTree.parse(ROOT / package / 'package.xml')
        versions[f'{package}/package.xml'] = tree.findtext('version')
    assert set(versions.values()) == {fer_ros.__version__}, versions


def test_every_source_file_carries_its_licence() -> None:
    files = tracked('*.py', '*.sh', '*.yaml', 'scripts/*', '.ci/*', '*CMakeLists.txt')
    missing = [
        str(path.relative_to(ROOT))
        for path in files
        if path.name != '.pre-commit-config.yaml'
        and 'SPDX-License-Identifier: Apache-2.0' not in path.read_text(encoding='utf-8')[:400]
    ]
    assert len(files) > 40
    assert missing == []


def table(page: str, heading: str) -> dict[str, list[str]]:
    """Rows of a page's first table under a heading: first cell without ticks to the others."""
    text = (ROOT / page).read_text(encoding='utf-8')
    section = text.split(f'\n{heading}\n', 1)[1]
    rows = re.search(r'(\|.*\n)+', section)[0].splitlines()[2:]
    cells = [[cell.strip().replace('`', '') for cell in row.strip('|').split('|')] for row in rows]
    return {first: rest for first, *rest in cells}


def test_the_readme_knows_every_command() -> None:
    listed = {row.split()[1].replace('-', '_') for row in table('README.md', '## The fer command')}
    assert listed == set(COMMANDS)


def test_the_topics_of_the_nodes_are_documented() -> None:
    listed = set(table('docs/topics.md', '## Topics and services'))
    created = set()
    for name in ('emotion_node', 'results', 'camera_node'):
        text = (PACKAGE / 'nodes' / f'{name}.py').read_text()
        created.update(
            re.findall(r"create_(?:\w+publisher|publisher|service)\(\s*\w+,\s*'([^']+)'", text)
        )
    assert created <= listed, created - listed
    assert {'image', 'image/compressed', 'emotions', 'detections'} <= listed


@pytest.mark.parametrize(
    'locked, names',
    [
        ('runtime', ['ros-jazzy', 'runtime']),
        ('dashboard', ['ros-jazzy', 'runtime', 'dashboard']),
        ('test', ['ros-jazzy', 'runtime', 'dashboard', 'train', 'test']),
    ],
)
def test_what_is_installed_is_locked_with_hashes(root: Path, locked: str, names: list[str]) -> None:
    text = (root / 'requirements' / 'locked' / f'{locked}.txt').read_text()
    entries = re.findall(
        r'^([\w.-]+==[\w.]+)([^\n]*)\n((?:    --hash=sha256:[^\n]*\n)*)', text, re.M
    )
    assert all(hashes for _, _, hashes in entries)
    have = {entry.lower() for entry, _, _ in entries}
    for name in names:
        for line in (root / 'requirements' / f'{name}.txt').read_text().splitlines():
            if line.startswith('#') or not line:
                continue
            pin = re.sub(r'\[[^]]*]', '', line.split(';')[0]).strip().lower()
            assert pin in have, f'{pin} is not locked: run scripts/lock'
