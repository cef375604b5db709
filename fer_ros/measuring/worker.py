# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Times one system in a process of its own, in whatever Python environment that system lives in.

usage: python worker.py FILE FACTORY SCENES

Imports nothing but NumPy. Loads FACTORY from the Python file FILE (``name`` or ``name:number``),
calls it with that number if there is one, and expects ``(about, make)``: what it is, and a function
from a scene's name and images to a function from one image to the number of faces found. Prints
``about`` as one line of JSON; then for each line ``SCENE SECONDS CALLS PERIOD_S`` the milliseconds
of at least so many calls over at least so long, one every PERIOD_S (0: back to back).
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any, TextIO


def _reply(stream: TextIO, content: dict[str, Any]) -> None:
    stream.write(json.dumps(content) + '\n')
    stream.flush()


def main() -> None:
    """Serve until standard input ends."""
    file, (factory, _, number), folder = sys.argv[1], sys.argv[2].partition(':'), Path(sys.argv[3])
    # Libraries that print must not garble the replies.
    replies = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    import numpy as np

    try:
        about, make = runpy.run_path(file)[factory](*([int(number)] if number else []))
    except Exception as error:  # noqa: BLE001 - whatever keeps a peer from working is its reason
        _reply(replies, {'left_out': f'{type(error).__name__}: {error}'})
        return
    _reply(replies, {'about': about})
    scenes: dict[str, tuple[Any, Any]] = {}
    for line in sys.stdin:
        name, seconds, least, period_s = line.split()
        if name not in scenes:
            images = np.load(folder / f'{name}.npy')
            scenes[name] = images, make(name, images)
        images, process = scenes[name]
        process(images[-1])
        spent: list[float] = []
        faces: list[int] = []
        begin = time.perf_counter()
        while len(spent) < int(least) or time.perf_counter() < begin + float(seconds):
            due = begin + len(spent) * float(period_s)
            time.sleep(max(0.0, due - time.perf_counter()))
            image = images[len(spent) % len(images)]
            start = time.perf_counter()
            found = process(image)
            spent.append(1e3 * (time.perf_counter() - start))
            faces.append(found)
        _reply(replies, {'ms': spent, 'faces': sum(faces) / len(faces)})


if __name__ == '__main__':
    main()
