# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds what runs a model by name: what comes with this package, and what others add.

A package that offers a detector needs no more than an entry point::

    [project.entry-points."fer_ros.detectors"]
    mine = "my_package.detector:MyDetector"

``MyDetector(config: DetectionConfig)`` has to be a fer_ros.detection.FaceDetector. In the same way
``MyRuntime(card: EmotionModelCard, threads: int)``, a fer_ros.recognition.classifier.Runtime, goes
under ``fer_ros.classifiers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from fer_ros.errors import ConfigError


def find(own: Mapping[str, str], group: str, name: str) -> Callable[..., Any]:
    """Return the class called *name*.

    It is imported only now, so that a node loads only the libraries of what it uses.

    Args:
        own: name to 'module:class' of what comes with this package.
        group: of the entry points under which other packages offer theirs.
        name: what the configuration says.

    Raises:
        ConfigError: there is none, or the package that offers it cannot be imported.
    """
    if name in own:
        module, _, attribute = own[name].partition(':')
        return cast(Callable[..., Any], getattr(import_module(module), attribute))
    from importlib.metadata import entry_points

    offered = entry_points(group=group, name=name)
    if not offered:
        raise ConfigError(f'{name!r} is not installed; there are: {", ".join(own)}')
    try:
        return cast(Callable[..., Any], next(iter(offered)).load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f'{name!r} of {group} cannot be loaded: {error}') from error
