# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What crosses from one stage to the next; shapes and dtypes are checked once, here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_ros.labels import UNKNOWN

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LANDMARK_NAMES: tuple[str, ...] = (
    'right_eye',
    'left_eye',
    'nose_tip',
    'right_mouth_corner',
    'left_mouth_corner',
)
"""Order of the five landmarks; right and left are the subject's own."""


def _check(name: str, array: np.ndarray, dtype: type, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless *array* has *dtype* and *shape* (None matches any length)."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f'{name}: expected a numpy array, got {type(array).__name__}')
    fits = array.shape == shape or (
        array.ndim == len(shape)
        and all(want in (None, have) for have, want in zip(array.shape, shape))
    )
    if array.dtype != dtype or not fits:
        expected = ', '.join('N' if n is None else str(n) for n in shape)
        raise ValueError(
            f'{name}: expected {np.dtype(dtype).name} ({expected}), '
            f'got {array.dtype.name} {tuple(array.shape)}'
        )


def check_image(image: np.ndarray) -> None:
    """Raise ValueError unless *image* is a non-empty BGR image, uint8 (H, W, 3)."""
    _check('image', image, np.uint8, (None, None, 3))
    if image.size == 0:
        raise ValueError(f'image: expected at least one pixel, got shape {tuple(image.shape)}')


@dataclass(frozen=True)
class FaceDetections:
    """Faces of one image, in pixels of that image, best score first.

    Attributes:
        boxes_xyxy: float32 (N, 4); left, top, right, bottom; origin top left, half-open.
        landmarks: float32 (N, 5, 2); x, y in the order of LANDMARK_NAMES; NaN where there is none.
        scores: float32 (N,); 0 to 1.
    """

    boxes_xyxy: Float32Array
    landmarks: Float32Array
    scores: Float32Array

    def __post_init__(self) -> None:
        """Check shapes and that the three arrays are of the same faces."""
        _check('boxes_xyxy', self.boxes_xyxy, np.float32, (None, 4))
        count = len(self.boxes_xyxy)
        _check('landmarks', self.landmarks, np.float32, (count, 5, 2))
        _check('scores', self.scores, np.float32, (count,))

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.scores)

    @classmethod
    def empty(cls) -> FaceDetections:
        """Return the detections of an image without faces."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros((0, 5, 2), np.float32),
            np.zeros((0,), np.float32),
        )

    def __getitem__(self, index: slice | Int64Array | BoolArray) -> FaceDetections:
        """Return the faces that *index* (a slice, indices or a mask) selects, in its order."""
        return FaceDetections(self.boxes_xyxy[index], self.landmarks[index], self.scores[index])

    @classmethod
    def joined(cls, parts: Sequence[FaceDetections]) -> FaceDetections:
        """Return the faces of all *parts*, at least one, as they follow one another."""
        return cls(
            np.concatenate([part.boxes_xyxy for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def moved(self, x_px: float, y_px: float) -> FaceDetections:
        """Return the faces as they lie in an image that begins so far to the left and above."""
        shift = np.array([x_px, y_px], np.float32)
        return FaceDetections(
            self.boxes_xyxy + np.tile(shift, 2), self.landmarks + shift, self.scores
        )

    def resized(self, before_wh: tuple[int, int], after_wh: tuple[int, int]) -> FaceDetections:
        """Return the faces as they lie in an image that is resized from one size to another."""
        steps = (np.array(after_wh) / np.array(before_wh)).astype(np.float32)
        return FaceDetections(
            self.boxes_xyxy * np.tile(steps, 2), self.landmarks * steps, self.scores
        )


@dataclass(frozen=True)
class AlignedFaces:
    """Faces cut out upright and to one size.

    Attributes:
        crops: uint8 (M, S, S) grey or (M, S, S, 3) BGR.
        image_to_crop: float32 (M, 2, 3); affine, image pixels to crop pixels.
        source_index: int64 (M,); row of the face in the FaceDetections it was cut from.
    """

    crops: UInt8Array
    image_to_crop: Float32Array
    source_index: Int64Array

    def __post_init__(self) -> None:
        """Check shapes and that the three arrays are of the same faces."""
        channels = (3,) if self.crops.ndim == 4 else ()
        _check('crops', self.crops, np.uint8, (None, None, None, *channels))
        count = len(self.crops)
        _check('image_to_crop', self.image_to_crop, np.float32, (count, 2, 3))
        _check('source_index', self.source_index, np.int64, (count,))

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.crops)


@dataclass(frozen=True)
class EmotionScores:
    """What a classifier says of a batch of faces.

    Attributes:
        probabilities: float32 (M, C); every row sums to 1.
        labels: the C class names, in column order.
    """

    probabilities: Float32Array
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the shape against the labels and that rows sum to one."""
        _check('probabilities', self.probabilities, np.float32, (None, len(self.labels)))
        sums = self.probabilities.sum(axis=1)
        if not (np.abs(sums - 1) < 1e-3).all():
            raise ValueError(f'probabilities: expected rows that sum to 1, got sums {sums}')

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.probabilities)


