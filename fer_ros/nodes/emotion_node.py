# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""emotion_node: camera images in, emotions, detections and annotated images out."""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from fer_msgs.srv import Classify, SetModel
from fer_ros.config import EmotionNodeConfig, PipelineConfig, replace
from fer_ros.errors import ConfigError, FerError, ImageError, shorten
from fer_ros.messages.cameras import camera
from fer_ros.messages.emotions import check_header, emotion_array, stamp_seconds
from fer_ros.nodes.base import FerLifecycleNode, says_why
from fer_ros.nodes.bonds import end_bond, start_bond
from fer_ros.nodes.conventions import camera_info_topic
from fer_ros.nodes.depth import DepthImages
from fer_ros.nodes.diagnostics import (
    SILENCE_S,
    FrameStatistics,
    brightness,
    duplicate_name_warning,
    explain_silence,
    lost_listener_warning,
)
from fer_ros.nodes.latest import LatestWorker
from fer_ros.nodes.parameters import declare_config, not_live, read_config
from fer_ros.nodes.photos import PhotoReader
from fer_ros.nodes.results import Results
from fer_ros.nodes.ros_messages import converter_name, make, to_bgr
from fer_ros.nodes.runner import exit_now, run_node
from fer_ros.nodes.threads import in_thread
from fer_ros.pipeline import EmotionPipeline
from fer_ros.recognition.classifier import make_classifier
from fer_ros.types import Camera, Float32Array, UInt8Array

