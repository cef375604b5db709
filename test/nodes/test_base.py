# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing from outside ends a node: what fails is refused, logged, counted, and gone on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from fer_ros.config import CameraNodeConfig
from fer_ros.errors import ModelError
from fer_ros.nodes.base import STRICT, FerLifecycleNode, FerNode, NodeError, says_why
from fer_ros.nodes.executor import MAX_ERRORS, ResilientExecutor
from fer_ros.nodes.parameters import declare_config, read_at_start


class Pair:
    """A node under test and somebody who sends to it, spun together in this process."""

    def __init__(self) -> None:
        rclpy.init()
        self.executor = ResilientExecutor()
        self.sender = Node('sender')
        self.executor.add_node(self.sender)
        self.diagnostics: list[DiagnosticStatus] = []
        self.sender.create_subscription(
            DiagnosticArray, '/diagnostics', lambda m: self.diagnostics.extend(m.status), 10
        )

    def add(self, node: Any) -> Any:
        self.executor.add_node(node)
        return node

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        end_s = time.monotonic() + 30.0
        while not (value := condition()):
            assert time.monotonic() < end_s, f'waited for {what}'
            self.executor.spin_once(timeout_sec=0.05)
        return value

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.sender.create_client(kind, name)
        self.until(client.service_is_ready, name)
        future = client.call_async(request)
        self.until(future.done, f'a response of {name}')
        self.sender.destroy_client(client)
        return future.result()

    def values(self) -> dict[str, str]:
        return {v.key: v.value for v in self.diagnostics[-1].values} if self.diagnostics else {}


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    nodes = made.executor.get_nodes()
    made.executor.shutdown()
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def forgiving(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in use: errors are caught, which the other tests forbid."""
    monkeypatch.delenv(STRICT)


def fail(*_: Any) -> Any:
    raise RuntimeError('out of order ' + 'x' * 5000)


def test_a_request_that_fails_is_refused_counted_and_forgotten(pair: Pair, forgiving: None) -> None:
    node = pair.add(FerNode('tested'))
    node.create_service(Trigger, '~/fail', fail)
    node.create_service(SetBool, '~/fail_too', fail)
    for kind, name in ((Trigger, 'fail'), (SetBool, 'fail_too'), (Trigger, 'fail')):
        result = pair.call(kind, f'tested/{name}', kind.Request())
        assert not result.success
        assert result.message.startswith(f'service ~/{name}: RuntimeError: out of order')
        assert len(result.message) == 200
    pair.until(lambda: pair.values().get('caught errors') == '3', 'a count')
    assert pair.diagnostics[-1].level == DiagnosticStatus.WARN
    assert pair.diagnostics[-1].name == '/tested: node'
    assert pair.values()['last error'].startswith('service ~/fail: RuntimeError')


def test_messages_that_cannot_be_taken_never_end_a_node(pair: Pair, forgiving: None) -> None:
    node = pair.add(FerNode('tested'))
    node.create_subscription(String, 'words', fail, 10)
    publisher = pair.sender.create_publisher(String, 'words', 10)
    pair.until(publisher.get_subscription_count, 'a subscription')

    def sent() -> bool:
        publisher.publish(String())
        return node.caught_errors > 2 * MAX_ERRORS

    pair.until(sent, 'more errors than a timer may bring')


def test_errors_that_come_by_themselves_end_a_node_when_there_are_too_many(
    pair: Pair, forgiving: None
) -> None:
    node = pair.add(FerNode('tested'))
    node.create_timer(1e-3, fail)
    with pytest.raises(NodeError, match='60 errors within a minute; the last one: out of order'):
        pair.until(lambda: False, 'too many errors')
    assert node.caught_errors == MAX_ERRORS + 1


def test_tests_let_no_error_pass(pair: Pair) -> None:
    pair.add(FerNode('tested')).create_timer(1e-3, fail)
    with pytest.raises(RuntimeError, match='out of order'):
        pair.until(lambda: False, 'the error')


@pytest.mark.parametrize('kind', [10, 255])
def test_types_that_no_parameter_has(pair: Pair, kind: int) -> None:
    node = pair.add(FerNode('tested'))
    node.declare_parameter('number', 1)
    odd = ParameterMessage(name='number', value=ParameterValue(type=kind))
    good = ParameterMessage(name='number', value=ParameterValue(type=2, integer_value=5))
    unknown = ParameterMessage(name='unknown', value=ParameterValue(type=1))
    request = SetParameters.Request(parameters=[odd, good, unknown])
    results = pair.call(SetParameters, 'tested/set_parameters', request).results
    assert [result.successful for result in results] == [False, True, False]
    assert f'{kind} is not a valid Parameter.Type' in results[0].reason
    together = SetParametersAtomically.Request(parameters=[odd, good])
    result = pair.call(SetParametersAtomically, 'tested/set_parameters_atomically', together)
    assert not result.result.successful
    assert node.get_parameter('number').value == 5


def test_what_is_read_at_start_only_is_read_only(pair: Pair) -> None:
    node = pair.add(FerNode('tested'))
    declare_config(node, CameraNodeConfig(), read_at_start(CameraNodeConfig()))
    values = {'source': Parameter('source', value='0'), 'loop': Parameter('loop', value=False)}
    request = SetParameters.Request(parameters=[p.to_parameter_msg() for p in values.values()])
    for result in pair.call(SetParameters, 'tested/set_parameters', request).results:
        assert not result.successful
        assert 'read-only' in result.reason
    described = node.describe_parameter('frame_id')
    assert described.additional_constraints.startswith('a frame: letters')


def test_negative_time_is_left_out_and_time_that_stands_still_is_told(pair: Pair) -> None:
    simulated = Parameter('use_sim_time', value=True)
    node = pair.add(FerNode('tested', parameter_overrides=[simulated]))
    clock = pair.sender.create_publisher(Clock, '/clock', 10)
    pair.until(clock.get_subscription_count, 'a subscription')

    def sent(seconds: int) -> int:
        message = Clock()
        message.clock.sec = seconds
        clock.publish(message)
        pair.executor.spin_once(timeout_sec=0.01)
        return node.get_clock().now().nanoseconds // 10**9

    pair.until(lambda: sent(7) == 7, 'time')
    for _ in range(20):
        assert sent(-5) == 7
    pair.until(
        lambda: pair.diagnostics
        and 'simulated time stands still at 7.000 s: a paused' in pair.diagnostics[-1].message,
        'a warning',
    )


class Fragile(FerLifecycleNode):
    """Fails to configure as it is told."""

    error: Exception | None = None

    @says_why
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self.error is not None:
            raise self.error
        return TransitionCallbackReturn.SUCCESS


def change(pair: Pair, number: int = 0, label: str = '') -> bool:
    request = ChangeState.Request(transition=Transition(id=number, label=label))
    return pair.call(ChangeState, 'tested/change_state', request).success


def test_transitions_that_do_not_fit_are_refused(pair: Pair) -> None:
    node = pair.add(Fragile('tested'))
    for state, refused, following in (
        ('unconfigured', (0, 2, 3, 4, 6, 7, 8, 10, 60, 99, 255), 1),
        ('inactive', (0, 1, 4, 5, 7, 8, 10, 60, 255), 3),
        ('active', (0, 1, 2, 3, 5, 6, 8, 10, 60, 255), 7),
        ('finalized', (0, 1, 2, 3, 4, 5, 6, 7, 8, 255), None),
    ):
        assert node.state_name == state
        for number in refused:
            assert not change(pair, number), (state, number)
            assert node.state_name == state
        assert not change(pair, label='no such transition')
        if following is not None:
            assert change(pair, following)


def test_a_transition_by_its_label(pair: Pair) -> None:
    node = pair.add(Fragile('tested'))
    assert not change(pair, label='activate')
    assert change(pair, label='configure')
    assert node.state_name == 'inactive'


def test_a_transition_that_fails_says_why(pair: Pair, forgiving: None) -> None:
    node = pair.add(Fragile('tested'))
    node.error = ModelError('the weights are gone')
    assert not change(pair, Transition.TRANSITION_CONFIGURE)
    assert (node.state_name, node.failure, node.caught_errors) == ('unconfigured', node.error, 0)
    node.error = KeyError('a mistake of ours')
    assert not change(pair, Transition.TRANSITION_CONFIGURE)
    assert (node.state_name, node.caught_errors) == ('unconfigured', 1)
    node.error = None
    assert change(pair, Transition.TRANSITION_CONFIGURE)
