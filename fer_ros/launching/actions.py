# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan as actions of ROS's launch: the thin layer beneath the launch files."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    OpaqueFunction,
    TimerAction,
)
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch_ros import actions

from fer_ros.launching.arguments import Argument, Given
from fer_ros.launching.plans import Plan, Planner
from fer_ros.launching.processes import Node, Process
from fer_ros.nodes.middleware import middleware_settings


def describe(arguments: Iterable[Argument], planner: Planner) -> LaunchDescription:
    """Return a launch description that declares *arguments* and starts what *planner* plans."""

    def start(context: LaunchContext) -> list[Action]:
        pushed = context.launch_configurations.get('ros_namespace', '')
        return to_actions(planner(Given(dict(context.launch_configurations), pushed)))

    return LaunchDescription([*map(_declare, arguments), OpaqueFunction(function=start)])


def to_actions(plan: Plan) -> list[Action]:
    """Return the actions of a plan; nothing that they set outlives them."""
    shared = [actions.SetParameter(name, value) for name, value in plan.parameters.items()]
    return [GroupAction([*shared, *map(_to_action, plan.processes)], scoped=True)]


def _declare(argument: Argument) -> DeclareLaunchArgument:
    choices: Any = {'choices': list(argument.choices)} if argument.choices else {}
    return DeclareLaunchArgument(
        argument.name, default_value=argument.default, description=argument.description, **choices
    )


def _to_action(process: Process) -> Action:
    common: dict[str, Any] = {
        'output': 'screen',
        # Of this process alone: SetEnvironmentVariable would reach all that an including launch
        # file starts later.
        'additional_env': middleware_settings(),
    }
    if process.respawn:
        common.update(respawn=True, respawn_delay=1.0)
    if process.ends_all:
        common['on_exit'] = end_all
    if isinstance(process, Node):
        action = _to_node(process, common)
    else:
        action = ExecuteProcess(cmd=list(process.command), **common)
    return TimerAction(period=process.delay_s, actions=[action]) if process.delay_s else action


def _to_node(node: Node, common: dict[str, Any]) -> Action:
    kind = actions.LifecycleNode if node.lifecycle else actions.Node
    loggers = [name.strip('/').replace('/', '.') for name in node.nodes]
    return kind(
        package=node.package,
        executable=node.executable,
        name=node.name,
        namespace=node.namespace,
        arguments=list(node.arguments),
        ros_arguments=[
            word for logger in loggers for word in ('--log-level', f'{logger}:={node.log_level}')
        ],
        parameters=[
            _parameter_file(node.nodes, item) if isinstance(item, dict) else item
            for item in node.parameters
        ],
        remappings=list(node.remappings),
        emulate_tty=True,
        **common,
    )


def _parameter_file(nodes: tuple[str, ...], parameters: dict[str, Any]) -> str:
    """Return the path of a new file that gives parameters to these nodes.

    The last name that a node's parameters are given under wins, and a name counts from its first
    mention: under `/**`, which is what launch writes for a node without a name, they would lie
    below those of a parameter file as soon as an including launch file sets any parameter.
    """
    content = {name: {'ros__parameters': parameters} for name in nodes}
    with NamedTemporaryFile('w', prefix='fer_ros_', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(content, file)
    return file.name


def end_all(event: ProcessExited, context: LaunchContext) -> Action | None:
    """End everything; with exit code 1 if a process that everything needs ended with an error.

    Raises:
        RuntimeError: it did; an exception is the only thing that ros2 launch makes an exit code of.
    """
    if context.is_shutdown:
        return None
    if event.returncode:
        raise RuntimeError(f'{event.process_name} has ended with exit code {event.returncode}')
    return EmitEvent(event=Shutdown(reason=f'{event.process_name} has ended'))
