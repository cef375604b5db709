# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A command in a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO


def drawn_in_terminal(command: Sequence[str], folder: Path, output: BinaryIO | None = None) -> str:
    """Run a command that must end well; return what it writes on its terminal of 80 columns.

    Args:
        command: program and arguments.
        folder: where it runs.
        output: where its standard output goes instead.
    """
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command, stdout=output or follower, stderr=follower, cwd=folder,
        env={**os.environ, 'TERM': 'xterm', 'COLUMNS': '80', 'LINES': '24'},
    )  # fmt: skip
    os.close(follower)
    written = b''
    try:
        while block := os.read(leader, 65536):
            written += block
    except OSError:
        pass  # Linux says so when the other end is closed.
    finally:
        os.close(leader)
        assert process.wait(timeout=60) == 0, written.decode(errors='replace')
    return written.decode(errors='replace')
