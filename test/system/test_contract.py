# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What 0.1.0 offered is still there, as recorded in contract_0.1.0.json, but for named renames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.contract import Contract, contract, make_inputs

from fer_ros.config import RENAMED

RECORDED: Contract = json.loads(
    Path(__file__).with_name('contract_0.1.0.json').read_text(encoding='utf-8')
)


@pytest.fixture(scope='module')
def offered(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder = tmp_path_factory.mktemp('contract')
    make_inputs(folder)
    return contract(root, folder)


@pytest.mark.parametrize('what', [what for what in RECORDED if what != 'bench'])
def test_nothing_that_was_offered_is_gone(offered: Contract, what: str) -> None:
    gone = [
        f'{of}: {name}'
        for of, names in RECORDED[what].items()
        for name in names
        if RENAMED.get(name, name) not in offered[what].get(of, ())
    ]
    assert gone == []
