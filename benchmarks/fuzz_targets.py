# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What reads bytes of strangers, each as a function of bytes, for any fuzzer.

A target returns True where the input was taken and False where it was refused with one of the
errors it documents. Whatever else is raised is a fault.
"""

from __future__ import annotations

import array
import functools
import json
import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest

from benchmarks.fuzz_draw import Draw, spoilt
from fer_msgs.msg import Emotion, EmotionArray
from fer_ros import bag_files
from fer_ros.config import EmotionNodeConfig, PipelineConfig, flatten, replace
from fer_ros.detection.builtin import load_detector_card
from fer_ros.errors import DataError, ImageError, ModelError, SourceError
from fer_ros.evaluation.bag_labels import read_spans, topic_spans
from fer_ros.evaluation.datasets import read_csv, read_npz, read_votes
from fer_ros.image_source import read_image
from fer_ros.model_card import MODELS_DIR, EmotionModelCard, load_emotion_card
from fer_ros.nodes import conversions, hri_bridge_node

MAX_DATA_BYTES = 1 << 16


@dataclass(frozen=True)
class Target:
    """Something to fuzz.

    Attributes:
        check: takes bytes; True for taken, False for refused as documented.
        converter: whether it converts images.
    """

    check: Callable[[bytes], bool]
    converter: bool = False


@functools.cache
def _scratch() -> Path:
    """Return a folder in memory where there is one; the process's own."""
    memory = Path('/dev/shm')
    return Path(tempfile.mkdtemp(prefix='fer_fuzz_', dir=memory if memory.is_dir() else None))


def clean_up() -> None:
    """Remove the files that targets have written."""
    shutil.rmtree(_scratch(), ignore_errors=True)


def _file(name: str, content: bytes) -> Path:
    path = _scratch() / name
    path.write_bytes(content)
    return path


# Images -----------------------------------------------------------------------------------------

ENCODINGS = (*conversions._BYTES_A_PIXEL, *conversions._ALIASES, 'jpeg', 'BGR8', '32FC1', '')


def image_fields(draw: Draw) -> dict[str, Any]:
    """Return fields of a raw image that mostly fit together, and sometimes anything."""
    encoding = draw.pick(ENCODINGS)
    known = conversions._ALIASES.get(encoding, encoding)
    pixel_bytes = conversions._BYTES_A_PIXEL.get(known, 3)
    wild = draw.integer(0, 255)
    width = draw.integer(0, 2**32 - 1) if wild & 1 and wild & 32 else draw.integer(0, 70)
    height = draw.integer(0, 2**32 - 1) if wild & 2 and wild & 32 else draw.integer(0, 70)
    step = width * pixel_bytes + (draw.integer(0, 9) if wild & 16 else 0)
    if wild & 4:
        step = draw.integer(0, 2**32 - 1) if wild & 32 else draw.integer(0, 300)
    size = step * height + (draw.integer(-9, 9) if wild & 8 else 0)
    content = draw.rest() or b'\0'
    size = min(max(size, 0), MAX_DATA_BYTES)
    return {
        'encoding': encoding, 'width': width, 'height': height, 'step': step % 2**32,
        'is_bigendian': wild >> 6, 'data': (content * (size // len(content) + 1))[:size],
    }  # fmt: skip


def _is_picture(image: np.ndarray) -> None:
    assert image.ndim == 3, image.shape
    assert image.shape[2] == 3, image.shape
    assert image.dtype == np.uint8, image.dtype
    assert image.size


def raw_image(data: bytes) -> bool:
    """Convert a sensor_msgs/Image, as emotion_node does."""
    fields = image_fields(Draw(data))
    message = Image(**{**fields, 'data': array.array('B', fields['data'])})
    try:
        image = conversions.image_to_bgr(message)
    except ImageError:
        return False
    _is_picture(image)
    assert image.shape[:2] == (fields['height'], fields['width'])
    return True


def compressed_image(data: bytes) -> bool:
    """Decode a sensor_msgs/CompressedImage."""
    content = spoilt(Draw(data), picture_files())
    message = CompressedImage(format='jpeg', data=array.array('B', content))
    try:
        _is_picture(conversions.compressed_to_bgr(message))
    except ImageError:
        return False
    return True


def photo(data: bytes) -> bool:
    """Read an image file."""
    try:
        _is_picture(read_image(_file('photo.jpg', spoilt(Draw(data), picture_files()))))
    except ImageError:
        return False
    return True


@functools.cache
def _store() -> Any:
    return bag_files.make_typestore()


def bag_image(data: bytes) -> bool:
    """Convert an image as it comes out of a bag, raw or compressed."""
    draw = Draw(data)
    store = _store()
    stamp = store.types['builtin_interfaces/msg/Time'](0, 0)
    header = store.types['std_msgs/msg/Header'](stamp, '')
    if draw.integer(0, 3):
        kind, fields = 'sensor_msgs/msg/Image', image_fields(draw)
    else:
        kind, fields = 'sensor_msgs/msg/CompressedImage', {'format': 'jpeg'}
        fields['data'] = spoilt(draw, picture_files())
    fields['data'] = np.frombuffer(fields['data'], np.uint8)
    image = bag_files._to_bgr(store.types[kind](header=header, **fields))
    if isinstance(image, ImageError):
        return False
    _is_picture(image)
    return True


@functools.cache
def picture_files() -> tuple[bytes, ...]:
    """Return small pictures in every format that OpenCV writes here."""
    rng = np.random.default_rng(2)
    picture = cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (12, 10))
    return tuple(
        cv2.imencode(suffix, picture)[1].tobytes()
        for suffix in ('.jpg', '.png', '.bmp', '.webp', '.tiff', '.ppm', '.gif', '.hdr', '.avif')
        if cv2.haveImageWriter(suffix)
    )


def emotions_message(data: bytes) -> bool:
    """Take over an EmotionArray of another's making, and speak of it in REP-155's words."""
    draw = Draw(data)
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
            landmarks=[Point32(x=_float32(draw), y=_float32(draw)) for _ in range(count)],
        )  # fmt: skip
        sizes = [draw.pick((len(labels), len(labels), draw.integer(0, 9))) for _ in range(2)]
        emotion.probabilities = array.array('f', [_float32(draw) for _ in range(sizes[0])])
        emotion.raw_probabilities = array.array('f', [_float32(draw) for _ in range(sizes[1])])
        emotions.append(emotion)
    message = EmotionArray(labels=labels, emotions=emotions)
    message.image_width, message.image_height = draw.integer(0, 3000), draw.integer(0, 3000)
    try:
        frame = conversions.from_emotion_array(message)
    except ImageError:
        return False
    for face in frame.faces:
        hri_bridge_node.to_expression(face, frame.labels, message.header)
        hri_bridge_node.to_region(face, frame.shape_hw, message.header)
        hri_bridge_node.to_landmarks(face, frame.shape_hw, message.header)
    conversions.to_detections(frame, message.header)
    return True


