# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The topics that emotion_node's results are published on."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray, Detection3DArray, LabelInfo

from fer_msgs.msg import EmotionArray
from fer_ros.drawing.annotation import COLOURS_BGR, annotate
from fer_ros.messages.emotions import detection_array, emotion_array, label_info
from fer_ros.messages.foxglove import image_annotations
from fer_ros.messages.heads import detection_3d_array
from fer_ros.messages.images import image_message
from fer_ros.nodes.base import RESULTS_OUT
from fer_ros.nodes.ros_messages import is_installed, make, message_class
from fer_ros.types import FrameEmotions, UInt8Array

IMAGE_OUT = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
ANNOTATIONS = 'foxglove_msgs/msg/ImageAnnotations'

LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


class Results:
    """Lifecycle publishers: they say nothing unless the node is active."""

    def __init__(self, node: LifecycleNode) -> None:
        """Advertise the topics."""
        self._node = node
        self._emotions = node.create_lifecycle_publisher(EmotionArray, 'emotions', RESULTS_OUT)
        self._detections = node.create_lifecycle_publisher(
            Detection2DArray, 'detections', RESULTS_OUT
        )
        self._detections_3d = node.create_lifecycle_publisher(
            Detection3DArray, 'detections_3d', RESULTS_OUT
        )
        self._annotations = None
        if is_installed(ANNOTATIONS):
            self._annotations = node.create_lifecycle_publisher(
                message_class(ANNOTATIONS), 'image_annotations', RESULTS_OUT
            )
        self._annotated = node.create_lifecycle_publisher(Image, 'image_annotated', IMAGE_OUT)
        self._labels = node.create_lifecycle_publisher(LabelInfo, 'labels', LATCHED)
        self._notice = node.create_lifecycle_publisher(String, '~/notice', LATCHED)

    def publish(
        self,
        frame: FrameEmotions,
        image: UInt8Array,
        header: Header,
        model_id: str,
        pixelate_faces: bool,
    ) -> None:
        """Publish a frame with its image's header; some of it only while somebody subscribes."""
        self._emotions.publish(emotion_array(make, frame, header, model_id))
        if self._detections.get_subscription_count():
            self._detections.publish(detection_array(make, frame, header))
        if self._detections_3d.get_subscription_count():
            self._detections_3d.publish(detection_3d_array(make, frame, header))
        if self._annotations is not None and self._annotations.get_subscription_count():
            self._annotations.publish(image_annotations(make, frame, header, COLOURS_BGR))
        if self._annotated.get_subscription_count():
            drawn = annotate(image, frame, pixelate_faces)
            self._annotated.publish(image_message(make, drawn, header))

    def publish_labels(self, labels: tuple[str, ...], threshold: float) -> None:
        """Publish the classes, for whoever subscribes until the next time."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._labels.publish(label_info(make, labels, threshold, header))

    def publish_notice(self, text: str) -> None:
        """Publish what people in view have to be told; empty for nothing."""
        self._notice.publish(String(data=text))

    def close(self) -> None:
        """Give the topics back."""
        for publisher in (
            self._emotions,
            self._detections,
            self._detections_3d,
            self._annotations,
            self._annotated,
            self._labels,
            self._notice,
        ):
            if publisher is not None:
                self._node.destroy_lifecycle_publisher(publisher)
