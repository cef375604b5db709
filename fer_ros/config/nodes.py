# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of each node beside the pipeline's."""

from __future__ import annotations

from dataclasses import dataclass

from fer_ros.config.settings import FRAME, ID_PREFIX, SOME_TEXT, TOPIC, TOPICS, Checked, setting

MAX_IMAGE_PIXELS = 50_000_000
"""Larger images are refused before they are decoded; 150 MB as BGR."""


@dataclass(frozen=True)
class EmotionNodeConfig(Checked):
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
class CameraNodeConfig(Checked):
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
class HriBridgeConfig(Checked):
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
class BagPlayerConfig(Checked):
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
class BagRecorderConfig(Checked):
    """What bag_recorder_node writes."""

    bag: str = setting('', 'folder to make', live=False)
    topics: str = setting(
        '', 'topics to record, with commas between them', form=TOPICS, live=False
    )
    storage: str = setting('mcap', 'format of the file', choices=('mcap', 'sqlite3'), live=False)
