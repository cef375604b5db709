# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Feeds the dashboard: finds emotion nodes, listens to them, and passes on what viewers ask."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import (
    ExternalShutdownException,
    ShutdownException,
)
from rclpy.node import NodeNameNonExistentError
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import SetBool

from fer_msgs.msg import EmotionArray
from fer_msgs.srv import SetModel
from fer_ros.dashboard.camera_view import CameraView
from fer_ros.errors import ImageError
from fer_ros.messages.emotions import frame_emotions
from fer_ros.nodes.base import FerNode
from fer_ros.nodes.environment import check_environment, ros_arguments
from fer_ros.nodes.executor import ResilientExecutor
from fer_ros.nodes.middleware import prepare_middleware
from fer_ros.nodes.results import LATCHED
from fer_ros.nodes.ros_messages import to_bgr

EMOTIONS_TYPE = 'fer_msgs/msg/EmotionArray'
IMAGE_TYPES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
MAX_CAMERAS = 64
LOOK_AROUND_S = 0.5
RESPONSE_TIMEOUT_S = 5.0
MODEL_TIMEOUT_S = 60.0
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class DashboardFeed:
    """One ROS node in one background thread for a whole server, however many look."""

    def __init__(self) -> None:
        """Join the ROS graph and begin to look for emotion nodes."""
        check_environment()
        prepare_middleware()
        self._context = Context()
        rclpy.init(args=ros_arguments([]), context=self._context)
        self._node = FerNode(f'fer_dashboard_{os.getpid()}', context=self._context)
        self._views: dict[str, CameraView] = {}
        self._emotions: dict[str, Subscription] = {}
        self._images: dict[str, Subscription] = {}
        self._notices: dict[str, Subscription] = {}
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, QoSProfile(depth=10)
        )
        self._node.create_timer(LOOK_AROUND_S, self._discover)
        self._executor = ResilientExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = Thread(target=self._spin, name='dashboard_feed', daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            self._executor.spin()

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown(timeout_sec=RESPONSE_TIMEOUT_S)
        self._thread.join(timeout=RESPONSE_TIMEOUT_S)
        self._node.destroy_node()
        self._context.try_shutdown()

    def cameras(self) -> dict[str, CameraView]:
        """Return what is known of each camera, by the topic of its emotions."""
        return dict(sorted(self._views.copy().items()))

    def set_enabled(self, topic: str, enabled: bool) -> tuple[bool, str]:
        """Enable or disable a camera's emotion node; returns success and what to say."""
        request = SetBool.Request(data=enabled)
        return self._ask(topic, 'enable', SetBool, request, RESPONSE_TIMEOUT_S)

    def set_model(self, topic: str, model: str, backend: str) -> tuple[bool, str]:
        """Make a camera's emotion node use another model; returns success and what to say."""
        request = SetModel.Request(model=model, backend=backend)
        return self._ask(topic, 'set_model', SetModel, request, MODEL_TIMEOUT_S)

    def set_parameters(self, topic: str, values: dict[str, Any]) -> tuple[bool, str]:
        """Set parameters of a camera's emotion node; returns success and what to say."""
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        request = SetParameters.Request(parameters=[one.to_parameter_msg() for one in parameters])
        return self._ask(topic, 'set_parameters', SetParameters, request, RESPONSE_TIMEOUT_S)

    def _ask(
        self, topic: str, service: str, kind: Any, request: Any, timeout_s: float
    ) -> tuple[bool, str]:
        view = self._views.get(topic)
        if view is None or not view.node_name:
            return False, f'nobody publishes {topic} any more'
        name = f'{view.node_name}/{service}'
        client = self._node.create_client(kind, name)
        try:
            if not client.wait_for_service(timeout_sec=1.0):
                return False, f'{view.node_name} offers no service {service}'
            responded = Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _: responded.set())
            if not responded.wait(timeout_s):
                return False, f'{name} has not responded within {timeout_s:g} s'
            response = future.result()
            if kind is SetParameters:
                refused = [one.reason for one in response.results if not one.successful]
                return not refused, '; '.join(refused) or 'The new settings are in use.'
            return bool(response.success), str(response.message)
        finally:
            self._node.destroy_client(client)

    def _discover(self) -> None:
        """Listen to nodes that have come, forget those that have gone, draw for who watches."""
        found = {
            name
            for name, types in self._node.get_topic_names_and_types()
            if EMOTIONS_TYPE in types and self._node.count_publishers(name)
        }
        room = MAX_CAMERAS - len(self._views.keys() & found)
        for topic in sorted(found - self._views.keys())[:room]:
            self._views[topic] = CameraView(topic)
            self._emotions[topic] = self._node.create_subscription(
                EmotionArray, topic, self._frame_taker(topic), QoSProfile(depth=1)
            )
        for topic in self._views.keys() - found:
            del self._views[topic]
            self._node.destroy_subscription(self._emotions.pop(topic))
            self._unsubscribe(self._images, topic)
            self._unsubscribe(self._notices, topic)
        for topic, view in self._views.items():
            self._see_node(view)
            if view.node_name and topic not in self._notices:
                self._notices[topic] = self._node.create_subscription(
                    String, f'{view.node_name}/notice', self._notice_taker(view), LATCHED
                )
            if view.is_watched and topic not in self._images:
                self._images[topic] = self._node.create_subscription(
                    Image, _beside(topic, 'image_annotated'), self._image_taker(topic), NEWEST
                )
            elif not view.is_watched:
                self._unsubscribe(self._images, topic)

    def _unsubscribe(self, subscriptions: dict[str, Subscription], topic: str) -> None:
        if topic in subscriptions:
            self._node.destroy_subscription(subscriptions.pop(topic))

    def _notice_taker(self, view: CameraView) -> Callable[[String], None]:
        return lambda message: view.take_notice(message.data)

    def _see_node(self, view: CameraView) -> None:
        """Note which node is behind a camera's emotions, and whether it subscribes to images."""
        publishers = self._node.get_publishers_info_by_topic(view.topic)
        if not publishers:
            return
        name, namespace = publishers[0].node_name, publishers[0].node_namespace
        view.node_name = f'{namespace.rstrip("/")}/{name}'
        try:
            subscribed = self._node.get_subscriber_names_and_types_by_node(name, namespace)
        except NodeNameNonExistentError:
            return
        view.is_enabled = any(IMAGE_TYPES & set(types) for _, types in subscribed)

    def _frame_taker(self, topic: str) -> Callable[[EmotionArray], None]:
        view = self._views[topic]

        def take(message: EmotionArray) -> None:
            try:
                view.take_frame(frame_emotions(message), message.model_id)
            except ImageError as error:
                self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)

        return take

    def _image_taker(self, topic: str) -> Callable[[Image], None]:
        view = self._views[topic]

        def take(message: Image) -> None:
            try:
                view.take_image(to_bgr(message))
            except ImageError as error:
                self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)

        return take

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for view in self._views.values():
                if status.name == f'{view.node_name}: emotions':
                    level = int.from_bytes(status.level, 'little')
                    is_well = level == int.from_bytes(DiagnosticStatus.OK, 'little')
                    view.take_diagnostics(
                        {pair.key: pair.value for pair in status.values},
                        '' if is_well else status.message,
                    )


def _beside(topic: str, name: str) -> str:
    """Return the topic *name* in the namespace of *topic*."""
    return f'{topic.rpartition("/")[0]}/{name}'