def _float32(draw: Draw) -> float:
    value = draw.number()
    return value if not math.isfinite(value) or abs(value) < 3e38 else 3e38


# Settings, cards, labels ------------------------------------------------------------------------


def _value(draw: Draw) -> Any:
    """Return a value as JSON, YAML or a ROS parameter may hold it."""
    kind = draw.integer(0, 9)
    if kind < 3:
        return draw.number()
    if kind < 5:
        return draw.integer(-(2**63), 2**63 - 1) >> draw.integer(0, 63)
    words = ('', 'litert', 'haar', 'default', 'emotion', '../x', 'happy', '\x00', 'é' * 9, '1')
    simple: tuple[Any, ...] = (None, True, False, [], {}, [1.5] * 5, [[1, 2]] * 5, ['happy', 'sad'])
    return draw.pick(words) if kind < 8 else draw.pick(simple)


SETTINGS = {name: pair for c in (EmotionNodeConfig(), PipelineConfig())
            for name, pair in flatten(c).items()}  # fmt: skip


def parameters(data: bytes) -> bool:
    """Set parameters; what is taken lies in its range."""
    draw = Draw(data)
    config: Any = draw.pick((PipelineConfig(), EmotionNodeConfig()))
    names = (*flatten(config), 'detection', 'nothing', 'detection.nothing', '')
    changes = {draw.pick(names): _value(draw) for _ in range(draw.integer(1, 4))}
    try:
        changed = replace(config, changes)
    except ValueError:
        return False
    for name, (value, item) in flatten(changed).items():
        low, high = item.metadata['low'], item.metadata['high']
        assert low is None or low <= value <= high, (name, value)
    return True


@functools.cache
def _card(name: str) -> bytes:
    # The detector's card is checked together with its weights, which lie beside it.
    shutil.copy(MODELS_DIR / 'detector.tflite', _scratch())
    return (MODELS_DIR / f'{name}.json').read_bytes()


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(content, dict):
        inner = list(content.items())
    else:
        inner = list(enumerate(content)) if isinstance(content, list) else []
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


def _with_changes(content: Any, draw: Draw) -> Any:
    """Return JSON with some values replaced or left out."""
    for _ in range(draw.integer(0, 3)):
        place = draw.pick(_places(content))
        if not place:
            return _value(draw)
        holder = functools.reduce(lambda inner, key: inner[key], place[:-1], content)
        if draw.integer(0, 3):
            holder[place[-1]] = _value(draw)
        else:
            del holder[place[-1]]
    return content


