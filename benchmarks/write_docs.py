# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts a run's tables between the markers of docs/speed.md, and its pictures beside it.

usage: python benchmarks/write_docs.py FOLDER
FOLDER is what `fer bench --full --output FOLDER` and `profile_frame.py FOLDER` wrote into.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import profile_frame

from fer_ros.benchmark.report import report

DOCS = Path(__file__).parent.parent / 'docs'


def fill(page: str, parts: dict[str, str]) -> str:
    """Return *page* with each ``<!-- bench NAME -->…<!-- end -->`` filled anew.

    Raises:
        KeyError: the page wants a part that the run has not.
    """
    return re.sub(
        r'<!-- bench (\w+) -->.*?<!-- end -->',
        lambda match: f'<!-- bench {match[1]} -->\n{parts[match[1]]}\n<!-- end -->',
        page,
        flags=re.DOTALL,
    )


def main() -> None:
    """Write the page and copy the pictures."""
    folder, page = Path(sys.argv[1]), DOCS / 'speed.md'
    result = json.loads((folder / 'bench.json').read_text(encoding='utf-8'))
    profile = json.loads((folder / 'profile.json').read_text(encoding='utf-8'))
    parts = {**report(result), **profile_frame.tables(profile)}
    text = page.read_text(encoding='utf-8')
    page.write_text(fill(text, parts), encoding='utf-8')
    for picture in sorted(folder.glob('speed_*.png')):
        shutil.copy(picture, DOCS / 'figures' / picture.name)
        print(DOCS / 'figures' / picture.name)
    print(page)


if __name__ == '__main__':
    main()
