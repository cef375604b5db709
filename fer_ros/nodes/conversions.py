# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages to arrays and back; no state, no middleware calls."""

from __future__ import annotations

import array
import math
import sys
from collections.abc import Callable

import cv2
import numpy as np
from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
)

from fer_msgs.msg import Emotion, EmotionArray
from fer_ros.errors import ImageError
from fer_ros.images.decoding import decode_picture
from fer_ros.labels import EMOTIONS
from fer_ros.recognition.quality import QUALITY_REASONS
from fer_ros.types import LANDMARK_NAMES, FaceEmotion, FrameEmotions, UInt8Array

ImageConverter = Callable[[Image], UInt8Array]

_ALIASES = {
    '8UC1': 'mono8',
    '16UC1': 'mono16',
    '8UC3': 'bgr8',
    '8UC4': 'bgra8',
    'yuyv': 'yuv422_yuy2',
    'uyvy': 'yuv422',
}
_BYTES_A_PIXEL = {
    'mono8': 1, 'mono16': 2, 'bgr8': 3, 'rgb8': 3, 'bgra8': 4, 'rgba8': 4, 'bgr16': 6, 'rgb16': 6,
    'bgra16': 8, 'rgba16': 8, 'yuv422': 2, 'yuv422_yuy2': 2,
    **{f'bayer_{order}{bits}': bits // 8 for order in ('rggb', 'bggr', 'gbrg', 'grbg')
       for bits in (8, 16)},
}  # fmt: skip

MAX_SIDE_PX = 32_768


def image_rows(message: Image, encoding: str) -> UInt8Array:
    """Return a message's pixels without padding as a view of its data where that is possible.

    Returns:
        uint8 or uint16 (H, W) or (H, W, C), in this computer's byte order.

    Raises:
        ImageError: encoding, size, step and length of the data do not fit together.
    """
    width, height, step = message.width, message.height, message.step
    pixel_bytes = _BYTES_A_PIXEL.get(encoding)
    if pixel_bytes is None:
        known = ', '.join((*_BYTES_A_PIXEL, *_ALIASES))
        raise ImageError(f'encoding {message.encoding!r} is not known; known are: {known}')
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ImageError(f'image of {width}x{height} pixels: expected 1 to {MAX_SIDE_PX} a side')
    row_bytes = width * pixel_bytes
    step = step or row_bytes
    if step < row_bytes:
        raise ImageError(f'step is {step} bytes, but {width} pixels of {encoding} need {row_bytes}')
    needed = step * (height - 1) + row_bytes
    data = np.frombuffer(message.data, np.uint8)
    if data.size < needed:
        raise ImageError(
            f'data holds {data.size} bytes, but {width}x{height} pixels of {encoding} need {needed}'
        )
    rows = np.ndarray((height, row_bytes), np.uint8, buffer=data, strides=(step, 1))
    if encoding.endswith('16'):
        rows = np.ascontiguousarray(rows).view('>u2' if message.is_bigendian else '<u2')
        rows = rows.astype(np.uint16, copy=False)
        pixel_bytes //= 2
    return rows if pixel_bytes == 1 else rows.reshape(height, width, pixel_bytes)


def _convert_by_rosbags(message: Image) -> UInt8Array:
    from rosbags.image.image import convert_color

    encoding = _ALIASES.get(message.encoding, message.encoding)
    pixels = image_rows(message, encoding)
    if encoding == 'bgr8':
        return pixels
    if encoding.startswith('yuv422') and message.width % 2:
        raise ImageError(f'{encoding} needs an even width, got {message.width}')
    if encoding in ('bgr16', 'rgb16', 'bgra16', 'rgba16') or encoding.startswith('bayer'):
        # Eight bits are all that detector and classifier use: shrink first, convert less.
        pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
        encoding = encoding.replace('16', '8')
    if encoding == 'bgr8':
        return pixels
    return convert_color(np.ascontiguousarray(pixels), encoding, 'bgr8')


def _convert_by_cv_bridge(message: Image) -> UInt8Array:
    from cv_bridge import CvBridge, CvBridgeError

    encoding = _ALIASES.get(message.encoding, message.encoding)
    pixels = image_rows(message, encoding)
    if encoding == 'bgr8':
        return pixels
    message.encoding = encoding
    try:
        return CvBridge().imgmsg_to_cv2(message, 'bgr8')
    except CvBridgeError as error:
        raise ImageError(f'{encoding} cannot be converted: {error}') from error


def _cv_bridge_works() -> bool:
    """Return whether cv_bridge converts a known image rightly; one built for NumPy 1 does not."""
    try:
        probe = Image(height=1, width=2, encoding='rgb8', step=6, data=[1, 2, 3, 4, 5, 6])
        return _convert_by_cv_bridge(probe).tolist() == [[[3, 2, 1], [6, 5, 4]]]
    except Exception:  # noqa: BLE001 - any failure of its compiled part means: not this one
        return False


def choose_image_converter() -> tuple[str, ImageConverter]:
    """Return the name and function of what converts images here: cv_bridge where it works."""
    if _cv_bridge_works():
        return 'cv_bridge', _convert_by_cv_bridge
    return 'rosbags-image', _convert_by_rosbags


CONVERTER_NAME, _convert = choose_image_converter()


def image_to_bgr(message: Image) -> UInt8Array:
    """Return the image as uint8 (H, W, 3) BGR; for bgr8 a view of the message's own data.

    Raises:
        ImageError: the encoding is not known, or size and data do not fit together.
    """
    try:
        return _convert(message)
    except (cv2.error, ValueError) as error:
        raise ImageError(f'{message.encoding} image cannot be converted: {error}') from error