def model_card(data: bytes) -> bool:
    """Load a shipped card with values or bytes changed, or rubbish."""
    draw = Draw(data)
    load, name = draw.pick(((load_emotion_card, 'emotion'), (load_detector_card, 'detector')))
    if draw.integer(0, 2):
        content = json.loads(_card(name))
        content.pop('about', None)
        data = json.dumps(_with_changes(content, draw)).encode()
    else:
        data = spoilt(draw, (_card(name),))
    try:
        card = load(str(_file('card.json', data)))
    except ModelError:
        return False
    if isinstance(card, EmotionModelCard):
        card.head()
    return True


PIXELS = b'7 ' * 48**2
SPANS = b'start_s,end_s,label,track_id\n0,1.5,happy,1\n1.5,2,sad,\n'
FACES = b'emotion,Usage,pixels\n3,Training,' + PIXELS + b'\n0,PrivateTest,' + PIXELS + b'\n'
VOTES = (
    b'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n'
    b'Training,a.png,4,0,0,1,3,2,0,0,0,0\nTraining,b.png,0,0,0,0,0,0,0,0,9,1\n'
)


def label_file(data: bytes) -> bool:
    """Read a csv file of spans, of faces, or of votes."""
    draw = Draw(data)
    read, sound = draw.pick(((read_spans, SPANS), (read_csv, FACES), (read_votes, VOTES)))
    try:
        read(_file('labels.csv', spoilt(draw, (sound,))))
    except DataError:
        return False
    return True


@functools.cache
def _archives() -> tuple[bytes, ...]:
    """Return small archives, packed and not."""
    arrays = {
        'images': np.zeros((2, 4, 4), np.uint8), 'labels': np.array([0, 3]),
        'usage': np.array([0, 2]), 'ferplus': np.full((2, 10), 3),
        'ferplus_names': np.array(['neutral', 'happiness', *'abcdefgh']),
    }  # fmt: skip
    archives = []
    for save in (np.savez, np.savez_compressed):
        path = _scratch() / 'seed.npz'
        save(path, **arrays)
        archives.append(path.read_bytes())
    return tuple(archives)


def face_archive(data: bytes) -> bool:
    """Read an .npz of labelled faces."""
    try:
        read_npz(_file('faces.npz', spoilt(Draw(data), _archives())))
    except DataError:
        return False
    return True


# Bags -------------------------------------------------------------------------------------------


def _make_bag(storage: str) -> tuple[bytes, bytes]:
    """Return the metadata and the file of a small bag with images and labels."""
    folder = Path(tempfile.mkdtemp(dir=_scratch())) / 'bag'
    with bag_files.BagWriter(folder, storage) as writer:
        for number in range(2):
            header = writer.header(10**9 + number, 'c')
            pixels = np.full((2, 3, 3), number, np.uint8)
            writer.write('/a', 10**9 + number, writer.image(pixels, header))
            writer.write('/b', 10**9 + number, writer.jpeg(pixels, header))
            label = writer.make('std_msgs/msg/String', data='happy')
            writer.write('/truth', 10**9 + number, label)
    (file,) = [path for path in folder.iterdir() if path.suffix != '.yaml']
    content = (folder / 'metadata.yaml').read_bytes(), file.read_bytes()
    shutil.rmtree(folder.parent)
    return content


bag_content = functools.cache(_make_bag)
SUFFIXES = {'mcap': 'bag.mcap', 'sqlite3': 'bag.db3'}


def bag(data: bytes) -> bool:
    """Read all images and labels of a bag of which one file is as it comes, the other sound."""
    draw = Draw(data)
    storage = draw.pick(tuple(SUFFIXES))
    files, number = list(bag_content(storage)), draw.integer(0, 1)
    files[number] = spoilt(draw, (files[number],))
    folder = _scratch() / 'bag'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / 'metadata.yaml').write_bytes(files[0])
    (folder / SUFFIXES[storage]).write_bytes(files[1])
    try:
        with bag_files.open_bag(folder) as reader:
            for topic in ('/a', '/b'):
                for found in bag_files.bag_images(reader, topic):
                    assert isinstance(found.image, (np.ndarray, ImageError))
            topic_spans(reader, '/truth', 0)
    except (SourceError, DataError):
        return False
    return True


TARGETS: dict[str, Target] = {
    'raw_image': Target(raw_image, converter=True),
    'compressed_image': Target(compressed_image, converter=True),
    'bag_image': Target(bag_image, converter=True),
    'photo': Target(photo),
    'emotions_message': Target(emotions_message),
    'parameters': Target(parameters),
    'model_card': Target(model_card),
    'label_file': Target(label_file),
    'face_archive': Target(face_archive),
    'bag': Target(bag),
}


def seeds() -> list[bytes]:
    """Return bytes to begin with, of any target: sound files first, then changed ones."""
    rng = np.random.default_rng(1)
    return [
        b'',
        *(bytes([kind, 0, 0, 0]) for kind in range(12)),
        *(rng.bytes(60) for _ in range(40)),
    ]
