# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a user's own words for emotions mean."""

from __future__ import annotations

from pathlib import Path

import yaml

from fer_ros.errors import DataError
from fer_ros.labels import EMOTIONS, LABEL_MAPS, find_label


def read_label_map(text: str) -> dict[str, str]:
    """Return {word in lower case: label}; '' for a class that is left out.

    Args:
        text: a name in LABEL_MAPS, pairs such as '4=happy,7=neutral,other=', or the path of a YAML
            or JSON file with such a mapping.

    Raises:
        DataError: it is none of these, or a label is not known.
    """
    if text in LABEL_MAPS:
        return LABEL_MAPS[text]
    if '=' in text:
        pairs = [pair.partition('=')[::2] for pair in text.split(',')]
    else:
        pairs = _read_file(Path(text))
    result = {}
    for word, label in pairs:
        known = find_label(label) if label.strip() else ''
        if known is None:
            raise DataError(
                f'label map: {word!r} means {label!r}, which is none of {", ".join(EMOTIONS)}'
            )
        result[word.strip().lower()] = known
    return result


def _read_file(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        raise DataError(
            f'label map {path}: expected one of {", ".join(LABEL_MAPS)}, pairs such as '
            '4=happy,7=neutral, or a YAML file that exists'
        )
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f'label map {path} cannot be read: {error}') from error
    if not isinstance(content, dict):
        raise DataError(f'label map {path}: expected a mapping of words to labels')
    return [(str(word), str(label or '')) for word, label in content.items()]
