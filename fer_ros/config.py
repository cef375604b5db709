# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every setting of the pipeline with its default, meaning and range: the one home of defaults.

ROS parameters, the YAML files under config/, command line options and the README's table are all
made from, or checked against, these dataclasses.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from dataclasses import dataclass
from typing import Any

from fer_ros.errors import shorten

DETECTORS = ('builtin', 'yunet', 'haar')
CLASSIFIERS = ('litert', 'onnx', 'keras')
DETECTOR_PLUGINS = 'fer_ros.detectors'
CLASSIFIER_PLUGINS = 'fer_ros.classifiers'
"""Groups of entry points under which other packages offer more."""

MAX_IMAGE_PIXELS = 50_000_000
"""Larger images are refused before they are decoded; 150 MB as BGR."""

RENAMED = {
    'tracking.max_gap_s': 'tracking.max_lost_s',
    'tracking.min_overlap': 'tracking.min_iou',
    'smoothing.unknown_margin': 'smoothing.unknown_hysteresis',
    'answers': 'results_topic',
}
"""Names of settings up to 0.1, still read in 0.2 with a warning, and what they are called now."""


ANY_TEXT = ('at most 4096 printable characters', r'[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,4096}')
SOME_TEXT = ('1 to 4096 printable characters', r'[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,4096}')
FRAME = ('a frame: letters, digits and _ . / - in between', r'(\w[\w./-]{0,254})?')
ID_PREFIX = ('letters, digits and _, a letter first', r'([A-Za-z]\w{0,31})?')
TOPIC = ('a topic', r'([~/]?[A-Za-z_][\w/]{0,254})?')
TOPICS = ('topics with commas between them', r'[\w/~, ]{0,4096}')


def setting(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    plugins: str = '',
    form: tuple[str, str] = ANY_TEXT,
    live: bool = True,
) -> Any:
    """Declare a field: its default, what it means, its closed range or choices.

    *form* is what a text is called and the regular expression that all of it matches.
    *plugins* names a group of entry points whose names are choices as well.
    *live* says whether a running node can change it without being configured anew.
    """
    return dataclasses.field(
        default=default,
        metadata={
            'description': description,
            'low': low,
            'high': high,
            'choices': choices,
            'plugins': plugins,
            'form': form,
            'live': live,
        },
    )


def plugin_names(group: str) -> tuple[str, ...]:
    """Return what installed packages offer under a group of entry points; none for ''."""
    # Imported here because it takes a tenth of a second, and plugins are rare.
    from importlib.metadata import entry_points

    return tuple(sorted(entry_points(group=group).names)) if group else ()


def check_settings(config: Any) -> None:
    """Raise ValueError for the first field of dataclass *config* outside its range or choices."""
    for item in dataclasses.fields(config):
        value, rules = getattr(config, item.name), item.metadata
        name = f'{type(config).__name__}.{item.name}'
        choices, group = rules.get('choices'), rules.get('plugins', '')
        if choices and value not in choices and value not in plugin_names(group):
            known = ', '.join((*choices, *plugin_names(group)))
            raise ValueError(f'{name}: expected one of {known}, got {shorten(repr(value))}')
        form, pattern = rules.get('form', ANY_TEXT)
        if isinstance(value, str) and not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f'{name}: expected {form}, got {shorten(repr(value))}')
        low, high = rules.get('low'), rules.get('high')
        if low is not None and not low <= value <= high:
            raise ValueError(f'{name}: expected {low} to {high}, got {value}')