def compressed_to_bgr(message: CompressedImage) -> UInt8Array:
    """Return a JPEG or PNG image as uint8 (H, W, 3) BGR.

    Raises:
        ImageError: it cannot be decoded.
    """
    data = np.frombuffer(message.data, np.uint8)
    try:
        return decode_picture(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except ImageError as error:
        raise ImageError(
            f'compressed image of {data.size} bytes (format {message.format!r}) cannot be decoded: '
            f'{error}'
        ) from error


def bgr_to_image(image: UInt8Array, header: Header) -> Image:
    """Return uint8 (H, W, 3) BGR as a message; the data is copied once."""
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(image).data)
    message = Image(header=header, encoding='bgr8', is_bigendian=int(sys.byteorder == 'big'))
    message.height, message.width = image.shape[:2]
    message.step = 3 * message.width
    message.data = data
    return message


def stamp_seconds(header: Header) -> float:
    """Return a header's stamp in seconds."""
    return float(header.stamp.sec) + header.stamp.nanosec * 1e-9


def _to_floats(values: np.ndarray) -> array.array[float]:
    return array.array('f', values.astype(np.float32, copy=False).tobytes())


def _region(face: FaceEmotion) -> RegionOfInterest:
    """Return the box on whole pixels, grown outwards."""
    left, top, right, bottom = (float(n) for n in face.box_xyxy)
    x, y = math.floor(left), math.floor(top)
    return RegionOfInterest(
        x_offset=x, y_offset=y, width=math.ceil(right) - x, height=math.ceil(bottom) - y
    )


def _emotion(face: FaceEmotion) -> Emotion:
    message = Emotion(
        track_id=face.track_id,
        region=_region(face),
        detection_score=face.detection_score,
        label=face.label,
        confidence=face.confidence,
        quality=sum(1 << QUALITY_REASONS.index(reason) for reason in face.quality),
        landmarks=[Point32(x=float(x), y=float(y)) for x, y in face.landmarks],
    )
    message.probabilities = _to_floats(face.probabilities)
    message.raw_probabilities = _to_floats(face.raw_probabilities)
    return message


def to_emotion_array(frame: FrameEmotions, header: Header, model_id: str) -> EmotionArray:
    """Return a frame's faces as a message with the image's own header."""
    height, width = frame.shape_hw
    return EmotionArray(
        header=header,
        model_id=model_id,
        labels=list(frame.labels),
        image_height=height,
        image_width=width,
        emotions=[_emotion(face) for face in frame.faces],
    )


def from_emotion_array(message: EmotionArray) -> FrameEmotions:
    """Return a received message as the frame it was made from (boxes on whole pixels).

    Raises:
        ImageError: it does not fit together; another program may have made it.
    """
    strangers = set(message.labels) - set(EMOTIONS)
    if strangers or len(set(message.labels)) != len(message.labels):
        raise ImageError(f'emotions have labels {", ".join(message.labels)}: not known, or twice')
    if message.emotions and not (message.image_width and message.image_height):
        raise ImageError('emotions of an image without width or height')
    return FrameEmotions(
        stamp_s=stamp_seconds(message.header),
        shape_hw=(message.image_height, message.image_width),
        labels=tuple(message.labels),
        faces=tuple(_face(emotion, len(message.labels)) for emotion in message.emotions),
    )


def _face(message: Emotion, classes: int) -> FaceEmotion:
    counts = (len(message.probabilities), len(message.raw_probabilities), len(message.landmarks))
    if not classes or counts != (classes, classes, len(LANDMARK_NAMES)):
        raise ImageError(
            f'emotions of person {message.track_id}: expected {classes} probabilities twice and '
            f'{len(LANDMARK_NAMES)} landmarks, got {counts}'
        )
    region = message.region
    return FaceEmotion(
        track_id=message.track_id,
        box_xyxy=np.array(
            [
                region.x_offset,
                region.y_offset,
                region.x_offset + region.width,
                region.y_offset + region.height,
            ],
            np.float32,
        ),
        landmarks=np.array([(point.x, point.y) for point in message.landmarks], np.float32),
        detection_score=message.detection_score,
        raw_probabilities=np.array(message.raw_probabilities, np.float32),
        probabilities=np.array(message.probabilities, np.float32),
        label=message.label,
        confidence=message.confidence,
        quality=tuple(
            name for bit, name in enumerate(QUALITY_REASONS) if message.quality >> bit & 1
        ),
    )


def to_detections(frame: FrameEmotions, header: Header) -> Detection2DArray:
    """Return a frame's faces as vision_msgs: the label is the class, the track id the id."""
    message = Detection2DArray(header=header)
    for face in frame.faces:
        left, top, right, bottom = (float(n) for n in face.box_xyxy)
        detection = Detection2D(header=header, id=str(face.track_id))
        detection.bbox.center.position.x = (left + right) / 2
        detection.bbox.center.position.y = (top + bottom) / 2
        detection.bbox.size_x = right - left
        detection.bbox.size_y = bottom - top
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = face.label
        result.hypothesis.score = face.confidence
        detection.results = [result]
        message.detections.append(detection)
    return message


def to_label_info(labels: tuple[str, ...], threshold: float, header: Header) -> LabelInfo:
    """Return the class names that detections use."""
    classes = [VisionClass(class_id=i, class_name=label) for i, label in enumerate(labels)]
    return LabelInfo(header=header, class_map=classes, threshold=threshold)
