# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The photos of people that training never sees, as a folder for ``fer evaluate detector``."""

from __future__ import annotations

import json
from pathlib import Path

from training.commands import command, option
from training.detector.faces import load_photos


@command(
    option('data', type=Path, help='folder with people, portraits, faces and scenes'),
    option('labels', type=Path, help='folder with the labels of each'),
    option('output', type=Path, help='folder to write'),
)
def held_back(data: Path, labels: Path, output: Path) -> None:
    """Make a folder for `fer evaluate detector` of the photos of people that training never sees.

    Faces are those drawn by hand or certain by the teacher's passes, which favours the teacher's
    own kind; others are ignored. Each photo's group is the folder it comes from.
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
    text = json.dumps(content, indent=1) + '\n'
    (output / 'ground_truth.json').write_text(text, encoding='utf-8')
    print(len(content), 'photos')
