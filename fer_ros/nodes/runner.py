# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Starts and ends every node alike: clean on SIGINT and SIGTERM, errors in one sentence."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.utilities import get_default_context

from fer_ros.errors import ConfigError, FerError, shorten
from fer_ros.nodes.diagnostics import MAX_MESSAGE
from fer_ros.nodes.environment import check_environment, ros_arguments
from fer_ros.nodes.executor import RCLError, ResilientExecutor
from fer_ros.nodes.middleware import LOST_LISTENER, has_stale_shm, prepare_middleware
from fer_ros.nodes.parameters import warn_of_misspelt

UnknownROSArgsError = rclpy_implementation.UnknownROSArgsError

EXPLAINED = (FerError, InvalidParameterTypeException, InvalidParameterValueException)
"""Errors whose texts say what to do."""

WAIT_S = 0.5
"""A signal that comes just before the executor begins to wait does not wake it (rclpy tells the
executor before it shuts the context down), so that it never waits for longer."""

LOOK_S = 5.0
"""Between two checks for listeners that were killed."""


def run_node(
    make_node: Callable[[], Node | Sequence[Node]], arguments: list[str] | None = None
) -> int:
    """Make a node, or several, and spin until told to stop.

    Args:
        make_node: called once ROS is up; its nodes may have a ``close()`` to be called at the end.
        arguments: command line with --ros-args; None for this process's own.

    Returns:
        0 after a signal; 1 if the node could not start, with the reason on standard error.
    """
    status, is_up = 0, False
    nodes: Sequence[Node] = ()
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see fer_ros.programs
            signal.signal(signal.SIGINT, signal.default_int_handler)
        prepare_middleware()
        if not _ros_is_up(arguments):
            return 1
        is_up = True
        # Before the node can be seen, and signalled: rclpy's executor complains if its making is
        # interrupted.
        executor = ResilientExecutor()
        made = make_node()
        nodes = (made,) if isinstance(made, Node) else made
        for node in nodes:
            warn_of_misspelt(node)
            executor.add_node(node)
        watch_listeners(nodes[0])
        # Modules and models stay for good; a full collection that went through them took 40 ms, in
        # the middle of a frame.
        gc.freeze()
        while rclpy.ok():
            executor.spin_once(timeout_sec=WAIT_S)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        # Once a signal has shut ROS down, whatever was under way fails: a clean end as well.
        if rclpy.ok() or not is_up:
            if not isinstance(error, EXPLAINED) and (nodes or not isinstance(error, RCLError)):
                raise
            status = _say(error)
    finally:
        # ros2 launch sends Ctrl-C once more to nodes that have had it from the terminal.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for node in nodes:
            try:
                getattr(node, 'close', lambda: None)()
            except FerError as error:
                status = _say(error)
            node.destroy_node()
        rclpy.try_shutdown()
    return status


def _ros_is_up(arguments: list[str] | None) -> bool:
    """Start ROS; returns False, with the reason said, for wrong arguments and missing keys."""
    try:
        check_environment()
        rclpy.init(args=ros_arguments(arguments))
    except (ConfigError, RCLError) as error:
        _say(error)
        return False
    except UnknownROSArgsError as error:
        _say(ConfigError(f'unknown ROS arguments: {error}'))
        return False
    return True


def _say(error: Exception) -> int:
    print(f'fer_ros: {shorten(str(error), MAX_MESSAGE)}', file=sys.stderr)
    return 1


def watch_listeners(node: Node) -> None:
    """Have *node* log a warning, once, when its process goes on sending to one that was killed."""
    before = False

    def look() -> None:
        nonlocal before
        # Most often Fast DDS notices by itself a moment later.
        was, before = before, has_stale_shm()
        if was and before:
            node.get_logger().warning(LOST_LISTENER, once=True)

    node.create_timer(LOOK_S, look)


def exit_now(status: int) -> None:
    """End the process at once with *status*, output flushed.

    Threads of native libraries that are still winding down may otherwise abort the interpreter at
    exit and turn a clean end into a crash.
    """
    # Nodes and context go now: os._exit calls no destructor, and 35 MB of shared memory a process
    # would stay behind.
    gc.unfreeze()
    gc.collect()
    get_default_context().destroy()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
