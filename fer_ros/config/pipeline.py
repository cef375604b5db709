# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of EmotionPipeline."""

from __future__ import annotations

from dataclasses import dataclass

from fer_ros.config.settings import Checked, setting

RECORDED = {'detection.search_period_ms': 0.0, 'classification.read_period_ms': 0.0}
"""Settings for images that can wait: each is searched as a whole, and every face in it read."""

DETECTORS = ('builtin', 'yunet', 'haar')
CLASSIFIERS = ('litert', 'onnx', 'keras')
DETECTOR_PLUGINS = 'fer_ros.detectors'
CLASSIFIER_PLUGINS = 'fer_ros.classifiers'
"""Groups of entry points under which other packages offer more."""


@dataclass(frozen=True)
class DetectionConfig(Checked):
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
        1000.0,
        'in a stream the whole image is searched this often and when somebody is lost, and '
        'half-way at half its size, for faces twice as tall; in between known faces are followed '
        'where they were; 0 searches every image',
        low=0.0,
        high=60000.0,
    )
    threads: int = setting(2, 'threads of the detector', low=1, high=64, live=False)


@dataclass(frozen=True)
class ClassificationConfig(Checked):
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
    flip_tta: bool = setting(
        True,
        'a face of a photo or a data set is averaged with its mirror image (flip TTA), at twice '
        'the time per face; a stream has its smoothing instead',
    )
    threads: int = setting(2, 'threads of the emotion model', low=1, high=64, live=False)


@dataclass(frozen=True)
class QualityConfig(Checked):
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
class TrackingConfig(Checked):
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
class SmoothingConfig(Checked):
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
class HeadPoseConfig(Checked):
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
