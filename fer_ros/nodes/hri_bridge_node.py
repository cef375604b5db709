# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""hri_bridge_node: to and from /humans/faces of REP-155 (ROS4HRI).

It publishes the faces that emotion_node finds, or adds an expression to the faces that another
detector publishes there.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections import OrderedDict
from functools import partial
from string import ascii_lowercase
from typing import Any, NamedTuple

import cv2
import numpy as np
from hri_msgs.msg import Expression, FacialLandmarks, IdsList, NormalizedRegionOfInterest2D
from rclpy.clock import Clock, ClockType
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from fer_msgs.msg import EmotionArray
from fer_ros.config import HriBridgeConfig, PipelineConfig, flatten
from fer_ros.errors import ImageError, shorten
from fer_ros.geometry import similarity_transform
from fer_ros.images.cropping import crop_around, crop_square
from fer_ros.labels import REP155_EXPRESSIONS
from fer_ros.messages.emotions import check_header, frame_emotions, stamp_seconds
from fer_ros.messages.heads import face_frames
from fer_ros.messages.images import image_message
from fer_ros.nodes.base import FerNode
from fer_ros.nodes.parameters import declare_config, read_at_start, read_config
from fer_ros.nodes.per_face import MAX_FACES, PerFace
from fer_ros.nodes.ros_messages import make, to_bgr
from fer_ros.nodes.runner import exit_now, run_node
from fer_ros.people.circumplex import valence_arousal
from fer_ros.pipeline import EmotionPipeline
from fer_ros.types import FaceEmotion, Float32Array, FrameEmotions, HeadPose, UInt8Array

FACES = '/humans/faces'
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""What listeners of REP-155 (libhri, pyhri) ask for."""

FRAMES_OUT = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
"""What tf2's listeners ask for."""

NEWEST_IMAGE = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
KEPT_IMAGES = 30
KEPT_BYTES = 100_000_000
"""Emotions come some milliseconds after their image; so much is kept until then."""

FACE_ID = re.compile(r'[A-Za-z_]\w{0,63}', re.ASCII)
FORGET_S = 1.0

NEWEST_CROP = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
MAX_CROP_PIXELS = 4_000_000
MAX_CROP_RATIO = 4
"""No face is so much longer than wide; the room about such a crop could take gigabytes."""

_LANDMARKS = (
    FacialLandmarks.RIGHT_PUPIL,
    FacialLandmarks.LEFT_PUPIL,
    FacialLandmarks.NOSE,
    FacialLandmarks.MOUTH_OUTER_RIGHT,
    FacialLandmarks.MOUTH_OUTER_LEFT,
)
_TEMPLATE = np.array(
    [(0.34, 0.40), (0.66, 0.40), (0.50, 0.58), (0.37, 0.75), (0.63, 0.75)], np.float32
)
"""Where landmarks lie in an aligned image, as shares of its size."""


def to_expression(face: FaceEmotion, labels: tuple[str, ...], header: Header) -> Expression:
    """Return a face's emotion in REP-155's words; no word where it has none (as for contempt).

    Valence and arousal are derived from the classes' probabilities.
    """
    valence, arousal = valence_arousal(face.probabilities, labels)
    return Expression(
        header=header,
        expression=REP155_EXPRESSIONS.get(face.label, ''),
        valence=valence,
        arousal=arousal,
        confidence=float(np.clip(face.confidence, 0, 1)),
    )


def to_region(
    face: FaceEmotion, shape_hw: tuple[int, int], header: Header
) -> NormalizedRegionOfInterest2D:
    """Return a face's box as shares of the image."""
    height, width = shape_hw
    left, top, right, bottom = (float(n) for n in face.box_xyxy / (width, height, width, height))
    return NormalizedRegionOfInterest2D(
        header=header, xmin=left, ymin=top, xmax=right, ymax=bottom, c=face.detection_score
    )


def to_landmarks(
    face: FaceEmotion, shape_hw: tuple[int, int], header: Header
) -> FacialLandmarks | None:
    """Return the five points where REP-155 counts seventy; None if the detector gave none."""
    if not np.isfinite(face.landmarks).all():
        return None
    height, width = shape_hw
    message = FacialLandmarks(header=header, height=height, width=width)
    for index, (x, y) in zip(_LANDMARKS, face.landmarks):
        point = message.landmarks[index]
        point.x, point.y, point.c = float(x / width), float(y / height), face.detection_score
    return message


def cut_out(image: UInt8Array, face: FaceEmotion, size_px: int) -> UInt8Array:
    """Return the square about a face's box, uint8 (size, size, 3), scaled and padded with black."""
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    scale = size_px / max(float((high - low).max()), 1.0)
    return crop_around(image, (low + high) * np.float32(0.5), scale, size_px, cv2.BORDER_CONSTANT)


