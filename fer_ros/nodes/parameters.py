# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings dataclasses as ROS parameters: declared, validated and read in one place."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from fer_ros.config import RENAMED, flatten, replace
from fer_ros.errors import ConfigError, shorten

Config = TypeVar('Config')
NEARLY = 0.8
"""How alike (0 to 1) names are of which one is taken for the other misspelt."""


def _descriptor(value: Any, rules: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=rules['description'])
    if rules['choices']:
        descriptor.additional_constraints = f'one of: {", ".join(rules["choices"])}'
    elif isinstance(value, str):
        descriptor.additional_constraints = rules['form'][0]
    if not rules['live']:
        descriptor.additional_constraints += '; read when the node is configured'
        descriptor.additional_constraints = descriptor.additional_constraints.lstrip('; ')
    if isinstance(value, float):
        # YAML gives 1 where 1.0 is meant; the type is checked when the setting is read.
        descriptor.dynamic_typing = True
        if rules['low'] is not None:
            bounds = FloatingPointRange(from_value=rules['low'], to_value=rules['high'])
            descriptor.floating_point_range = [bounds]
    elif isinstance(value, int) and rules['low'] is not None:
        bounds = IntegerRange(from_value=int(rules['low']), to_value=int(rules['high']))
        descriptor.integer_range = [bounds]
    return descriptor


def read_at_start(config: Any) -> set[str]:
    """Return the names of the settings that a running node does not read again."""
    return {name for name, (_, item) in flatten(config).items() if not item.metadata['live']}


def declare_config(node: Node, config: Any, read_only: Collection[str] = ()) -> None:
    """Declare every setting of *config* as a parameter, with its value as the default.

    Args:
        node: gets the parameters.
        config: says their names, defaults and ranges.
        read_only: names of those that are never read again.
    """
    for name, (value, item) in flatten(config).items():
        earlier = _value_under_earlier_name(node, name)
        default = value if earlier is None else earlier
        descriptor = _descriptor(value, item.metadata)
        descriptor.read_only = name in read_only
        node.declare_parameter(name, default, descriptor)


def _value_under_earlier_name(node: Node, name: str) -> Any:
    """Return what a parameter file gives a setting under the name it had, None if nothing."""
    for earlier in (old for old, new in RENAMED.items() if new == name):
        node.declare_parameter(earlier, None, ParameterDescriptor(dynamic_typing=True))
        value = node.get_parameter(earlier).value
        node.undeclare_parameter(earlier)
        if value is not None:
            node.get_logger().warning(f'parameter {earlier} is now called {name}')
            return value
    return None


def read_config(node: Node, config: Config, changes: list[Parameter] | None = None) -> Config:
    """Return *config* with the node's parameters, and *changes* on top of them.

    Raises:
        ConfigError: a value is of the wrong type or out of range.
    """
    values = {name: node.get_parameter(name).value for name in flatten(config)}
    values.update({p.name: p.value for p in changes or () if p.name in values})
    try:
        changed: Config = replace(config, values)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return changed


def not_live(config: Any, changes: list[Parameter]) -> list[str]:
    """Return the names among *changes* that a running node cannot take over."""
    known = flatten(config)
    return [
        p.name
        for p in changes
        if p.name in known and not known[p.name][1].metadata['live'] and p.value != known[p.name][0]
    ]


def warn_of_misspelt(node: Node) -> None:
    """Log a warning for each parameter given at the start that is nearly one of the node's.

    ROS ignores parameters that a node does not have: a file may be about several nodes.
    """
    known = list(node.get_parameters_by_prefix(''))
    for name in node._parameter_overrides:
        near = [] if name in RENAMED else get_close_matches(name, known, 1, NEARLY)
        if near and name not in known:
            node.get_logger().warning(
                f'there is no parameter {shorten(name)}: it is ignored; did you mean {near[0]}?'
            )
