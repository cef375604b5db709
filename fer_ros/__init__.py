# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Facial emotion recognition for robots: image in, who is there and what their face says out."""

__version__ = '0.2.0'

# First: it sets OpenCV's limits, which must be done before that is loaded.
from fer_ros.images import decoding as decoding  # isort: split

from fer_ros import moved as moved
from fer_ros.config import PipelineConfig as PipelineConfig
from fer_ros.pipeline import EmotionPipeline as EmotionPipeline
from fer_ros.types import FaceEmotion as FaceEmotion
from fer_ros.types import FrameEmotions as FrameEmotions

__all__ = ['EmotionPipeline', 'FaceEmotion', 'FrameEmotions', 'PipelineConfig', '__version__']