class _Checked:
    """Validates a settings dataclass as soon as it is made."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class DetectionConfig(_Checked):
    """Which faces are looked for, and how."""

    backend: str = setting(
        'builtin', 'face detector', choices=DETECTORS, plugins=DETECTOR_PLUGINS, live=False
    )
    weights: str = setting(
        '', 'weights file of the detector; empty for the one that comes with it', live=False
    )
    score_threshold: float = setting(0.7, 'faces scored below this are dropped', low=0.0, high=1.0)
    min_face_px: int = setting(
        40, 'height in pixels of the smallest face worth finding', low=10, high=2000
    )
    max_faces: int = setting(
        64, 'at most this many faces per frame, best score first', low=1, high=1000
    )
    search_period_ms: float = setting(
        500.0,
        'in a stream the whole image is searched this often and when somebody is lost; in between '
        'known faces are followed where they were; 0 searches every image',
        low=0.0,
        high=60000.0,
    )
    threads: int = setting(2, 'threads of the detector', low=1, high=64, live=False)


@dataclass(frozen=True)
class ClassificationConfig(_Checked):
    """Which emotion model reads the faces."""

    model: str = setting(
        'default', 'name of a shipped model, or path of a model card (.json)', live=False
    )
    backend: str = setting(
        'litert',
        'what runs the model',
        choices=CLASSIFIERS,
        plugins=CLASSIFIER_PLUGINS,
        live=False,
    )
    unknown_threshold: float = setting(
        -1.0,
        "below this confidence the label is 'unknown'; negative for the model card's own value",
        low=-1.0,
        high=1.0,
    )
    read_period_ms: float = setting(
        100.0,
        "in a stream a person's face is read this often, in turns with the others in view, and in "
        'every image while it changes; in between it says what it said last; 0 reads every face '
        'in every image',
        low=0.0,
        high=10000.0,
    )
    threads: int = setting(2, 'threads of the emotion model', low=1, high=64, live=False)


@dataclass(frozen=True)
class QualityConfig(_Checked):
    """When a face counts as hard to read."""

    min_face_px: int = setting(
        24, "faces shorter than this many pixels are 'too_small'", low=1, high=2000
    )
    min_sharpness: float = setting(
        30.0,
        "variance of the aligned face's Laplacian below which it is 'blurred'",
        low=0.0,
        high=10000.0,
    )
    min_brightness: float = setting(
        40.0, "mean grey level (0 to 255) below which a face is 'dark'", low=0.0, high=255.0
    )
    max_brightness: float = setting(
        220.0,
        "mean grey level (0 to 255) above which a face is 'overexposed'",
        low=0.0,
        high=255.0,
    )
    max_yaw_ratio: float = setting(
        0.45,
        'how far the nose may lie off the middle between the eyes, as a share of their distance, '
        "before a face is 'turned_away'",
        low=0.0,
        high=10.0,
    )


@dataclass(frozen=True)
class TrackingConfig(_Checked):
    """How the same person is recognised from frame to frame."""

    max_lost_s: float = setting(
        1.0, 'a person out of sight for longer gets a new id', low=0.0, high=60.0
    )
    min_iou: float = setting(
        0.2,
        'smallest overlap (IoU) of a face with where its person is expected',
        low=0.01,
        high=1.0,
    )
    appearance: bool = setting(
        True,
        'tell people apart by what their faces look like, too, so that ids stay where people cross '
        'or the view jumps; kept in memory only, and forgotten with the person',
    )
    max_jitter_s: float = setting(
        0.5,
        'a stamp that lies before the newest one by no more than this belongs to a late image; one '
        'further back means that time has jumped back, and everybody gets a new id',
        low=0.0,
        high=60.0,
    )


@dataclass(frozen=True)
class SmoothingConfig(_Checked):
    """How probabilities and labels are kept steady over time for each person."""

    time_constant_s: float = setting(
        0.25,
        'seconds after which a change has come through by 63 percent; 0 for none',
        low=0.0,
        high=60.0,
    )
    min_label_s: float = setting(
        0.35,
        "a person's label lasts at least this many seconds, unless the person is lost; 0 for no "
        'least time',
        low=0.0,
        high=10.0,
    )
    label_hysteresis: float = setting(
        0.15,
        'another label is taken only when its probability lies more than this above that of the '
        "person's label, so that two equally likely ones do not alternate; 0 for any lead",
        low=0.0,
        high=1.0,
    )
    unknown_hysteresis: float = setting(
        0.1,
        "a person's label becomes 'unknown' only this far below the threshold, so that it does "
        'not flicker there; 0 for at the threshold',
        low=0.0,
        high=1.0,
    )


@dataclass(frozen=True)
class HeadPoseConfig(_Checked):
    """How heads are placed in space."""

    enabled: bool = setting(True, 'estimate where heads are and how they are turned')
    assumed_fov_deg: float = setting(
        60.0,
        "field of view of the image's longer side where no calibrated camera_info comes",
        low=10.0,
        high=160.0,
    )
    eye_distance_mm: float = setting(
        63.0, "distance between a person's pupils (adults 63, children less)", low=30.0, high=90.0
    )
    looking_at_camera_deg: float = setting(
        15.0,
        'a head that points past the camera by at most this counts as facing it',
        low=1.0,
        high=90.0,
    )
    min_cutoff_hz: float = setting(
        1.0, 'cut-off of the smoothing at rest; higher for quicker', low=0.01, high=100.0
    )
    speed_coefficient: float = setting(
        2.0, 'how much the cut-off rises with speed, in Hz per rad/s', low=0.0, high=100.0
    )


@dataclass(frozen=True)
class PipelineConfig:
    """Everything EmotionPipeline needs to know."""

    detection: DetectionConfig = DetectionConfig()
    classification: ClassificationConfig = ClassificationConfig()
    quality: QualityConfig = QualityConfig()
    tracking: TrackingConfig = TrackingConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    head_pose: HeadPoseConfig = HeadPoseConfig()


@dataclass(frozen=True)
class EmotionNodeConfig(_Checked):
    """What emotion_node needs beside the pipeline."""

    autostart: bool = setting(
        True, 'configure and activate at start without a lifecycle manager', live=False
    )
    image_transport: str = setting(
        'raw',
        "'raw' subscribes to image, 'compressed' to image/compressed",
        choices=('raw', 'compressed'),
        live=False,
    )
    max_image_pixels: int = setting(
        MAX_IMAGE_PIXELS,
        'larger images are refused before they are decoded, and counted',
        low=10_000,
        high=200_000_000,
    )
    pixelate_faces: bool = setting(False, 'make faces unrecognisable in image_annotated')
    depth_topic: str = setting(
        '',
        'depth images (16UC1 in mm or 32FC1 in m) that are registered to the images, to measure '
        'distances with; empty to go by the size of faces',
        form=TOPIC,
        live=False,
    )
    depth_max_offset_s: float = setting(
        0.05,
        'a depth image whose stamp lies further from the one of the image is not used; an image '
        'waits so long for its own',
        low=0.001,
        high=1.0,
    )
    notice: str = setting(
        '',
        'what people in view have to be told, as the law may ask (docs/privacy.md): latched on '
        '~/notice, and on top of the page',
    )
    diagnostics_period_s: float = setting(
        1.0, 'seconds between two messages on /diagnostics', low=0.1, high=60.0, live=False
    )


@dataclass(frozen=True)
class CameraNodeConfig(_Checked):
    """What camera_node opens and how it publishes it."""

    source: str = setting(
        'demo',
        "'demo' for two people from sample photos, the number or path of a camera, "
        'a video file, or a folder of photos',
        form=SOME_TEXT,
        live=False,
    )
    width_px: int = setting(640, 'width to ask the camera for', low=16, high=7680, live=False)
    height_px: int = setting(480, 'height to ask the camera for', low=16, high=4320, live=False)
    rate_hz: float = setting(
        30.0, 'frames per second; 0 for the rate of the video', low=0.0, high=1000.0, live=False
    )
    loop: bool = setting(True, 'start a video or folder again when it ends', live=False)
    frame_id: str = setting(
        '',
        'frame that images are stamped with; empty for that of the namespace, as in '
        'front_optical_frame, or camera_optical_frame without one',
        form=FRAME,
        live=False,
    )


@dataclass(frozen=True)
class HriBridgeConfig(_Checked):
    """What hri_bridge_node makes of the people of REP-155 (ROS4HRI)."""

    mode: str = setting(
        'publish',
        "'publish' our faces under /humans/faces, 'classify' the faces that another detector "
        'publishes there',
        choices=('publish', 'classify'),
        live=False,
    )
    id_prefix: str = setting(
        '',
        'beginning of every face id, a letter first; empty for five random letters, so that ids '
        'of several nodes differ',
        form=ID_PREFIX,
        live=False,
    )
    crop_px: int = setting(
        128, 'width and height of the published face images', low=16, high=1024, live=False
    )


@dataclass(frozen=True)
class BagPlayerConfig(_Checked):
    """What bag_player_node plays, and how fast."""

    bag: str = setting('', 'folder of the bag, or its .mcap or .db3 file', live=False)
    topics: str = setting(
        '', 'topics to play, with commas between them; empty for all', form=TOPICS, live=False
    )
    rate: float = setting(
        1.0, 'seconds of the bag per second; 0 for as fast as possible', low=0.0, high=100.0
    )
    loop: bool = setting(False, 'start again at the end')
    paused: bool = setting(False, 'wait for ~/step or ~/pause', live=False)
    results_topic: str = setting(
        '',
        'an EmotionArray topic: after each image the clock waits for its result, so that none '
        'is dropped; empty to keep the time of the bag',
        form=TOPIC,
        live=False,
    )
    clock_hz: float = setting(
        100.0, 'messages per second on /clock', low=1.0, high=1000.0, live=False
    )


@dataclass(frozen=True)
class BagRecorderConfig(_Checked):
    """What bag_recorder_node writes."""

    bag: str = setting('', 'folder to make', live=False)
    topics: str = setting(
        '', 'topics to record, with commas between them', form=TOPICS, live=False
    )
    storage: str = setting('mcap', 'format of the file', choices=('mcap', 'sqlite3'), live=False)


def flatten(config: Any) -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    """Return {'section.field': (value, field)} of a settings dataclass, nested ones included."""
    flat: dict[str, tuple[Any, dataclasses.Field[Any]]] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            flat.update({f'{item.name}.{name}': pair for name, pair in flatten(value).items()})
        else:
            flat[item.name] = (value, item)
    return flat


def replace(config: Any, changes: dict[str, Any]) -> Any:
    """Return *config* with the settings named 'section.field' in *changes* replaced.

    Raises:
        ValueError: a name does not exist, or a value is of the wrong type or out of range.
    """
    known = flatten(config)
    nested: dict[str, dict[str, Any]] = {}
    direct: dict[str, Any] = {}
    for name, value in changes.items():
        if name in RENAMED:
            warnings.warn(f'{name} is now called {RENAMED[name]}', DeprecationWarning, stacklevel=2)
            name = RENAMED[name]
        if name not in known:
            raise ValueError(f'no setting is called {name!r}; there are: {", ".join(known)}')
        kind = type(known[name][0])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f'{name}: expected {kind.__name__}, got {type(value).__name__}')
        section, _, rest = name.partition('.')
        if rest:
            nested.setdefault(section, {})[rest] = value
        else:
            direct[name] = value
    for section, inner in nested.items():
        direct[section] = replace(getattr(config, section), inner)
    return dataclasses.replace(config, **direct)


def check_live(before: Any, after: Any) -> None:
    """Raise ValueError if *after* differs from *before* in a setting that is read only at start."""
    old = flatten(before)
    fixed = [
        name
        for name, (value, item) in flatten(after).items()
        if not item.metadata['live'] and value != old[name][0]
    ]
    if fixed:
        raise ValueError(f'{", ".join(fixed)}: cannot change while running')