def align(image: UInt8Array, face: FaceEmotion, size_px: int) -> UInt8Array | None:
    """Return the face upright, uint8 (size, size, 3); None without landmarks."""
    if not np.isfinite(face.landmarks).all():
        return None
    matrix: Float32Array = similarity_transform(face.landmarks[None], _TEMPLATE * size_px)[0]
    return crop_square(image, matrix, size_px, cv2.BORDER_CONSTANT)


def _random_prefix() -> str:
    """Return five letters: ids must differ between nodes, and need not outlive them."""
    return ''.join(secrets.choice(ascii_lowercase) for _ in range(5))


class _FacePublishers:
    """The topics of one face; made when it appears, gone when it does."""

    def __init__(self, node: FerNode, face_id: str) -> None:
        def publisher(kind: Any, name: str) -> Publisher:
            return node.create_publisher(kind, f'{FACES}/{face_id}/{name}', RELIABLE)

        self.region = publisher(NormalizedRegionOfInterest2D, 'roi')
        self.cropped = publisher(Image, 'cropped')
        self.aligned = publisher(Image, 'aligned')
        self.landmarks = publisher(FacialLandmarks, 'landmarks')
        self.expression = publisher(Expression, 'expression')

    def all(self) -> tuple[Publisher, ...]:
        return self.region, self.cropped, self.aligned, self.landmarks, self.expression


class _Listening(NamedTuple):
    """What it takes to classify the crops of another detector's face."""

    crops: Subscription
    expression: Publisher
    pipeline: EmotionPipeline