@dataclass(frozen=True)
class Camera:
    """How a camera projects: a pinhole with OpenCV's distortion.

    Attributes:
        focal_px: in x and y.
        centre_px: where the optical axis meets the image, x and y.
        distortion: float64 (K,) coefficients as OpenCV orders them; empty for none.
        is_calibrated: False where a field of view was assumed.
    """

    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    distortion: Float64Array = field(default_factory=lambda: np.zeros(0))
    is_calibrated: bool = True

    @property
    def matrix(self) -> Float64Array:
        """The intrinsic matrix, float64 (3, 3)."""
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        return np.array([(fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)])

    @classmethod
    def assumed(cls, shape_hw: tuple[int, int], fov_deg: float) -> Camera:
        """Return an uncalibrated camera whose longer side sees *fov_deg*."""
        height, width = shape_hw
        focal = max(height, width) / 2 / np.tan(np.radians(fov_deg / 2))
        return cls((focal, focal), (width / 2, height / 2), is_calibrated=False)


@dataclass(frozen=True)
class HeadPose:
    """Where a head is, how it is turned, and what it does.

    Attributes:
        position_m: float64 (3,) between the eyes, in the camera's optical frame (REP-103).
        rotation: float64 (3, 3) from REP-155's face frame (x out of the face, y to the person's
            left, z up) to the optical frame.
        position_sigma_m: float64 (3,) standard deviations.
        angle_sigma_rad: float64 (3,) standard deviations about the optical frame's axes.
        distance_sigma_m: standard deviation of the distance to the camera.
        distance_source: 'face_size', that of a mean adult, or 'depth', measured.
        is_looking_at_camera: the face points at the camera.
        gesture: 'nod' or 'shake' just now, else ''.
    """

    position_m: Float64Array
    rotation: Float64Array
    position_sigma_m: Float64Array
    angle_sigma_rad: Float64Array
    distance_sigma_m: float
    distance_source: str = 'face_size'
    is_looking_at_camera: bool = False
    gesture: str = ''

    @property
    def distance_m(self) -> float:
        """From the camera to between the eyes."""
        return float(np.linalg.norm(self.position_m))


@dataclass(frozen=True)
class FaceEmotion:
    """One face of one frame.

    Attributes:
        track_id: the same for the same person from frame to frame, from 1.
        box_xyxy: float32 (4,) px; half-open.
        landmarks: float32 (5, 2) px; NaN where the detector gave none.
        detection_score: 0 to 1.
        raw_probabilities: float32 (C,) of one frame alone: this one, or the last in which the face
            was read (``classification.read_period_ms``).
        probabilities: float32 (C,) smoothed over time for this person.
        label: the class of the highest smoothed probability, kept for a moment when another takes
            the lead, or 'unknown'.
        confidence: the smoothed probability of the label, 0 to 1; the highest one if 'unknown'.
        quality: names of what makes this face hard to read (see fer_ros.recognition.quality).
        head: where the head is and how it is turned; None where that is not known.
    """

    track_id: int
    box_xyxy: Float32Array
    landmarks: Float32Array
    detection_score: float
    raw_probabilities: Float32Array
    probabilities: Float32Array
    label: str
    confidence: float
    quality: tuple[str, ...] = ()
    head: HeadPose | None = None


@dataclass(frozen=True)
class FrameEmotions:
    """Everything one frame says.

    Attributes:
        stamp_s: the image's time in seconds.
        shape_hw: height and width of the image in pixels.
        labels: class names, in the order of every probability vector.
        faces: in order of track id; empty when nobody is in view.
        timings_ms: milliseconds per stage.
    """

    stamp_s: float
    shape_hw: tuple[int, int]
    labels: tuple[str, ...]
    faces: tuple[FaceEmotion, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundFaces:
    """The faces of one image, cut out, before anybody reads them.

    Attributes:
        shape_hw: height and width of the image in pixels.
        detections: N faces, their boxes clipped to the image.
        quality: for each face what makes it hard to read (see fer_ros.recognition.quality).
        crops: uint8 (N, S, S, 3) BGR, upright.
        timings_ms: milliseconds per stage.
    """

    shape_hw: tuple[int, int]
    detections: FaceDetections
    quality: tuple[tuple[str, ...], ...]
    crops: UInt8Array
    timings_ms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that all describe the same faces."""
        counts = len(self.detections), len(self.quality), len(self.crops)
        if len(set(counts)) != 1:
            raise ValueError(f'expected as many detections as qualities and crops, got {counts}')

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.detections)


@dataclass(frozen=True)
class FaceReadings(FoundFaces):
    """The faces of one image and what they say, without any memory of the image before.

    Attributes:
        scores: their N rows of probabilities.
    """

    scores: EmotionScores = field(kw_only=True)

    def __post_init__(self) -> None:
        """Check that all describe the same faces."""
        super().__post_init__()
        if len(self.scores) != len(self):
            raise ValueError(f'expected scores of {len(self)} faces, got {len(self.scores)}')

    def to_frame(self, unknown_threshold: float, stamp_s: float = 0.0) -> FrameEmotions:
        """Return the faces numbered from 1, in their order, with nothing smoothed.

        Args:
            unknown_threshold: below this probability a label is 'unknown'.
            stamp_s: the image's time in seconds.
        """
        faces = tuple(
            FaceEmotion(
                track_id=row + 1,
                box_xyxy=self.detections.boxes_xyxy[row],
                landmarks=self.detections.landmarks[row],
                detection_score=float(self.detections.scores[row]),
                raw_probabilities=probabilities,
                probabilities=probabilities,
                label=self.scores.labels[int(probabilities.argmax())]
                if probabilities.max() >= unknown_threshold
                else UNKNOWN,
                confidence=float(probabilities.max()),
                quality=self.quality[row],
            )
            for row, probabilities in enumerate(self.scores.probabilities)
        )
        return FrameEmotions(stamp_s, self.shape_hw, self.scores.labels, faces, self.timings_ms)
