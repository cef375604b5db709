# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The photos of people that training never sees, as a folder for ``fer evaluate detector``.

    python -m training.detector.held_back ../shared/data runs/detector runs/detector/held_back

Faces are those drawn by hand or certain by the teacher's passes, which favours the teacher's own
kind; others are ignored. Each photo's group is the folder it comes from.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.detector.faces import load_photos


def write_held_back(data: Path, labels: Path, output: Path) -> int:
    """Write links to the photos and their ground_truth.json to *output*; return how many.

    Raises:
        DataError: photos or labels are missing.
    """
    people = load_photos(data, labels, ()).split()[1].people
    content = {}
    for photo in people:
        link = output / photo.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to((data / 'people' / photo.name).resolve())
        boxes = photo.faces.boxes_xyxy.copy()
        boxes[:, 2:] -= boxes[:, :2]
        content[photo.name] = {
            'boxes_xywh': boxes.round(1).tolist(),
            'subset': [['certain'] if one else [] for one in photo.faces.certain],
            'group': Path(photo.name).parent.name,
        }
    path = output / 'ground_truth.json'
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    return len(content)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('labels', type=Path)
    parser.add_argument('output', type=Path)
    options = parser.parse_args()
    print(write_held_back(options.data, options.labels, options.output), 'photos')


if __name__ == '__main__':
    main()
