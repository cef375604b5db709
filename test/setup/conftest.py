# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A clone to set up, and the set-up's own modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.clones import ROOT, copy_clone


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project in a folder of its own, without an environment."""
    return copy_clone(tmp_path / 'clone')


@pytest.fixture(autouse=True)
def setup_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests import the modules of scripts/environment."""
    monkeypatch.syspath_prepend(str(ROOT / 'scripts' / 'environment'))
