# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes LiteRT interpreters, without what LiteRT has to say of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from ai_edge_litert.interpreter import Interpreter

_STDERR = 2
_making = Lock()
_made_one = False


def make_interpreter(content: bytes, threads: int) -> Interpreter:
    """Return an interpreter of a LiteRT file.

    Raises:
        ValueError or RuntimeError: LiteRT cannot read the file.
    """
    global _made_one
    with _making:
        if _made_one:
            return Interpreter(model_content=content, num_threads=threads)
        # The first one says what it runs on when it is planned, and cannot be told not to.
        with _without_stderr():
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        _made_one = True
        return interpreter


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Send what is written to standard error to nobody, C libraries included."""
    try:
        saved = os.dup(_STDERR)
    except OSError:  # It is closed already.
        yield
        return
    nobody = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nobody, _STDERR)
        yield
    finally:
        os.dup2(saved, _STDERR)
        os.close(saved)
        os.close(nobody)
