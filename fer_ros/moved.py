# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Modules of 0.1 under their old names, for one release, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED: dict[str, tuple[str, ...]] = {
    'alignment': ('recognition.alignment',),
    'annotation': ('drawing.annotation',),
    'bag_files': ('data.bags', 'data.bag_reader', 'data.bag_writer'),
    'classification': ('recognition.classifier',),
    'evaluation.bag_labels': ('data.bag_labels',),
    'evaluation.datasets': ('data.datasets', 'data.folders'),
    'evaluation.face_set': ('data.face_set',),
    'image_source': ('images.sources', 'images.demo', 'images.decoding'),
    'model_card': ('models.card',),
    'model_store': ('models.store',),
    'nodes.conversions': ('nodes.ros_messages', 'messages.images', 'messages.emotions'),
    'picture_files': ('images.decoding',),
    'preprocessing': ('recognition.preprocessing',),
    'quality': ('recognition.quality',),
    'serialization': ('messages.json_lines',),
    'smoothing': ('people.smoothing',),
    'tracking': ('people.tracking',),
    'video_writer': ('images.video_writer',),
}
"""Old names below fer_ros, and the modules where what they held is now."""


class _MovedFinder:
    """Finds modules by their old names, and loads them as a view of the new ones."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a name in MOVED; None leaves every other one to the next finder."""
        known = name.startswith('fer_ros.') and name.removeprefix('fer_ros.') in MOVED
        return ModuleSpec(name, self) if known else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Have the usual empty module made."""

    def exec_module(self, module: ModuleType) -> None:
        """Have the module look its attributes up where they are now."""
        homes = [f'fer_ros.{home}' for home in MOVED[module.__name__.removeprefix('fer_ros.')]]
        warnings.warn(
            f'{module.__name__} will go with 0.3; use {" or ".join(homes)}',
            DeprecationWarning,
            stacklevel=2,
        )

        def look_up(name: str) -> Any:
            for home in map(import_module, homes):
                if hasattr(home, name):
                    return getattr(home, name)
            raise AttributeError(f'{module.__name__} has no {name}; see {" and ".join(homes)}')

        module.__getattr__ = look_up  # type: ignore[method-assign]


sys.meta_path.append(_MovedFinder())