class HriBridgeNode(FerNode):
    """Speaks REP-155 on behalf of emotion_node, or adds expressions to another's faces."""

    def __init__(self, **node_options: Any) -> None:
        """Subscribe as the mode asks for; *node_options* are rclpy's.

        Raises:
            FerError: a parameter is wrong, or a model cannot be loaded.
        """
        super().__init__('hri_bridge_node', **node_options)
        declare_config(self, HriBridgeConfig(), read_at_start(HriBridgeConfig()))
        declare_config(self, PipelineConfig(), flatten(PipelineConfig()))
        self._config = read_config(self, HriBridgeConfig())
        self._images: OrderedDict[tuple[int, int], Image] = OrderedDict()
        self._faces = PerFace(self._publishers_of, self._destroy_publishers)
        self._others = PerFace(self._listen_to, self._stop_listening)
        if self._config.mode == 'publish':
            self._prefix = self._config.id_prefix or _random_prefix()
            self._tracked = self.create_publisher(IdsList, f'{FACES}/tracked', RELIABLE)
            self._frames = self.create_publisher(TFMessage, '/tf', FRAMES_OUT)
            self.create_subscription(Image, 'image', self._on_image, NEWEST_IMAGE)
            self.create_subscription(EmotionArray, 'emotions', self._on_emotions, RELIABLE)
        else:
            self._pipeline = EmotionPipeline(read_config(self, PipelineConfig()))
            self.create_subscription(IdsList, f'{FACES}/tracked', self._on_tracked, RELIABLE)
        self.create_timer(FORGET_S, self._forget, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.get_logger().info(f'{self._config.mode}: {FACES}')

    def diagnose(self) -> tuple[str, list[str], dict[str, str]]:
        """Return the mode, whether there are too many faces, and how many there are."""
        left_out = self._faces.left_out + self._others.left_out
        warnings = [f'{left_out} faces beyond {MAX_FACES} are left out'] if left_out else []
        return self._config.mode, warnings, {'faces': str(len(self._faces) + len(self._others))}

    def _forget(self) -> None:
        """Give back what belongs to faces and images of some time ago."""
        self._faces.forget_unseen()
        self._others.forget_unseen()
        if not len(self._faces):
            self._images.clear()

    def _on_image(self, message: Image) -> None:
        stamp = message.header.stamp
        self._images[(stamp.sec, stamp.nanosec)] = message
        kept_bytes = sum(len(image.data) for image in self._images.values())
        while len(self._images) > KEPT_IMAGES or kept_bytes > KEPT_BYTES:
            kept_bytes -= len(self._images.popitem(last=False)[1].data)

    def _on_emotions(self, message: EmotionArray) -> None:
        """Publish every face of one image."""
        try:
            frame, header = frame_emotions(message), message.header
        except ImageError as error:
            self.get_logger().warning(shorten(str(error)), throttle_duration_sec=5.0)
            return
        ids = {f'{self._prefix}{face.track_id:05d}': face for face in frame.faces}
        topics = self._faces.see(ids)
        self._tracked.publish(IdsList(header=header, ids=list(topics)))
        self._publish_frames([(face_id, ids[face_id].head) for face_id in topics], header)
        image = self._image_of(header)
        for face_id, publishers in topics.items():
            self._publish(publishers, frame, ids[face_id], image, header)

    def _publish_frames(self, heads: list[tuple[str, HeadPose | None]], header: Header) -> None:
        """Publish face_<id> and gaze_<id> of every face whose head is known."""
        transforms = [
            transform
            for face_id, head in heads
            if head is not None
            for transform in face_frames(make, head, face_id, header)
        ]
        if transforms:
            self._frames.publish(TFMessage(transforms=transforms))

    def _publishers_of(self, face_id: str) -> _FacePublishers:
        return _FacePublishers(self, face_id)

    def _destroy_publishers(self, publishers: _FacePublishers) -> None:
        for publisher in publishers.all():
            self.destroy_publisher(publisher)

    def _publish(
        self,
        topics: _FacePublishers,
        frame: FrameEmotions,
        face: FaceEmotion,
        image: UInt8Array | None,
        header: Header,
    ) -> None:
        topics.region.publish(to_region(face, frame.shape_hw, header))
        topics.expression.publish(to_expression(face, frame.labels, header))
        landmarks = to_landmarks(face, frame.shape_hw, header)
        if landmarks is not None:
            topics.landmarks.publish(landmarks)
        if image is None:
            return
        cropped = cut_out(image, face, self._config.crop_px)
        topics.cropped.publish(image_message(make, cropped, header))
        aligned = align(image, face, self._config.crop_px)
        if aligned is not None:
            topics.aligned.publish(image_message(make, aligned, header))

    def _image_of(self, header: Header) -> UInt8Array | None:
        """Return the image of a result, if it came here too."""
        message = self._images.pop((header.stamp.sec, header.stamp.nanosec), None)
        try:
            return to_bgr(message) if message is not None else None
        except ImageError as error:
            self.get_logger().warning(shorten(f'bad image: {error}'), throttle_duration_sec=5.0)
            return None

    def _on_tracked(self, message: IdsList) -> None:
        """Listen to the faces that are there."""
        self._others.see(message.ids)

    def _listen_to(self, face_id: str) -> _Listening | None:
        if not FACE_ID.fullmatch(face_id):
            self.get_logger().warning(
                f'face id {shorten(face_id)!r} cannot be part of a topic',
                throttle_duration_sec=5.0,
            )
            return None
        return _Listening(
            self.create_subscription(
                Image, f'{FACES}/{face_id}/cropped', partial(self._on_crop, face_id), NEWEST_CROP
            ),
            self.create_publisher(Expression, f'{FACES}/{face_id}/expression', RELIABLE),
            # One pipeline per face, over the same models: each is smoothed for itself.
            EmotionPipeline(
                self._crop_config(), self._pipeline.detector, self._pipeline.classifier
            ),
        )

    def _stop_listening(self, listening: _Listening) -> None:
        self.destroy_subscription(listening.crops)
        self.destroy_publisher(listening.expression)

    def _crop_config(self) -> PipelineConfig:
        """Return settings that take whoever is in a crop for one person, whatever moves."""
        config = self._pipeline.config
        tracking = dataclasses.replace(config.tracking, min_iou=0.01, max_lost_s=60.0)
        return dataclasses.replace(config, tracking=tracking)

    def _on_crop(self, face_id: str, message: Image) -> None:
        """Classify one face image of another detector."""
        listening = self._others.get(face_id)
        if listening is None:
            return
        try:
            check_header(message.header)
            crop = to_bgr(message, MAX_CROP_PIXELS)
        except ImageError as error:
            self.get_logger().warning(shorten(f'{face_id}: {error}'), throttle_duration_sec=5.0)
            return
        if max(crop.shape[:2]) > MAX_CROP_RATIO * min(crop.shape[:2]):
            width, height = crop.shape[1::-1]
            self.get_logger().warning(
                f'{face_id}: a face is not {width}x{height} pixels', throttle_duration_sec=5.0
            )
            return
        # The crop ends where the face does; our detector looks for it with some room around.
        margin = max(crop.shape[:2]) // 3
        room = cv2.copyMakeBorder(crop, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        frame = listening.pipeline.process(room, stamp_seconds(message.header))
        if frame.faces:
            face = max(frame.faces, key=lambda found: found.detection_score)
            listening.expression.publish(to_expression(face, frame.labels, message.header))


def main() -> None:
    """Run the node until it is told to stop."""
    exit_now(run_node(HriBridgeNode))


if __name__ == '__main__':
    main()
