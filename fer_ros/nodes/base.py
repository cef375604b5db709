# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every node shares: requests that fail are refused, /diagnostics, and one home of errors."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rclpy.clock import Clock, ClockType
from rclpy.executors import await_or_execute
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.service import Service
from rclpy.subscription import Subscription
from rosgraph_msgs.msg import Clock as ClockMessage
from std_msgs.msg import Header

from fer_ros.errors import FerError, shorten
from fer_ros.nodes.diagnostics import MAX_MESSAGE, RECENT_S, to_status
from fer_ros.nodes.parameter_services import ParameterServices

STRICT = 'FER_ROS_STRICT'
"""Environment variable of the tests: an error that would be caught ends the node."""

LOG_S = 1.0
"""What comes from outside is logged no more often."""

WARN_S = 30.0
"""What keeps a node from its work is logged so often, for those who do not see /diagnostics."""

DIAGNOSTICS_PERIOD_S = 1.0
STILL_S = 2.0
"""So long may simulated time stand still before /diagnostics says so."""

RESULTS_OUT = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


class NodeError(FerError):
    """Raised by a callback whose node cannot go on: it closes, and ends with exit code 1."""


class FerNode(Node):
    """A node that no message, request, parameter or clock from outside can end."""

    subject = 'node'
    """What the node's entry in /diagnostics is about."""

    def __init__(self, name: str, **node_options: Any) -> None:
        """Offer the parameter services and report on /diagnostics once a second.

        Args:
            name: of the node.
            node_options: see rclpy.node.Node.
        """
        self.caught_errors = 0
        self._last_error, self._last_error_s = '', -RECENT_S
        super().__init__(name, start_parameter_services=False, **node_options)
        self._parameter_services = ParameterServices(self)
        self._still_since = (-1, time.monotonic())
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', RESULTS_OUT)
        self.report_every(DIAGNOSTICS_PERIOD_S)

    def report_every(self, period_s: float) -> None:
        """Report on /diagnostics at this period, by a clock that nobody can stop."""
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        before = getattr(self, '_report_timer', None)
        self._report_timer = self.create_timer(period_s, self._report, clock=clock)
        if before is not None:
            self.destroy_timer(before)

    def caught(self, error: Exception, where: str) -> None:
        """Log and count an error that must not end the node; the tests let none pass.

        Args:
            error: what a callback raised.
            where: the topic, service or callback.
        """
        if os.environ.get(STRICT):
            raise error
        frame = traceback.extract_tb(error.__traceback__)[-1]
        self.caught_errors += 1
        self._last_error = shorten(
            f'{where}: {type(error).__name__}: {error} ({Path(frame.filename).name}, '
            f'line {frame.lineno})'
        )
        self._last_error_s = time.monotonic()
        self.get_logger().error(self._last_error, throttle_duration_sec=LOG_S)

    def create_service(self, srv_type: Any, srv_name: str, callback: Any, **kwargs: Any) -> Service:
        """Create a service that responds also where *callback* raises; see rclpy.node.Node."""
        responding = self._always_responding(srv_type, srv_name, callback)
        return super().create_service(srv_type, srv_name, responding, **kwargs)

    def _always_responding(self, kind: Any, name: str, callback: Any) -> Callable[..., Any]:
        async def respond(request: Any, response: Any) -> Any:
            try:
                return await await_or_execute(callback, request, response)
            except NodeError:
                raise
            except Exception as error:  # noqa: BLE001 - the caller is to learn of it
                self.caught(error, f'service {name}')
                refusal = kind.Response()
                if hasattr(refusal, 'message'):
                    refusal.message = self._last_error
                return refusal

        return respond

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Any, *args: Any, **kwargs: Any
    ) -> Subscription:
        """Create a subscription; rclpy's own to /clock bears no negative time."""
        if msg_type is ClockMessage:
            take_time = callback

            def callback(message: ClockMessage) -> None:
                if message.clock.sec >= 0:
                    take_time(message)
                else:
                    self.get_logger().warning(
                        'negative times on /clock are left out', throttle_duration_sec=LOG_S
                    )

        return super().create_subscription(msg_type, topic, callback, *args, **kwargs)

    def diagnose(self) -> tuple[str, list[str], dict[str, str]]:
        """Return the node's state in a word, what is wrong, and keys with values."""
        return 'running', [], {}

    def _report(self) -> None:
        state, warnings, values = self.diagnose()
        if warnings:
            text = shorten('; '.join(warnings), MAX_MESSAGE)
            self.get_logger().warning(text, throttle_duration_sec=WARN_S)
        if time.monotonic() - self._last_error_s < RECENT_S:
            warnings = [*warnings, self._last_error]
        if self._last_error:
            values = {**values, 'last error': self._last_error}
        status = to_status(
            f'{self.get_fully_qualified_name()}: {self.subject}',
            state,
            [*self._time_warnings(), *warnings],
            {**values, 'caught errors': str(self.caught_errors)},
        )
        header = Header(stamp=self.get_clock().now().to_msg())
        self._diagnostics.publish(DiagnosticArray(header=header, status=[status]))

    def _time_warnings(self) -> list[str]:
        if not self._time_source.ros_time_is_active:
            return []
        now_ns, now_s = self.get_clock().now().nanoseconds, time.monotonic()
        if now_ns != self._still_since[0]:
            self._still_since = (now_ns, now_s)
        if now_s - self._still_since[1] < STILL_S:
            return []
        return [
            f'simulated time stands still at {now_ns * 1e-9:.3f} s: '
            + (
                'a paused simulation or bag?'
                if self.count_publishers('/clock')
                else 'nobody publishes /clock (set use_sim_time to false?)'
            )
        ]


class FerLifecycleNode(FerNode, LifecycleNode):
    """A lifecycle node that refuses transitions that do not fit its state."""

    def __init__(self, name: str, **node_options: Any) -> None:
        """Begin unconfigured.

        Args:
            name: of the node.
            node_options: see rclpy.node.Node.
        """
        super().__init__(name, **node_options)
        self.failure: Exception | None = None
        for service in self.services:
            if service.srv_type is ChangeState:
                # rclpy triggers any number it is sent, and does not survive one that is not there.
                service.callback = self._always_responding(
                    ChangeState, service.srv_name, self._fitting_only(service.callback)
                )

    @property
    def state_name(self) -> str:
        """The lifecycle state: unconfigured, inactive, active or finalized."""
        return self._state_machine.current_state[1]

    def _fitting_only(self, change_state: Callable[..., Any]) -> Callable[..., Any]:
        def change(request: ChangeState.Request, response: ChangeState.Response) -> Any:
            known = self._state_machine.available_transitions
            possible = {number: label for number, label, *_ in known}
            given = request.transition
            if given.label in possible.values() if given.label else given.id in possible:
                return change_state(request, response)
            self.get_logger().warning(
                f'transition {shorten(given.label) or given.id} does not fit the state '
                f'{self.state_name}, which knows: {", ".join(possible.values()) or "none"}',
                throttle_duration_sec=LOG_S,
            )
            return response

        return change


Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def says_why(transition: Transition) -> Transition:
    """Log what goes wrong in a transition: rclpy swallows exceptions there without a word."""

    def change(self: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(self, state)
        except FerError as error:
            self.get_logger().error(shorten(str(error)))
            self.failure = error
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # noqa: BLE001 - rclpy would hide it
            self.failure = error
            self.caught(error, transition.__name__)
            return TransitionCallbackReturn.ERROR

    return change
