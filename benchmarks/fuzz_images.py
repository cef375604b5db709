# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets that take images; see fuzz_targets.py."""

from __future__ import annotations

import array
import functools
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

from benchmarks.fuzz_draw import ODD_VALUES, Draw, corrupted, scratch_file
from fer_msgs.msg import Emotion, EmotionArray
from fer_ros.config import EmotionNodeConfig, PipelineConfig, flatten, replace
from fer_ros.data.message_types import make_typestore
from fer_ros.errors import ImageError
from fer_ros.images.decoding import decode_image, read_image
from fer_ros.images.demo import demo_photos
from fer_ros.images.headers import header_size_wh
from fer_ros.messages.emotions import detection_array, emotion_array, frame_emotions
from fer_ros.messages.images import ENCODINGS, to_bgr
from fer_ros.nodes import hri_bridge_node
from fer_ros.nodes.ros_messages import make
from fer_ros.pipeline import EmotionPipeline

MAX_DATA_BYTES = 1 << 16
MAX_DECODED_PIXELS = 1 << 22
SETTINGS = {name: pair for c in (EmotionNodeConfig(), PipelineConfig())
            for name, pair in flatten(c).items()}  # fmt: skip
ENCODING_NAMES = (*ENCODINGS, 'jpeg', 'BGR8', '32FC1', '')


