# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What YuNet predicts for every cell of an image, for a network that learns from it.

Labels mark a few cells as faces. A teacher also gives a score for every other cell, things that
look a little like faces included (arXiv 1503.02531), and does so for any generated image: no label
has to be known. Its grids are those of our own network.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

from fer_ros.detection.cells import STRIDES
from fer_ros.errors import DataError
from fer_ros.types import Float32Array, UInt8Array
from training.detector.targets import BOX, LANDMARKS, SCORE, TARGET_COLUMNS

PARTS = ('cls', 'obj', 'bbox', 'kps')


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Return YuNet's network for inputs of any size, on one thread.

    Raises:
        DataError: the file cannot be read or is another network.
    """
    try:
        model = onnx.load(path)
        # The file states one size; nothing in the network needs it.
        for axis, name in ((2, 'height'), (3, 'width')):
            model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
        for output in model.graph.output:
            output.type.tensor_type.shape.dim[1].dim_param = f'cells_{output.name}'
        del model.graph.value_info[:]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=['CPUExecutionProvider']
        )
    except Exception as error:  # protobuf's and onnxruntime's have no common base
        raise DataError(f'teacher {path}: {error}') from error
    expected = {f'{part}_{stride}' for part in PARTS for stride in STRIDES}
    if {output.name for output in session.get_outputs()} != expected:
        raise DataError(f'teacher {path} is not a YuNet: its outputs have other names')
    return session


class DenseTeacher:
    """A YuNet that predicts every cell.

    Only one: two of them choose different cells for the same face, so that the mean of their
    predictions holds fewer faces than either.
    """

    def __init__(self, path: Path) -> None:
        """Open the network; raises DataError."""
        self._session = open_session(path)

    def predict(self, image: UInt8Array) -> Float32Array:
        """Return targets, float32 (cells, 16), fine grid first, as ``targets.correct`` takes them.

        Every cell has a score, 0 to 1, a box and landmarks.

        Args:
            image: uint8 (H, W, 3) BGR, sides multiples of the largest stride.
        """
        names = [f'{part}_{stride}' for stride in STRIDES for part in PARTS]
        maps = self._session.run(names, {'input': cv2.dnn.blobFromImage(image)})
        target = np.ones(
            (sum(one.shape[1] for one in maps[:: len(PARTS)]), TARGET_COLUMNS), np.float32
        )
        start = 0
        for level, stride in enumerate(STRIDES):
            cls, obj, box, points = (one[0] for one in maps[len(PARTS) * level :][: len(PARTS)])
            rows = target[start : start + len(cls)]
            y, x = np.mgrid[: image.shape[0] // stride, : image.shape[1] // stride]
            corners = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)
            middle = (corners + box[:, :2]) * stride
            half = np.exp(np.clip(box[:, 2:], -6, 6)) * stride / 2
            rows[:, SCORE] = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))[:, 0]
            rows[:, BOX] = np.concatenate([middle - half, middle + half], axis=1)
            rows[:, LANDMARKS] = (np.tile(corners, 5) + points) * stride
            start += len(cls)
        return target
