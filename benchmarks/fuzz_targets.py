# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever reads untrusted bytes, each as a function of what Hypothesis draws.

A target returns True where the input was taken and False where it was refused with one of the
errors it documents. Whatever else is raised is a fault.
"""

from __future__ import annotations

import functools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz_draw import ODD_VALUES, Draw, corrupted, scratch, scratch_file
from benchmarks.fuzz_images import (
    bag_image,
    compressed_image,
    emotions_message,
    image_header,
    photo,
    pipeline,
    raw_image,
)
from fer_ros.config import EmotionNodeConfig, PipelineConfig, flatten, replace
from fer_ros.data.bag_labels import read_spans, topic_spans
from fer_ros.data.bag_reader import open_bag
from fer_ros.data.bag_video import VideoDecoder
from fer_ros.data.bag_writer import BagWriter
from fer_ros.data.bags import BagClock, bag_images
from fer_ros.data.datasets import read_csv, read_npz, read_votes
from fer_ros.data.label_maps import read_label_map
from fer_ros.errors import DataError, ImageError, ModelError, SourceError
from fer_ros.messages.images import image_message, jpeg_message
from fer_ros.models.card import MODELS_DIR, DetectorCard, EmotionModelCard, ModelCard

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


# Settings, cards, labels ------------------------------------------------------------------------


def parameters(draw: Draw) -> bool:
    """Set parameters; what is taken lies in its range."""
    config: Any = draw.pick((PipelineConfig(), EmotionNodeConfig()))
    names = (*flatten(config), 'detection', 'nothing', 'detection.nothing', '')
    changes = {draw.pick(names): draw.of(ODD_VALUES) for _ in range(draw.integer(0, 4))}
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
    shutil.copy(MODELS_DIR / 'detector.tflite', scratch())
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
            return draw.of(ODD_VALUES)
        holder = functools.reduce(lambda inner, key: inner[key], place[:-1], content)
        if draw.integer(0, 3):
            holder[place[-1]] = draw.of(ODD_VALUES)
        else:
            del holder[place[-1]]
    return content


def model_card(draw: Draw) -> bool:
    """Load a shipped card with values or bytes changed, or corrupt data."""
    kinds: tuple[tuple[type[ModelCard], str], ...] = (
        (EmotionModelCard, 'emotion'),
        (DetectorCard, 'detector'),
    )
    kind, name = draw.pick(kinds)
    if draw.integer(0, 2):
        content = json.loads(_card(name))
        content.pop('about', None)
        written = json.dumps(_with_changes(content, draw)).encode()
    else:
        written = corrupted(draw, (_card(name),))
    try:
        card = kind.load(str(scratch_file('card.json', written)))
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


def label_file(draw: Draw) -> bool:
    """Read a csv file of spans, of faces, or of votes."""
    readers: tuple[tuple[Callable[[Path], Any], bytes], ...] = (
        (read_spans, SPANS),
        (read_csv, FACES),
        (read_votes, VOTES),
    )
    read, sound = draw.pick(readers)
    dialect = draw.pick((b',', b';', b'\t', b'|'))
    mark = draw.pick((b'', b'\xef\xbb\xbf', b'\xff\xfe'))
    try:
        read(
            scratch_file('labels.csv', mark + corrupted(draw, (sound.replace(b',', dialect),)))
        )
    except DataError:
        return False
    return True


def label_map(draw: Draw) -> bool:
    """Read a YAML file of what labels mean."""
    content = corrupted(draw, (b'4: happy\n7: neutral\nother:\n',))
    try:
        read_label_map(str(scratch_file('map.yaml', content)))
    except DataError:
        return False
    return True


@functools.cache
def _archives() -> tuple[bytes, ...]:
    """Return small archives, packed and not."""
    arrays: dict[str, Any] = {
        'images': np.zeros((2, 4, 4), np.uint8), 'labels': np.array([0, 3]),
        'usage': np.array([0, 2]), 'ferplus': np.full((2, 10), 3),
        'ferplus_names': np.array(['neutral', 'happiness', *'abcdefgh']),
    }  # fmt: skip
    archives = []
    for save in (np.savez, np.savez_compressed):
        path = scratch() / 'seed.npz'
        save(path, **arrays)
        archives.append(path.read_bytes())
    return tuple(archives)


def face_archive(draw: Draw) -> bool:
    """Read an .npz of labelled faces."""
    try:
        read_npz(scratch_file('faces.npz', corrupted(draw, _archives())))
    except DataError:
        return False
    return True


# Bags -------------------------------------------------------------------------------------------


def _make_bag(storage: str) -> tuple[bytes, bytes]:
    """Return the metadata and the file of a small bag with images and labels."""
    folder = Path(tempfile.mkdtemp(dir=scratch())) / 'bag'
    with BagWriter(folder, storage) as writer:
        for number in range(2):
            header = writer.header(10**9 + number, 'c')
            pixels = np.full((2, 3, 3), number, np.uint8)
            writer.write('/a', 10**9 + number, image_message(writer.make, pixels, header))
            writer.write('/b', 10**9 + number, jpeg_message(writer.make, pixels, header))
            label = writer.make('std_msgs/msg/String', data='happy')
            writer.write('/truth', 10**9 + number, label)
    (file,) = [path for path in folder.iterdir() if path.suffix != '.yaml']
    content = (folder / 'metadata.yaml').read_bytes(), file.read_bytes()
    shutil.rmtree(folder.parent)
    return content


bag_content = functools.cache(_make_bag)
_zstd = functools.cache(zstd.compress)
SUFFIXES = {'mcap': 'bag.mcap', 'sqlite3': 'bag.db3'}


def bag(draw: Draw) -> bool:
    """Read all images and labels of a bag of which one file is as it comes, the other sound.

    A damaged storage file is read by fer_ros.data.bag_recovery; some are compressed, before or
    after the damage.
    """
    storage = draw.pick(tuple(SUFFIXES))
    files, number = list(bag_content(storage)), draw.integer(0, 1)
    files[number] = corrupted(draw, (files[number],))
    folder = scratch() / 'bag'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if draw.integer(0, 3):  # else a lone file, as a recorder that is killed leaves it
        (folder / 'metadata.yaml').write_bytes(files[0])
    name = SUFFIXES[storage]
    if not draw.integer(0, 3):
        name, packed = f'{name}.zstd', _zstd(bag_content(storage)[1])
        files[1] = corrupted(draw, (packed,)) if number else packed
    (folder / name).write_bytes(files[1])
    try:
        with open_bag(folder) as reader:
            for topic in ('/a', '/b'):
                for found in bag_images(reader, topic):
                    assert isinstance(found.image, (np.ndarray, ImageError))
            clock = BagClock(reader, '/a')
            assert (np.diff(clock.times_s) >= 0).all()
            topic_spans(reader, '/truth', clock)
    except (SourceError, DataError):
        return False
    return True


@functools.cache
def _packets() -> tuple[bytes, ...]:
    """Return the packets of a small video of H.264."""
    import av

    context = av.CodecContext.create('libx264', 'w')
    context.width, context.height, context.pix_fmt = 32, 32, 'yuv420p'
    context.framerate = Fraction(10)
    context.options = {'tune': 'zerolatency', 'preset': 'ultrafast'}
    frames = [av.VideoFrame.from_ndarray(np.full((32, 32, 3), 60 * n, np.uint8)) for n in range(4)]
    return tuple(bytes(packet) for frame in frames for packet in context.encode(frame))


def video_packets(draw: Draw) -> bool:
    """Decode a video of which each packet may be damaged."""
    decoder, taken = VideoDecoder(), 0
    for number, packet in enumerate(_packets()):
        content = corrupted(draw, (packet,)) if draw.integer(0, 1) else packet
        codec = draw.pick(('h264', 'h264', 'h264', 'hevc', 'vp9', 'vp8', 'libdav1d'))
        try:
            for _, image in decoder.decode(number, np.frombuffer(content, np.uint8), codec):
                taken += isinstance(image, np.ndarray)
        except ImageError:
            taken -= 1
    return taken > 0


TARGETS: dict[str, Callable[[Draw], bool]] = {
    'raw_image': raw_image,
    'compressed_image': compressed_image,
    'bag_image': bag_image,
    'photo': photo,
    'image_header': image_header,
    'pipeline': pipeline,
    'emotions_message': emotions_message,
    'parameters': parameters,
    'model_card': model_card,
    'label_file': label_file,
    'label_map': label_map,
    'face_archive': face_archive,
    'bag': bag,
}
if find_spec('av'):
    TARGETS['video_packets'] = video_packets
