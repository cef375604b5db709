# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The bond by which a lifecycle manager such as nav2's learns that a node has died."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

TOPIC = 'bond'


def start_bond(node: Node) -> Any:
    """Return a bond to whoever manages *node*, None where bondpy is not installed.

    Without one, nav2's lifecycle manager gives up on the node unless its bond_timeout is 0.0.
    """
    try:
        from bondpy.bondpy import Bond
    except ImportError:
        node.get_logger().info(
            'bondpy is not installed: a lifecycle manager that expects a bond needs bond_timeout 0',
            once=True,
        )
        return None
    bond = Bond(node, TOPIC, node.get_name())
    bond.start()
    return bond


def end_bond(bond: Any) -> None:
    """Break a bond on purpose; nothing happens for None."""
    if bond is not None:
        bond.break_bond()
        bond.shutdown()
