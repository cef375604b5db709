# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts a run's tables between the markers of README.md and docs/speed.md, and its pictures there.

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

from fer_ros.measuring.report import report, summary

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / 'README.md', ROOT / 'docs' / 'speed.md')


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
    """Write the pages and copy the pictures."""
    folder = Path(sys.argv[1])
    result, profile = (
        json.loads((folder / name).read_text(encoding='utf-8'))
        for name in ('bench.json', 'profile.json')
    )
    parts = {**report(result), **profile_frame.tables(profile), 'readme': summary(result)}
    for page in PAGES:
        page.write_text(fill(page.read_text(encoding='utf-8'), parts), encoding='utf-8')
        print(page)
    for picture in sorted(folder.glob('speed_*.png')):
        target = ROOT / 'docs' / 'figures' / picture.name
        shutil.copy(picture, target)
        print(target)


if __name__ == '__main__':
    main()
