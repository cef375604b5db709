# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Facial emotion recognition for robots: image in, who is there and what their face says out.

What it offers is loaded when it is first used, so that programs begin at once, and can be ended.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fer_ros import moved as moved
from fer_ros.errors import check_address_space

__version__ = '0.2.0'
__all__ = ['EmotionPipeline', 'FaceEmotion', 'FrameEmotions', 'PipelineConfig', '__version__']

# Read by OpenCV once, when it is loaded: a second limit, for what a header hides.
os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', '200000000')
# What OpenCV and FFmpeg say of damaged files would stand beside the sentence that we say; -8 is
# silence.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
os.environ.setdefault('OPENCV_LOG_LEVEL', 'FATAL')
check_address_space(500_000_000)  # OpenCV does not survive a lack of room.

if TYPE_CHECKING:
    from fer_ros.config import PipelineConfig as PipelineConfig
    from fer_ros.pipeline import EmotionPipeline as EmotionPipeline
    from fer_ros.types import FaceEmotion as FaceEmotion
    from fer_ros.types import FrameEmotions as FrameEmotions
else:
    _HOMES = {
        'EmotionPipeline': 'pipeline',
        'FaceEmotion': 'types',
        'FrameEmotions': 'types',
        'PipelineConfig': 'config',
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