def image_fields(draw: Draw) -> dict[str, Any]:
    """Return fields of a raw image that mostly fit together, and sometimes anything."""
    encoding = draw.pick(ENCODING_NAMES)
    known = ENCODINGS.get(encoding, ENCODINGS['bgr8'])
    pixel_bytes = known.channels * int(known.dtype[1])
    wild = draw.integer(0, 255)
    width = draw.integer(0, 2**32 - 1) if wild & 1 and wild & 32 else draw.integer(0, 70)
    height = draw.integer(0, 2**32 - 1) if wild & 2 and wild & 32 else draw.integer(0, 70)
    step = width * pixel_bytes + (draw.integer(0, 9) if wild & 16 else 0)
    if wild & 4:
        step = draw.integer(0, 2**32 - 1) if wild & 32 else draw.integer(0, 300)
    size = step * height + (draw.integer(-9, 9) if wild & 8 else 0)
    content = draw.raw(1, 100)
    size = min(max(size, 0), MAX_DATA_BYTES)
    return {
        'encoding': encoding, 'width': width, 'height': height, 'step': step % 2**32,
        'is_bigendian': wild >> 6, 'data': (content * (size // len(content) + 1))[:size],
    }  # fmt: skip


def _check_image(image: np.ndarray) -> None:
    assert image.ndim == 3, image.shape
    assert image.shape[2] == 3, image.shape
    assert image.dtype == np.uint8, image.dtype
    assert image.size


def raw_image(draw: Draw) -> bool:
    """Convert a sensor_msgs/Image, as emotion_node does."""
    fields = image_fields(draw)
    message = Image(**{**fields, 'data': array.array('B', fields['data'])})
    try:
        image = to_bgr(message)
    except ImageError:
        return False
    _check_image(image)
    assert image.shape[:2] == (fields['height'], fields['width'])
    return True


def compressed_image(draw: Draw) -> bool:
    """Decode a sensor_msgs/CompressedImage."""
    content = corrupted(draw, image_files())
    message = CompressedImage(format='jpeg', data=array.array('B', content))
    try:
        _check_image(to_bgr(message))
    except ImageError:
        return False
    return True


def photo(draw: Draw) -> bool:
    """Read an image file."""
    try:
        _check_image(read_image(scratch_file('photo.jpg', corrupted(draw, image_files()))))
    except ImageError:
        return False
    return True


@functools.cache
def _pipeline() -> EmotionPipeline:
    return EmotionPipeline()


def pipeline(draw: Draw) -> bool:
    """Search an image of any size for faces, with any settings, at any time."""
    width, height = (draw.integer(1, 2 << draw.integer(0, 8)) for _ in range(2))
    stamp_s = draw.integer(-(2**31), 2**31 - 1) + draw.integer(0, 2**32 - 1) * 1e-9
    live = [name for name, (_, item) in SETTINGS.items() if item.metadata['live'] and '.' in name]
    changes = {draw.pick(live): draw.of(ODD_VALUES) for _ in range(draw.integer(0, 2))}
    try:
        _pipeline().reconfigure(replace(PipelineConfig(), changes))
    except ValueError:
        return False
    image = cv2.resize(demo_photos()[draw.integer(0, 1)], (width, height))
    noise = np.frombuffer(draw.raw(1, 100), np.uint8)
    image[:: draw.integer(1, 9), :, 0] ^= np.resize(noise, width)
    frame = _pipeline().process(image, stamp_s)
    for face in frame.faces:
        assert (face.box_xyxy >= 0).all(), face
        assert (face.box_xyxy <= (width, height, width, height)).all(), face
        assert abs(float(face.probabilities.sum()) - 1) < 1e-3, face
        emotion_array(make, frame, Header(), 'fuzz')
    return True


@functools.cache
def _store() -> Any:
    return make_typestore()


def bag_image(draw: Draw) -> bool:
    """Convert an image as it comes out of a bag, raw or compressed."""
    store = _store()
    stamp = store.types['builtin_interfaces/msg/Time'](0, 0)
    header = store.types['std_msgs/msg/Header'](stamp, '')
    if draw.integer(0, 3):
        kind, fields = 'sensor_msgs/msg/Image', image_fields(draw)
    else:
        kind, fields = 'sensor_msgs/msg/CompressedImage', {'format': 'jpeg'}
        fields['data'] = corrupted(draw, image_files())
    fields['data'] = np.frombuffer(fields['data'], np.uint8)
    try:
        image = to_bgr(store.types[kind](header=header, **fields))
    except ImageError:
        return False
    _check_image(image)
    return True


def image_header(draw: Draw) -> bool:
    """Read an image's size from its header; what OpenCV decodes has that size or is turned."""
    content = corrupted(draw, image_files())
    try:
        width, height = header_size_wh(content)
        if width * height > MAX_DECODED_PIXELS:
            return False
        image = decode_image(np.frombuffer(content, np.uint8))
    except ImageError:
        return False
    # A GIF's first frame may be smaller than its screen, on which it is painted.
    assert sorted(image.shape[:2]) == sorted((width, height)), (image.shape, width, height)
    return True


@functools.cache
def image_files() -> tuple[bytes, ...]:
    """Return small images in every format that OpenCV writes here."""
    rng = np.random.default_rng(2)
    picture = cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (12, 10))
    return tuple(
        cv2.imencode(suffix, picture)[1].tobytes()
        for suffix in ('.jpg', '.png', '.bmp', '.webp', '.tiff', '.ppm', '.gif', '.hdr', '.avif')
        if cv2.haveImageWriter(suffix)
    )


def emotions_message(draw: Draw) -> bool:
    """Read somebody else's EmotionArray, and publish it as REP-155 says."""
    words = ('happy', 'sad', 'fear', 'neutral', 'unknown', 'bliss', '')
    labels = [draw.pick(words) for _ in range(draw.integer(0, 4))]
    emotions = []
    for _ in range(draw.integer(0, 3)):
        sides = [draw.integer(0, 2**32 - 1) >> draw.integer(0, 31) for _ in range(4)]
        box = dict(zip(('x_offset', 'y_offset', 'width', 'height'), sides))
        count = draw.pick((5, 5, 5, 0, 6))
        emotion = Emotion(
            track_id=draw.integer(0, 2**31 - 1), region=RegionOfInterest(**box),
            label=draw.pick(('happy', 'bliss', '')), quality=draw.integer(0, 255),
            landmarks=[Point32(x=draw.float32(), y=draw.float32()) for _ in range(count)],
        )  # fmt: skip
        sizes = [draw.pick((len(labels), len(labels), draw.integer(0, 9))) for _ in range(2)]
        emotion.probabilities = array.array('f', [draw.float32() for _ in range(sizes[0])])
        emotion.raw_probabilities = array.array('f', [draw.float32() for _ in range(sizes[1])])
        emotions.append(emotion)
    message = EmotionArray(labels=labels, emotions=emotions)
    message.image_width, message.image_height = draw.integer(0, 3000), draw.integer(0, 3000)
    try:
        frame = frame_emotions(message)
    except ImageError:
        return False
    for face in frame.faces:
        hri_bridge_node.to_expression(face, frame.labels, message.header)
        hri_bridge_node.to_region(face, frame.shape_hw, message.header)
        hri_bridge_node.to_landmarks(face, frame.shape_hw, message.header)
    detection_array(make, frame, message.header)
    return True