IMAGE_IN = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Accepts any publisher, and holds the newest image only."""



class EmotionNode(FerLifecycleNode):
    """Converts, calls the pipeline, publishes; starts by itself unless told not to."""

    subject = 'emotions'

    def __init__(self, **node_options: Any) -> None:
        """Declare the parameters; models are loaded when the node is configured.

        Args:
            node_options: such as namespace; see rclpy.node.Node.

        Raises:
            FerError: the node starts by itself and cannot, for example for want of a model.
        """
        super().__init__('emotion_node', **node_options)
        declare_config(self, EmotionNodeConfig(), {'autostart'})
        declare_config(self, PipelineConfig())
        self._config = EmotionNodeConfig()
        self._pipeline: EmotionPipeline | None = None
        self._worker: LatestWorker[Image | CompressedImage] | None = None
        self._subscription: Subscription | None = None
        self._camera_info: CameraInfo | None = None
        self._depth: DepthImages | None = None
        self._bond: Any = None
        self._between_frames = Lock()
        self._photos = PhotoReader()
        self.statistics = FrameStatistics()
        # They outlive every state: what is destroyed while it responds cannot respond.
        self.create_service(SetBool, '~/enable', self._enable)
        at_once = ReentrantCallbackGroup()
        self.create_service(Classify, '~/classify', self._classify, callback_group=at_once)
        self.create_service(SetModel, '~/set_model', self._set_model, callback_group=at_once)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._take_over_parameters)
        if read_config(self, EmotionNodeConfig()).autostart:
            self.trigger_configure()
            if self.failure is not None:
                raise self.failure
            self.trigger_activate()

    @says_why
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the models and advertise the topics."""
        self._config = read_config(self, EmotionNodeConfig())
        self._pipeline = EmotionPipeline(read_config(self, PipelineConfig()))
        self._results = Results(self)
        self.report_every(self._config.diagnostics_period_s)
        self.get_logger().info(
            f'model {self.pipeline.classifier.card.id} by {self.pipeline.classifier.runtime.name}, '
            f'detector {self.pipeline.detector.name}, '
            f'images by {converter_name()}'
        )
        return TransitionCallbackReturn.SUCCESS

    @says_why
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the images."""
        self.statistics = FrameStatistics()
        done = super().on_activate(state)
        self._publish_labels()
        self._results.publish_notice(self._config.notice)
        self._subscribe()
        if not self._config.autostart:
            self._bond = start_bond(self)
        return done

    @says_why
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; the image that is being processed is still published."""
        self._unsubscribe()
        self._end_bond()
        return super().on_deactivate(state)

    @says_why
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give models and topics back."""
        self._give_back()
        return TransitionCallbackReturn.SUCCESS

    @says_why
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe for good."""
        self._give_back()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """End the working thread before the node goes."""
        self._unsubscribe()
        self._end_bond()

    def _end_bond(self) -> None:
        end_bond(self._bond)
        self._bond = None

    def _give_back(self) -> None:
        self._unsubscribe()
        self._end_bond()
        self._photos = PhotoReader()
        if self._pipeline is not None:
            self._pipeline = None
            self._results.close()

    @property
    def pipeline(self) -> EmotionPipeline:
        """The pipeline of a configured node; ConfigError before that."""
        if self._pipeline is None:
            raise ConfigError('emotion_node is not configured (ros2 lifecycle set … configure)')
        return self._pipeline

    def _active_pipeline(self) -> EmotionPipeline:
        """Return the pipeline of an active node; ConfigError in any other state."""
        if self.state_name != 'active':
            raise ConfigError(
                f'the node is {self.state_name}, not active: activate it first (ros2 lifecycle set)'
            )
        return self.pipeline

    def _subscribe(self) -> None:
        if self._subscription is not None:
            return
        self._worker = LatestWorker(self._process, 'emotion_pipeline')
        kind, topic = (
            (CompressedImage, 'image/compressed')
            if self._config.image_transport == 'compressed'
            else (Image, 'image')
        )
        self._subscription = self.create_subscription(kind, topic, self._on_image, IMAGE_IN)
        images = self._subscription.topic_name
        self._info_subscription = self.create_subscription(
            CameraInfo,
            camera_info_topic(images.removesuffix('/compressed')),
            self._on_camera_info,
            IMAGE_IN,
        )
        if self._config.depth_topic:
            self._depth = DepthImages(self, self._config.depth_topic)
            images += f' and {self._depth.topic}'
        self.get_logger().info(f'subscribed to {images}')

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self.destroy_subscription(self._info_subscription)
            self._subscription = self._camera_info = None
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        if self._depth is not None:
            self._depth.close()
            self._depth = None
        self.statistics.faces = 0

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._camera_info = message

    def _on_image(self, message: Image | CompressedImage) -> None:
        self.statistics.arrived()
        if self._worker is not None and not self._worker.offer(message):
            self.statistics.dropped += 1

    def _process(self, message: Image | CompressedImage) -> None:
        """Process one image; runs in the working thread, where nothing may be raised."""
        try:
            image, stamp_s = self._to_bgr(message), self._stamp_s(message.header)
            depth_m = self._depth_of(message.header, stamp_s)
            with self._between_frames:
                frame = self.pipeline.process(image, stamp_s, self._camera_of(image), depth_m)
                model_id = self.pipeline.classifier.card.id
            self._results.publish(
                frame, image, message.header, model_id, self._config.pixelate_faces
            )
            is_stamped = stamp_seconds(message.header) != 0
            latency_ms = 1e3 * (self._now_s() - stamp_s) if is_stamped else None
            self.statistics.brightness = brightness(image)
            self.statistics.published(latency_ms, len(frame.faces), frame.timings_ms)
        except ImageError as error:
            self.statistics.failed(str(error))
            self.get_logger().warning(
                f'bad image: {shorten(str(error))}', throttle_duration_sec=5.0
            )
        except Exception as error:  # noqa: BLE001 - one frame must never end the node
            if self.context.ok():
                self.statistics.failed(f'{type(error).__name__}: {error}')
                self.caught(error, 'image')

    def _to_bgr(self, message: Image | CompressedImage) -> UInt8Array:
        check_header(message.header)
        return to_bgr(message, self._config.max_image_pixels, self.statistics.was_scaled)

    def _camera_of(self, image: UInt8Array) -> Camera | None:
        # A registered depth image has the view of the camera, whose own camera_info goes first.
        depth = self._depth  # may be taken away by another thread
        infos = (self._camera_info, depth and depth.camera_info)
        cameras = (camera(info, image.shape[:2]) for info in infos if info is not None)
        return next((one for one in cameras if one is not None), None)

    def _depth_of(self, header: Header, stamp_s: float) -> Float32Array | None:
        depth = self._depth  # may be taken away by another thread
        if depth is None:
            return None
        limits = (self._config.depth_max_offset_s, self._config.max_image_pixels)
        return depth.of(header, stamp_s, *limits)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _stamp_s(self, header: Header) -> float:
        """Return the image's time; a driver that leaves it zero gets the time of arrival."""
        return stamp_seconds(header) or self._now_s()

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        try:
            self._active_pipeline()
        except ConfigError as error:
            response.message = str(error)
            return response
        (self._subscribe if request.data else self._unsubscribe)()
        response.success = True
        response.message = 'processing enabled' if request.data else 'processing disabled'
        return response

    async def _classify(
        self, request: Classify.Request, response: Classify.Response
    ) -> Classify.Response:
        """Read a photo beside the stream, which goes first."""
        try:
            config, photos = self._active_pipeline().config, self._photos
            convert = partial(self._to_bgr, request.image)
            frame, model_id = await in_thread(
                self, lambda: photos.read(convert, config), low_priority=True
            )
            response.emotions = emotion_array(make, frame, request.image.header, model_id)
            response.success = True
        except FerError as error:
            response.message = shorten(str(error))
        return response

    async def _set_model(
        self, request: SetModel.Request, response: SetModel.Response
    ) -> SetModel.Response:
        pipeline = self._pipeline
        try:
            classification = {'classification.model': request.model or 'default'}
            if request.backend:
                classification['classification.backend'] = request.backend
            config = replace(self._active_pipeline().config, classification).classification
            classifier = await in_thread(self, lambda: make_classifier(config))
            with self._between_frames:
                if pipeline is not self._pipeline:
                    raise ConfigError('the node was cleaned up in the meantime')
                self.pipeline.use_classifier(classifier, config)
        except (FerError, ValueError) as error:
            response.message = shorten(str(error))
            return response
        self._photos = PhotoReader()
        # Now that the pipeline has them, the parameters may say so; before, they were refused.
        self.set_parameters(
            [Parameter(name, value=value) for name, value in classification.items()]
        )
        self._publish_labels()
        response.success, response.message = True, classifier.card.id
        return response

    def _publish_labels(self) -> None:
        self._results.publish_labels(self.pipeline.labels, self.pipeline.unknown_threshold)

    def _check_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            for config in (EmotionNodeConfig(), PipelineConfig()):
                read_config(self, config, changes)
            if self._pipeline is not None:
                for config in (self._config, self._pipeline.config):
                    fixed = not_live(config, changes)
                    if fixed:
                        raise ConfigError(
                            f'{", ".join(fixed)}: read when the node is configured; deactivate and '
                            'clean it up first (ros2 lifecycle set), then set it and configure'
                        )
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take_over_parameters(self, changes: list[Parameter]) -> None:
        if self._pipeline is not None:
            self._config = read_config(self, EmotionNodeConfig())
            with self._between_frames:
                self._pipeline.reconfigure(read_config(self, PipelineConfig()))
            if any(change.name == 'notice' for change in changes):
                self._results.publish_notice(self._config.notice)
            self.get_logger().info(', '.join(f'{p.name} is now {p.value}' for p in changes))

    def diagnose(self) -> tuple[str, list[str], dict[str, str]]:
        """Return the lifecycle state, what keeps the node from its work, and its figures."""
        values = self.statistics.values()
        if self._pipeline is not None:
            values |= {
                'model': self._pipeline.classifier.card.id,
                'backend': self._pipeline.classifier.runtime.name,
                'detector': self._pipeline.detector.name,
                'late stamps': str(self._pipeline.people.clock.late_stamps),
                'jumps back in time': str(self._pipeline.people.clock.jumps_back),
            }
        state = self.state_name
        if state == 'active' and self._subscription is None:
            state = 'paused by ~/enable'
        return state, self._warnings(), {'state': state, **values}

    def _warnings(self) -> list[str]:
        """Return what keeps the node from its work; nothing is expected of one that is disabled."""
        warnings = duplicate_name_warning(self), lost_listener_warning()
        about_us = [text for text in warnings if text]
        if self._subscription is None:
            return about_us
        found = about_us + self.statistics.warnings(self.pipeline.config.quality.min_brightness)
        if self._depth is not None and self._depth.problem:
            found.append(self._depth.problem)
        silent_s = self.statistics.silent_s()
        if silent_s > SILENCE_S:
            kind = (
                'sensor_msgs/msg/CompressedImage'
                if self._config.image_transport == 'compressed'
                else 'sensor_msgs/msg/Image'
            )
            topic = self._subscription.topic_name
            found.insert(0, explain_silence(self, topic, kind, silent_s))
        return found


def main() -> None:
    """Run the node until it is told to stop."""
    exit_now(run_node(EmotionNode))


if __name__ == '__main__':
    main()
