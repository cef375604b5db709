# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What others use, as fer_ros.measuring.worker wants it; runs in .venv-peers, never in .venv.

Everything is used as its own README shows it, with its defaults. Nothing is downloaded.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import cv2

NOWHERE = 'http://127.0.0.1:9'
SEED_FACE_PX = 64


def stay_offline() -> None:
    """Send every download to an address where nobody listens."""
    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'):
        os.environ[name] = NOWHERE


def stand_in_for_torchvision() -> None:
    """Give facenet-pytorch the two things it asks torchvision for, where that does not load.

    The registry's torchvision is built for GPUs and does not load beside PyTorch for processors.
    Suppression of overlapping boxes is OpenCV's then, compiled as well.
    """
    try:
        import torchvision.ops  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        from types import ModuleType

        import torch

        def batched_nms(boxes, scores, groups, iou):
            if not len(boxes):
                return torch.zeros(0, dtype=torch.int64)
            # Groups apart: no two boxes of different ones overlap after the shift.
            apart = boxes + (groups.to(boxes) * (boxes.max() + 1))[:, None]
            xywh = torch.cat([apart[:, :2], apart[:, 2:] - apart[:, :2]], dim=1).numpy()
            kept = cv2.dnn.NMSBoxes(xywh, scores.numpy(), 0.0, float(iou))
            return torch.as_tensor(kept, dtype=torch.int64).flatten()

        for name in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
            del sys.modules[name]
        names = ('', '.transforms', '.transforms.functional', '.ops', '.ops.boxes')
        for name in (f'torchvision{tail}' for tail in names):
            sys.modules[name] = ModuleType(name)
        sys.modules['torchvision.transforms'].functional = sys.modules[
            'torchvision.transforms.functional'
        ]
        sys.modules['torchvision.ops.boxes'].batched_nms = batched_nms


def _fer(mtcnn: bool):
    stay_offline()
    if mtcnn:
        stand_in_for_torchvision()
    from fer.fer import FER

    detector = FER(mtcnn=mtcnn)
    return lambda name, images: lambda image: len(detector.detect_emotions(image))


def fer_haar():
    """Return the fer package as its README shows it."""
    return f'fer {version("fer")}, Haar cascade, its model by TensorFlow Lite', _fer(mtcnn=False)


def fer_mtcnn():
    """Return the fer package with its better detector."""
    about = f'fer {version("fer")}, MTCNN of facenet-pytorch {version("facenet-pytorch")}'
    return about, _fer(mtcnn=True)


def deepface_opencv():
    """Return deepface with the detector that it brings along; its fastest."""
    stay_offline()
    import numpy as np
    from deepface import DeepFace

    def process(image) -> int:
        found = DeepFace.analyze(
            image,
            actions=['emotion'],
            detector_backend='opencv',
            enforce_detection=False,
            silent=True,
        )
        return sum(face['face_confidence'] > 0 for face in found)

    process(np.full((240, 320, 3), 127, np.uint8))
    return f'deepface {version("deepface")}, OpenCV cascade', lambda name, images: process


def seed_recipe():
    """Return what most home-made robots do: Haar cascade, then ``model.predict`` for each face.

    The network is mini-XCEPTION for 64x64 grey faces with untrained weights: as slow as trained.
    """
    os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
    import keras
    import numpy as np

    sys.path.append(str(Path(__file__).parent.parent))
    from training.emotion.architectures import mini_xception

    inputs = keras.Input((SEED_FACE_PX, SEED_FACE_PX, 1))
    model = keras.Model(inputs, keras.layers.Softmax()(mini_xception(inputs, 7)))
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + 'haarcascade_frontalface_default.xml')

    def process(image) -> int:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        faces = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
        for x, y, width, height in faces:
            face = cv2.resize(grey[y : y + height, x : x + width], (SEED_FACE_PX, SEED_FACE_PX))
            batch = (face.astype('float32') / 127.5 - 1.0)[None, :, :, None]
            int(np.argmax(model.predict(batch, verbose=0)))
        return len(faces)

    about = f'Haar cascade, then Keras {keras.__version__} predict for each face, untrained weights'
    return about, lambda name, images: process

